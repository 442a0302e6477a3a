//! The programs of a run: where they live, how they are pinned, started and stopped.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::artifacts::Built;
use crate::workspace::{Workspace, without_settings};

/// The emulator's sample (`entra-emulator --print-sample-config`).
pub(super) const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";
const VALET_CLIENT: &str = "7e57c000-0000-4000-8000-000000000001";
const CLIENT_SECRET: &str = "valet-sample-secret";

/// How long a program may take to listen.
const START: Duration = Duration::from_secs(30);

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `valet serve`.
    Valet,
    /// The native server.
    Yardstick,
}

/// A running program; it is stopped when this is dropped.
pub(super) struct Program {
    child: Child,
    name: &'static str,
    log: PathBuf,
}

/// A running server.
pub(super) struct Server {
    pub(super) side: Side,
    pub(super) address: SocketAddr,
    program: Program,
}

/// Where programs and their files are.
pub(super) struct Stage {
    folder: PathBuf,
    valet: PathBuf,
    emulator: PathBuf,
    yardstick: PathBuf,
    load: PathBuf,
    sign_in: PathBuf,
    artifacts: PathBuf,
    emulator_port: u16,
    /// Whether servers run on core 0 and everything else on core 1.
    pub(super) pinned: bool,
}

impl Stage {
    /// Chooses ports, and copies the artifacts so that a build meanwhile changes nothing.
    pub(super) fn set(workspace: &Workspace, built: &Built) -> Result<Self> {
        let folder = workspace.artifacts().join("bench");
        let artifacts = folder.join("native");
        std::fs::create_dir_all(&artifacts)?;
        for part in ["identity", "request", "custodian"] {
            for form in ["wasm", "cwasm"] {
                let name = Path::new(part).with_extension(form);
                std::fs::copy(built.native.join(&name), artifacts.join(&name))
                    .with_context(|| format!("copying {}", name.display()))?;
            }
        }
        let release = workspace.target.join("release");
        Ok(Self {
            folder,
            valet: built.valet.clone(),
            emulator: built.emulator.clone(),
            yardstick: release.join("valet-yardstick"),
            load: release.join("valet-load"),
            sign_in: release.join("valet-sign-in-bench"),
            artifacts,
            emulator_port: free_port()?,
            pinned: can_pin(),
        })
    }

    /// The authority, and Graph.
    pub(super) fn authority(&self) -> String {
        format!("https://localhost:{}", self.emulator_port)
    }

    /// The certificate authority of both.
    pub(super) fn ca_file(&self) -> PathBuf {
        self.folder.join("emulator/emulator-ca.pem")
    }

    /// A file of the run.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What is shipped, by name.
    pub(super) fn shipped(&self) -> [(&'static str, PathBuf); 5] {
        [
            ("`valet`", self.valet.clone()),
            ("`identity.cwasm`", self.artifacts.join("identity.cwasm")),
            ("`request.cwasm`", self.artifacts.join("request.cwasm")),
            ("`custodian.cwasm`", self.artifacts.join("custodian.cwasm")),
            ("yardstick", self.yardstick.clone()),
        ]
    }

    /// Starts the emulator and waits until it listens.
    pub(super) fn emulator(&self) -> Result<Program> {
        let mut command = self.on_core(1, &self.emulator);
        let address = loopback(self.emulator_port);
        command
            .args(["--auto-approve", "--bind", &address.to_string(), "--state"])
            .arg(self.folder.join("emulator"));
        let mut emulator = self.start("emulator", command)?;
        emulator.wait(address)?;
        Ok(emulator)
    }

    /// Starts a server and waits until it listens.
    pub(super) fn server(&self, side: Side) -> Result<Server> {
        let mut server = self.start_server(side)?;
        server.program.wait(server.address)?;
        Ok(server)
    }

    /// Starts a server.
    pub(super) fn start_server(&self, side: Side) -> Result<Server> {
        let address = loopback(free_port()?);
        let program = match side {
            Side::Valet => self.start("valet", self.valet("serve", address)?)?,
            Side::Yardstick => self.start("yardstick", self.yardstick(address))?,
        };
        Ok(Server { side, address, program })
    }

    /// A server on standard input and output, for the party that `token` stands for. Its log goes to a file.
    pub(super) fn stdio(&self, side: Side, token: &str) -> Result<Command> {
        let address = loopback(free_port()?);
        let mut command = match side {
            Side::Valet => self.valet("stdio", address)?,
            Side::Yardstick => {
                let mut command = self.yardstick(address);
                command.arg("--stdio");
                command
            }
        };
        let log = File::create(self.folder.join("stdio.log"))?;
        command.env("VALET_ACCESS_TOKEN", token).env("VALET_CLIENT_SECRET", CLIENT_SECRET);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        Ok(command)
    }

    fn valet(&self, subcommand: &str, address: SocketAddr) -> Result<Command> {
        let config = self.folder.join("valet.toml");
        std::fs::write(&config, self.valet_toml(address))?;
        let mut command = self.on_core(0, &self.valet);
        command.arg(subcommand).arg("--config").arg(config);
        Ok(command)
    }

    fn yardstick(&self, address: SocketAddr) -> Command {
        let mut command = self.on_core(0, &self.yardstick);
        command.args(["--listen", &address.to_string(), "--public-url", &public_url(address)]);
        command.args(["--authority", &self.authority(), "--graph-url", &self.authority()]);
        command.args(["--tenant", TENANT, "--client-id", VALET_CLIENT, "--scope", "mcp.access"]);
        command.arg("--ca-file").arg(self.ca_file());
        command
    }

    /// The load generator, on the core that the servers are not on.
    pub(super) fn load(&self) -> Command {
        self.on_core(1, &self.load)
    }

    /// What measures sign-in, on the core that its servers are not on. It starts them itself, with the artifacts in `native`.
    pub(super) fn sign_in_bench(&self, native: &Path) -> Result<Command> {
        let mut command = self.on_core(1, &self.sign_in);
        command.env("VALET_BIN", self.valet_on_its_core()?).env("VALET_ARTIFACTS", native);
        Ok(command)
    }

    /// A program that becomes `valet` on the servers' core.
    fn valet_on_its_core(&self) -> Result<PathBuf> {
        if !self.pinned {
            return Ok(self.valet.clone());
        }
        let script = self.folder.join("valet-on-its-core");
        std::fs::write(
            &script,
            format!("#!/bin/sh\nexec taskset --cpu-list 0 '{}' \"$@\"\n", self.valet.display()),
        )?;
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, executable)?;
        Ok(script)
    }

    fn start(&self, name: &'static str, mut command: Command) -> Result<Program> {
        let log = self.folder.join(name).with_extension("log");
        let _ = std::fs::remove_file(&log);
        // Appending, so that the log can be cut between two samples.
        let file = File::options().create(true).append(true).open(&log)?;
        let child = command
            .env("VALET_CLIENT_SECRET", CLIENT_SECRET)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Program { child, name, log })
    }

    fn on_core(&self, core: u8, program: &Path) -> Command {
        if !self.pinned {
            return without_settings(Command::new(program));
        }
        // taskset becomes the program, so the process is the same.
        let mut command = without_settings(Command::new("taskset"));
        command.args(["--cpu-list", &core.to_string()]).arg(program);
        command
    }

    fn valet_toml(&self, address: SocketAddr) -> String {
        let (authority, public_url) = (self.authority(), public_url(address));
        let text = |path: &Path| toml::Value::from(path.display().to_string());
        let (artifacts, ca_file) = (text(&self.artifacts), text(&self.ca_file()));
        format!(
            r#"# Written by `cargo xtask bench`.
artifacts = {artifacts}
[server]
listen = "{address}"
public_url = "{public_url}"
[entra]
authority = "{authority}"
v1_authority = "{authority}/sts"
emulator = true
tenant = "{TENANT}"
client_id = "{VALET_CLIENT}"
[graph]
url = "{authority}"
[tools.whoami]
scopes = ["mcp.access"]
[tools.GetUserDetailsFromGraph]
scopes = ["mcp.access"]
[egress]
ca_file = {ca_file}
allow_private_addresses = true
[limits]
concurrent_requests = 512
calls_per_minute = 100000000
"#
        )
    }
}

impl Server {
    pub(super) fn pid(&self) -> u32 {
        self.program.child.id()
    }

    /// Empties the log: a run at full speed writes megabytes a second.
    pub(super) fn cut_log(&self) -> Result<()> {
        Ok(File::options().write(true).open(&self.program.log)?.set_len(0)?)
    }

    /// The end of the log, for a failure's message.
    pub(super) fn last_lines(&self) -> String {
        self.program.last_lines()
    }
}

impl Program {
    fn wait(&mut self, address: SocketAddr) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, self.last_lines());
            }
            if started.elapsed() > START {
                bail!("{} does not listen on {address}: {}", self.name, self.last_lines());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn last_lines(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn public_url(address: SocketAddr) -> String {
    format!("http://localhost:{}/mcp", address.port())
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// A port that is free now.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn can_pin() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    // `true` on core 1: whether there is a taskset, and whether we may use that core.
    cores >= 2
        && Command::new("taskset")
            .args(["--cpu-list", "1", "true"])
            .status()
            .is_ok_and(|status| status.success())
}
