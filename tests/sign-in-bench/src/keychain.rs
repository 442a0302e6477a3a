//! A keychain of our own: `gnome-keyring-daemon`, unlocked, on a session bus where there is nothing else.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use valet_suite::config::Folder;

/// How long the daemon may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// No service is started on demand: those of the machine are not ours to start.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=FOLDER</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow own="*"/></policy></busconfig>"#;

/// A running one. It ends when dropped, and what was in it is gone.
pub(crate) struct Keychain {
    /// What goes into `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) address: String,
    _keyring: Daemon,
    _bus: Daemon,
    _folder: Folder,
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Keychain {
    /// Starts one; none where the machine has not got what that takes (Debian: `dbus-daemon`, `dbus-bin`, `gnome-keyring`).
    pub(crate) fn start() -> Result<Option<Self>> {
        let there = |name: &str| Command::new("which").arg(name).stdout(Stdio::null()).status();
        for name in ["dbus-daemon", "dbus-send", "gnome-keyring-daemon"] {
            if !there(name).is_ok_and(|status| status.success()) {
                return Ok(None);
            }
        }
        let folder = Folder::new();
        let here = folder.path("").display().to_string();
        let configuration = folder.write("bus.conf", BUS.replace("FOLDER", here.trim_end_matches('/')));
        let mut bus = Command::new("dbus-daemon");
        bus.arg(format!("--config-file={}", configuration.display())).args(["--nofork", "--print-address"]);
        let mut bus = Daemon(bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
        let mut address = String::new();
        BufReader::new(bus.0.stdout.take().context("it is piped")?).read_line(&mut address)?;
        let address = address.trim_end().to_owned();
        ensure!(!address.is_empty(), "the bus does not say where it is");

        let mut keyring = Command::new("gnome-keyring-daemon");
        keyring.args(["--foreground", "--components=secrets", "--unlock"]);
        keyring.arg(format!("--control-directory={here}")).env("DBUS_SESSION_BUS_ADDRESS", &address);
        keyring.envs(["XDG_DATA_HOME", "XDG_RUNTIME_DIR", "HOME"].map(|name| (name, &here)));
        keyring.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        let keyring = keyring.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = Daemon(keyring.spawn()?);
        // Its end is the end of the password.
        keyring.0.stdin.take().context("it is piped")?.write_all(b"a password of this bench")?;
        wait(&address)?;
        Ok(Some(Self { address, _keyring: keyring, _bus: bus, _folder: folder }))
    }
}

/// Waits for the daemon to be on the bus.
fn wait(address: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let output = Command::new("dbus-send")
            .arg(format!("--bus={address}"))
            .args(["--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner"])
            .arg("string:org.freedesktop.secrets")
            .output()?;
        if String::from_utf8_lossy(&output.stdout).contains("boolean true") {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "there is no keychain on the bus: {output:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
