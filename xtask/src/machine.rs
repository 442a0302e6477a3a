//! What tests need of the machine beside Rust, Python and Node: programs that Debian has, installed where that can be done.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::workspace::{run, say};

/// A program, the package that has it, and what is tested with it.
const PROGRAMS: [(&str, &str, &str); 5] = [
    ("redis-server", "redis-server", "sessions that several servers share"),
    ("dbus-daemon", "dbus-daemon", "the keychain and the broker of a desktop"),
    ("gnome-keyring-daemon", "gnome-keyring", "the keychain of a desktop"),
    ("chromium", "chromium", "the pages of a sign-in"),
    ("faketime", "faketime", "a person who is late"),
];

/// Installs what is missing. Where it cannot (no Debian, not root), the tests that need it say that they did not run.
pub(crate) fn prepare() -> Result<()> {
    let missing: Vec<_> = PROGRAMS.iter().filter(|(program, ..)| !is_there(program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for (program, package, what) in &missing {
        say(&format!("{program} is not here (Debian: {package}); it is for {what}"));
    }
    if !is_root() || !is_there("apt-get") {
        say("it cannot be installed from here; the tests that need it will say that they did not run");
        return Ok(());
    }
    let mut update = Command::new("apt-get");
    update.args(["update", "-qq"]);
    run(update)?;
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(missing.iter().map(|(_, package, _)| package)).env("DEBIAN_FRONTEND", "noninteractive");
    install.stdout(Stdio::null()).stdin(Stdio::null());
    run(install)
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
