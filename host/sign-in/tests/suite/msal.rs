//! The cache is MSAL's: what MSAL for Python and for Node keep is read here, and the reverse. Each runs as published, in a script beside
//! this file.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use entra_emulator::{Emulator, Operation, Options, ids};
use secrecy::ExposeSecret as _;
use tokio::process::Command;
use tokio::sync::OnceCell;
use valet_sign_in::LogIn;

use crate::rig::{GRAPH, LONG, Rig, adele, not_run};

const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";

/// Where packages are installed, so that they are fetched once.
fn packages(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// An interpreter with MSAL for Python; none where it cannot be had.
async fn python() -> Option<PathBuf> {
    static PYTHON: OnceCell<Option<PathBuf>> = OnceCell::const_new();
    PYTHON.get_or_init(install_python).await.clone()
}

async fn install_python() -> Option<PathBuf> {
    let folder = packages("msal-python");
    let python = folder.join("bin/python");
    if !folder.join("ready").exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder)).await?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "msal==1.39.0"])).await?;
        std::fs::write(folder.join("ready"), "").ok()?;
    }
    Some(python)
}

/// The same with Microsoft's native runtime, which speaks to brokers; none where it cannot be had or loaded.
pub(crate) async fn runtime() -> Option<PathBuf> {
    let python = python().await?;
    if !packages("msal-python").join("runtime").exists() {
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "pymsalruntime==0.20.7"])).await?;
        std::fs::write(packages("msal-python").join("runtime"), "").ok()?;
    }
    // It is an ELF file with dependencies of its own; without them it does not load.
    let library = "import importlib.util as u, pathlib, ctypes; p = pathlib.Path(u.find_spec('pymsalruntime').origin).parent; \
                   [ctypes.CDLL(str(f)) for f in p.glob('libmsalruntime*.so')]";
    run(Command::new(&python).args(["-c", library])).await?;
    Some(python)
}

async fn run(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().await.ok()?;
    if !output.status.success() {
        not_run(&format!("{:?}", command.as_std().get_program()), &String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A folder with MSAL for Node; none where it cannot be had.
async fn node() -> Option<PathBuf> {
    let folder = packages("msal-node");
    if !folder.join("ready").exists() {
        std::fs::create_dir_all(&folder).ok()?;
        run(Command::new("npm")
            .args(["install", "--silent", "--prefix"])
            .arg(&folder)
            .arg("@azure/msal-node@7.2.1"))
        .await?;
        std::fs::write(folder.join("ready"), "").ok()?;
    }
    Some(folder)
}

/// Runs MSAL for Python: `doing` is what it does with the cache.
async fn msal(python: &Path, emulator: &Emulator, cache: &Path, doing: &str) -> String {
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/msal_python.py"));
    script(command, emulator, cache, doing).await
}

/// Runs MSAL for Node, likewise.
async fn msal_node(packages: &Path, emulator: &Emulator, cache: &Path, doing: &str) -> String {
    let mut command = Command::new("node");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/msal_node.mjs")).arg(packages);
    script(command, emulator, cache, doing).await
}

/// Runs one of the scripts; its answer is the one line that it prints.
async fn script(mut command: Command, emulator: &Emulator, cache: &Path, doing: &str) -> String {
    let ca = cache.with_extension("pem");
    std::fs::write(&ca, emulator.ca_pem()).unwrap();
    command
        .arg(doing)
        .arg(cache)
        .args([&emulator.authority_url(), TENANT, &ids::DEMO_CLIENT.to_string(), ids::ADELE_UPN, GRAPH])
        .env("REQUESTS_CA_BUNDLE", &ca)
        .env("NODE_EXTRA_CA_CERTS", &ca)
        .env("NO_PROXY", "localhost");
    run(&mut command).await.expect("the script succeeds").trim().to_owned()
}

/// MSAL for Node names a host with its port and everybody else without, so the two meet on the port that needs no name.
async fn on_the_standard_port() -> Option<Rig> {
    let options = Options { bind: ([127, 0, 0, 1], 443).into(), ..Options::default() };
    Emulator::start(options).await.ok().map(Rig::with)
}

#[tokio::test]
async fn msal_for_node_and_we_read_each_others_cache() {
    let Some(node) = node().await else {
        return not_run("MSAL for Node", "node and npm are needed, and their registry");
    };
    let Some(rig) = on_the_standard_port().await else {
        return not_run("MSAL for Node", "port 443 of 127.0.0.1 cannot be had");
    };
    let token = rig.sign_in().token(&[GRAPH], None).await.unwrap();
    let requests = rig.count(Operation::Token);
    assert_eq!(msal_node(&node, &rig.emulator, &rig.file(), "silent").await, token.token.expose_secret());
    assert_eq!(rig.count(Operation::Token), requests, "from the cache");
    let renewed = msal_node(&node, &rig.emulator, &rig.file(), "refresh").await;
    assert_ne!(renewed, token.token.expose_secret());
    rig.nobody_home();
    assert_eq!(
        rig.sign_in().token(&[GRAPH], None).await.unwrap().token.expose_secret(),
        renewed,
        "the younger one"
    );

    std::fs::remove_file(rig.file()).unwrap();
    let theirs = msal_node(&node, &rig.emulator, &rig.file(), "sign-in").await;
    let sign_in = rig.sign_in();
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, adele());
    assert_eq!(sign_in.token(&[GRAPH], None).await.unwrap().token.expose_secret(), theirs);
    rig.advance(LONG);
    sign_in.token(&[GRAPH], None).await.unwrap();
    sign_in.log_out(&adele()).await.unwrap();
    assert_eq!(msal_node(&node, &rig.emulator, &rig.file(), "accounts").await, "[]");
}

#[tokio::test]
async fn msal_for_python_reads_what_we_keep() {
    let Some(python) = python().await else {
        return not_run(
            "MSAL for Python",
            "python3 with venv and pip is needed (apt-get install python3-venv)",
        );
    };
    let rig = Rig::start().await;
    let token = rig.sign_in().token(&[GRAPH], None).await.unwrap();
    let requests = rig.count(Operation::Token);
    assert_eq!(msal(&python, &rig.emulator, &rig.file(), "silent").await, token.token.expose_secret());
    assert_eq!(rig.count(Operation::Token), requests, "from the cache");
    // Its own refresh with our refresh token, and ours with the one that it kept.
    let renewed = msal(&python, &rig.emulator, &rig.file(), "refresh").await;
    assert_ne!(renewed, token.token.expose_secret());
    rig.nobody_home();
    let sign_in = rig.sign_in();
    assert_eq!(
        sign_in.token(&[GRAPH], None).await.unwrap().token.expose_secret(),
        renewed,
        "the younger one"
    );
    rig.advance(LONG);
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn we_read_what_msal_for_python_keeps() {
    let Some(python) = python().await else {
        return not_run(
            "MSAL for Python",
            "python3 with venv and pip is needed (apt-get install python3-venv)",
        );
    };
    let rig = Rig::start().await;
    std::fs::create_dir_all(rig.state_dir()).unwrap();
    let token = msal(&python, &rig.emulator, &rig.file(), "sign-in").await;
    rig.nobody_home();
    let sign_in = rig.sign_in();
    let account = sign_in.account().await.unwrap().unwrap();
    assert_eq!((account.id, account.username.as_deref()), (adele(), Some(ids::ADELE_UPN)));
    assert_eq!(sign_in.token(&[GRAPH], None).await.unwrap().token.expose_secret(), token);
    rig.advance(LONG);
    sign_in.token(&[GRAPH], None).await.unwrap();
    // Signed out here is signed out there.
    sign_in.log_out(&adele()).await.unwrap();
    assert_eq!(msal(&python, &rig.emulator, &rig.file(), "accounts").await, "[]");
    rig.person.will(crate::person::approve(ids::ADELE_UPN), crate::person::Does::Unreachable);
    sign_in.log_in(LogIn::default()).await.unwrap();
    assert!(msal(&python, &rig.emulator, &rig.file(), "accounts").await.contains(ids::ADELE_UPN));
}
