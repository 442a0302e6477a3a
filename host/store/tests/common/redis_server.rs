//! A Redis server of the test's own, with a password, on a free port.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;
use valet_store::{RedisSettings, Store};

use super::{not_run, ports};

pub(crate) const PASSWORD: &str = "pass/word of the test";
const ENCODED_PASSWORD: &str = "pass%2Fword%20of%20the%20test";

pub(crate) struct RedisServer {
    process: Option<Child>,
    folder: TempDir,
    pub(crate) port: u16,
    /// The authority that its certificate is from.
    authority: Option<String>,
}

impl RedisServer {
    /// None where there is no Redis, which is said aloud.
    pub(crate) fn start() -> Option<Self> {
        Self::prepare(false)
    }

    pub(crate) fn start_with_tls() -> Option<Self> {
        Self::prepare(true)
    }

    fn prepare(tls: bool) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            not_run("there is no redis-server here (Debian: apt-get install redis-server)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let authority = tls.then(|| certify(folder.path()));
        let mut server = Self { process: None, folder, port: ports::free(), authority };
        server.run();
        Some(server)
    }

    /// Starts the server, which may have been killed, with the data that it has on disk.
    pub(crate) fn run(&mut self) {
        let mut command = Command::new("redis-server");
        let port = self.port.to_string();
        let ports: &[&str] = match self.authority {
            Some(_) => &[
                "--port",
                "0",
                "--tls-port",
                &port,
                "--tls-cert-file",
                "leaf.pem",
                "--tls-key-file",
                "key.pem",
                "--tls-auth-clients",
                "no",
            ],
            None => &["--port", &port],
        };
        command.current_dir(self.folder.path()).args(ports);
        command.args([
            "--bind",
            "127.0.0.1",
            "--requirepass",
            PASSWORD,
            "--appendonly",
            "yes",
            "--appendfsync",
            "always",
            "--save",
            "",
        ]);
        self.process = Some(command.stdout(Stdio::null()).spawn().unwrap());
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            sleep(Duration::from_millis(5));
        }
    }

    /// kill −9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub(crate) fn settings(&self) -> RedisSettings {
        let scheme = if self.authority.is_some() { "rediss" } else { "redis" };
        RedisSettings {
            url: format!("{scheme}://:{ENCODED_PASSWORD}@localhost:{}/0", self.port).into(),
            certificate_authorities: self.authority.clone().map(String::into_bytes),
        }
    }

    pub(crate) async fn store(&self) -> Store {
        Store::redis(&self.settings()).await.unwrap()
    }

    /// What `redis-cli` answers.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        self.cli_as(PASSWORD, arguments)
    }

    /// The same with another password.
    pub(crate) fn cli_as(&self, password: &str, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port, "-a", password, "--no-auth-warning"])
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Writes certificate and key of `localhost` into the folder, and gives the authority.
fn certify(folder: &Path) -> String {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new([]).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf =
        rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("leaf.pem"), leaf.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    certificate.pem()
}
