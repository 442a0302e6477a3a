//! What tests need of the machine beside Rust, Python and Node: packages of Debian's, installed where that can be done.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::workspace::{run, say};

/// A package, and what is tested with it.
const PACKAGES: [(&str, &str); 10] = [
    ("redis-server", "sessions that several servers share"),
    ("dbus", "the keychain and the broker of a desktop"),
    ("gnome-keyring", "the keychain of a desktop"),
    ("libsecret-1-0", "Microsoft's broker runtime"),
    ("chromium", "the pages that a person sees"),
    ("uuid-runtime", "the script that registers the application"),
    ("faketime", "sign-ins that take too long"),
    ("tmux", "what a person sees at a terminal"),
    ("libwebkit2gtk-4.1-0", "Microsoft's broker runtime"),
    ("gcc-mingw-w64-x86-64", "the parts for Windows, which are compiled and not run"),
];

/// Installs what is missing. Where it cannot (no Debian, not root), the tests that need it say that they did not run, and fail under `CI`.
pub(crate) fn prepare() -> Result<()> {
    let missing: Vec<_> = PACKAGES.iter().filter(|(package, _)| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for (package, what) in &missing {
        say(&format!("Debian's {package} is not here; it is for {what}"));
    }
    if !is_root() {
        say("it cannot be installed from here; the tests that need it will say that they did not run");
        return Ok(());
    }
    let mut update = Command::new("apt-get");
    update.args(["update", "-qq"]);
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(missing.iter().map(|(package, _)| package)).env("DEBIAN_FRONTEND", "noninteractive");
    install.stdout(Stdio::null()).stdin(Stdio::null());
    for command in [update, install] {
        if let Err(error) = run(command) {
            say(&format!("{error:#}; the tests that need these packages will say that they did not run"));
            break;
        }
    }
    Ok(())
}

fn is_installed(package: &str) -> bool {
    let status = Command::new("dpkg-query").args(["-W", "-f=${db:Status-Abbrev}", package]).output();
    status.is_ok_and(|status| status.stdout.starts_with(b"ii"))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
