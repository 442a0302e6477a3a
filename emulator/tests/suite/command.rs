//! The command: what it prints, how it tells that it is ready, how it ends, and its exit codes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use entra_emulator::SAMPLE_TOML;
use serde_json::Value;

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("entra-emulator-command-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entra-emulator"));
    command.current_dir(&folder.0).args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = Folder::new();
    let Output { status, stdout, stderr } = command(&folder, arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn what_only_prints() {
    let (code, help, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for word in
        ["Examples:", "Exit codes:", "Network:", "Registrations:", "--ready-file", "It is not Microsoft"]
    {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(run(&["--print-sample-config"]), (Some(0), SAMPLE_TOML.to_owned(), String::new()));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, _) = run(&["--completions", shell]);
        assert!(code == Some(0) && script.contains("check-config"), "{shell}: {script}");
    }
    let (code, version, _) = run(&["--version"]);
    assert_eq!((code, version.trim()), (Some(0), concat!("entra-emulator ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        ["--colour", "red"].as_slice(),
        &["--bind", "localhost"],
        &["--config", "a.toml", "--mcp-url", "https://localhost/mcp"],
        &["--check-config", "a.toml", "--log"],
        &["--completions", "tcl"],
        &["extra"],
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains("--help"), "{stderr}");
    }
}

#[test]
fn checking_a_file() {
    let folder = Folder::new();
    let check = |text: &str| {
        let file = folder.file("registrations.toml", text);
        let (code, stdout, stderr) = run(&["--check-config", &file]);
        assert!(stdout.contains(&file) || stderr.contains(&file), "{stdout}{stderr}");
        (code, stdout, stderr)
    };
    let plan = "\n[[faults]]\nendpoint = \"graph\"\nstatus = 503\n";
    let (code, summary, stderr) = check(&format!("{SAMPLE_TOML}{plan}"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for word in ["Contoso", "2 users", "Valet demo client", "1 planned faults"] {
        assert!(summary.contains(word), "{word}: {summary}");
    }
    assert!(!summary.contains("secret"), "{summary}");
    let (code, stdout, stderr) = check(&format!("{SAMPLE_TOML}{}", plan.replace("503", "5")));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("status: must be"), "{stderr}");
    assert_eq!(check("tenants = [").0, Some(1));
    assert_eq!(run(&["--check-config", "/nowhere/registrations.toml"]).0, Some(1));
}

#[test]
fn failing_to_start_is_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, named) in [
        (["--bind", address.as_str()].as_slice(), address.as_str()),
        (&["--bind", "0.0.0.0:0"], "--allow-remote"),
        (&["--bind", "127.0.0.1:0", "--v1-issuer", "https://sts.example/"], "{tenantid}"),
        (&["--config", "/nowhere/registrations.toml"], "/nowhere/registrations.toml"),
        (&["--bind", "127.0.0.1:0", "--ready-file", "/nowhere/ready.json"], "/nowhere/ready.json"),
    ] {
        let (code, _, stderr) = run(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("entra-emulator: ") && stderr.contains(named), "{arguments:?}: {stderr}");
    }
}

/// Runs, and is killed if the test fails.
struct Running(Option<Child>);

impl Running {
    #[cfg(unix)]
    fn end(mut self, signal: &str) -> Output {
        let child = self.0.take().unwrap();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        child.wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn wait_for(file: &Path) -> Value {
    let start = Instant::now();
    while !file.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{} never came", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn a_whole_run() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for signal in ["-TERM", "-INT"] {
        let folder = Folder::new();
        let ready = folder.0.join("ready.json");
        folder.file("ready.json", "{\"pid\":0,\"left\":\"over\"}");
        let arguments = ["--bind", "127.0.0.1:0", "--log", "--ready-file", "ready.json", "--state", "kept"];
        let mut command = command(&folder, &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (pid, running) = (child.id(), Running(Some(child)));
        // The one left over goes before the start, so the first that is read may still be it.
        let start = Instant::now();
        let told = loop {
            match ready.exists().then(|| wait_for(&ready)) {
                Some(told) if told["pid"] == pid => break told,
                _ => assert!(start.elapsed() < Duration::from_secs(60), "never ready"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let ca_file = told["ca_file"].as_str().unwrap();
        assert!(Path::new(ca_file).is_absolute() && told["graph"].is_string() && told["version"].is_string());
        let ca = reqwest::Certificate::from_pem(&std::fs::read(ca_file).unwrap()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
        let clock = format!("{}/clock?secret=1", told["admin"].as_str().unwrap());
        assert_eq!(http.get(clock).send().await.unwrap().status(), 200);
        let token = format!("{}/common/oauth2/v2.0/token", told["authority"].as_str().unwrap());
        assert_eq!(http.post(token).header("authorization", "secret").send().await.unwrap().status(), 400);

        let Output { status, stdout, stderr } = running.end(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(!ready.exists(), "{signal}");
        let (banner, log) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        for word in [
            "EMULATOR",
            "not Microsoft",
            "/emulator/",
            ca_file,
            "REQUESTS_CA_BUNDLE",
            "SSL_CERT_FILE",
            "NODE_EXTRA_CA_CERTS",
        ] {
            assert!(banner.contains(word), "{word}: {banner}");
        }
        let lines: Vec<_> = log.lines().collect();
        assert_eq!(lines.len(), 2, "{log}");
        let host = told["authority"].as_str().unwrap().strip_prefix("https://").unwrap();
        assert!(lines[0].contains(&format!("Z GET {host}/emulator/clock 200 ")), "{log}");
        assert!(
            lines[1].contains(&format!("Z POST {host}/common/oauth2/v2.0/token 400 (AADSTS900144) ")),
            "{log}"
        );
        assert!(lines.iter().all(|l| l.ends_with(" ms")) && !log.contains("secret"), "{log}");
    }
}
