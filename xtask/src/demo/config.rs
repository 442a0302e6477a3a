//! The demo's ports, certificate and configuration file.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rcgen::{CertificateParams, KeyPair};

/// The emulator's sample (`entra-emulator --print-sample-config`).
pub(super) const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";
/// The API that Valet is registered as.
pub(super) const VALET_CLIENT: &str = "7e57c000-0000-4000-8000-000000000001";
/// Its secret, worth nothing outside the emulator.
pub(super) const CLIENT_SECRET: &str = "valet-sample-secret";
/// The public client that signs users in.
pub(super) const DEMO_CLIENT: &str = "7e57c000-0000-4000-8000-000000000002";

/// Where the two programs listen.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) emulator: u16,
    pub(super) valet: u16,
}

/// Two ports that are free now.
pub(super) fn free_ports() -> Result<Ports> {
    let (one, other) = (TcpListener::bind(("127.0.0.1", 0))?, TcpListener::bind(("127.0.0.1", 0))?);
    Ok(Ports { emulator: one.local_addr()?.port(), valet: other.local_addr()?.port() })
}

/// What the demo wrote.
pub(super) struct Files {
    /// Valet's certificate, which is its own authority. PEM.
    pub(super) certificate: Vec<u8>,
    /// Both certificates that a client has to trust.
    pub(super) bundle: PathBuf,
    /// Valet's log.
    pub(super) log: PathBuf,
    emulator_ca: PathBuf,
}

impl Files {
    /// The emulator's authority, once it has written it.
    pub(super) fn emulator_ca(&self, patience: Duration) -> Result<Vec<u8>> {
        let started = Instant::now();
        while !self.emulator_ca.is_file() {
            ensure!(
                started.elapsed() < patience,
                "the emulator did not write {}",
                self.emulator_ca.display()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let ca = std::fs::read(&self.emulator_ca)?;
        std::fs::write(&self.bundle, [self.certificate.as_slice(), &ca].concat())?;
        Ok(ca)
    }
}

/// Writes certificate, key and `valet.toml` into `folder`.
pub(super) fn write(folder: &Path, artifacts: &Path, ports: Ports) -> Result<Files> {
    let key = KeyPair::generate()?;
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)?.self_signed(&key)?.pem();
    std::fs::write(folder.join("certificate.pem"), &certificate)?;
    std::fs::write(folder.join("key.pem"), key.serialize_pem())?;
    std::fs::write(folder.join("valet.toml"), valet_toml(artifacts, ports)).context("valet.toml")?;
    // A second start keeps the emulator's authority, so clients need to trust it once only.
    Ok(Files {
        certificate: certificate.into_bytes(),
        bundle: folder.join("trust.pem"),
        log: folder.join("valet.log"),
        emulator_ca: folder.join("emulator/emulator-ca.pem"),
    })
}

fn valet_toml(artifacts: &Path, Ports { emulator, valet }: Ports) -> String {
    let artifacts = toml::Value::from(artifacts.display().to_string());
    format!(
        r#"# Written by `cargo xtask demo`. docs/configuration.md explains the keys.
artifacts = {artifacts}

[server]
listen = "127.0.0.1:{valet}"
public_url = "https://localhost:{valet}/mcp"
tls_certificate = "certificate.pem"
tls_key = "key.pem"

[entra]
authority = "https://localhost:{emulator}"
v1_authority = "https://localhost:{emulator}/sts"
emulator = true
tenant = "{TENANT}"
client_id = "{VALET_CLIENT}"

[graph]
url = "https://localhost:{emulator}"

[tools.GetUserDetailsFromGraph]
scopes = ["mcp.access"]

[tools.whoami]
scopes = ["mcp.access"]

[resources.profile]
scopes = ["mcp.access"]

[prompts.introduce-me]
scopes = ["mcp.access"]

[egress]
ca_file = "emulator/emulator-ca.pem"
allow_private_addresses = true
"#
    )
}
