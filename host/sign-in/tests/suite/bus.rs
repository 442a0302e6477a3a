//! A private session bus, for services that are nobody else's.

use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A `dbus-daemon` of ours. Ends when dropped.
pub(crate) struct Bus {
    /// What goes into `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) address: String,
    pub(crate) folder: TempDir,
    _daemon: Child,
}

/// For a service of the desktop to be there, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// No service is started on demand: those of the machine are not ours to start.
const CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=FOLDER</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"#;

impl Bus {
    /// Starts one; none where the machine has no `dbus-daemon`.
    pub(crate) async fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let configuration = folder.path().join("bus.conf");
        std::fs::write(&configuration, CONFIGURATION.replace("FOLDER", folder.path().to_str().unwrap()))
            .unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", configuration.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(daemon.stdout.take().unwrap()).lines();
        let address = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let address = address.expect("it says so in time").unwrap().expect("the bus says where it is");
        Some(Self { address, folder, _daemon: daemon })
    }

    /// Starts `gnome-keyring-daemon` on this bus, unlocked; none where the machine has none.
    pub(crate) async fn keyring(&self) -> Option<Keyring> {
        use tokio::io::AsyncWriteExt as _;
        let mut daemon = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets", "--unlock"])
            .arg(format!("--control-directory={}", self.folder.path().join("control").display()))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("XDG_DATA_HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        daemon.stdin.take().unwrap().write_all(b"a password of this test").await.unwrap();
        let connection = self.connect().await;
        let proxy = zbus::fdo::DBusProxy::new(&connection).await.unwrap();
        let name = zbus::names::BusName::try_from("org.freedesktop.secrets").unwrap();
        let there = async {
            while !proxy.name_has_owner(name.clone()).await.unwrap() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("gnome-keyring-daemon takes its name on the bus");
        Some(Keyring { connection, _daemon: daemon })
    }

    pub(crate) async fn connect(&self) -> zbus::Connection {
        zbus::connection::Builder::address(self.address.as_str()).unwrap().build().await.unwrap()
    }
}

/// A keychain of ours. Ends when dropped.
pub(crate) struct Keyring {
    connection: zbus::Connection,
    _daemon: Child,
}

impl Keyring {
    /// Locks it. Nobody is there to unlock it.
    pub(crate) async fn lock(&self) {
        let collection =
            zbus::zvariant::ObjectPath::try_from("/org/freedesktop/secrets/collection/login").unwrap();
        self.connection
            .call_method(
                Some("org.freedesktop.secrets"),
                "/org/freedesktop/secrets",
                Some("org.freedesktop.Secret.Service"),
                "Lock",
                &vec![collection],
            )
            .await
            .unwrap();
    }
}
