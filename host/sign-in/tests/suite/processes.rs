//! Two processes at once, and a process that is killed in the middle: this test program starts itself again.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use entra_emulator::{Operation, ids};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use valet_sign_in::{AccessToken, LogIn, SignIn, SignInError, Storage};

use crate::person::{Does, Person, approve};
use crate::rig::{GRAPH, PATIENCE, Rig, VALET, adele, alex, ask, settings, system_clock, until};

/// The variable by which a test knows that it is the other process.
const INNER: &str = "VALET_TEST_INNER";

/// Starts `test` of this program in a process of its own, at the emulator of `rig`.
pub(crate) fn again(rig: &Rig, test: &str, told: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INNER, told)
        .env("VALET_TEST_AUTHORITY", rig.emulator.authority_url())
        .env("VALET_TEST_CA", rig.emulator.ca_pem())
        .env("VALET_TEST_STATE", rig.state_dir())
        .env("VALET_TEST_AHEAD", rig.ahead().to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What the other process was told, if this is one.
pub(crate) fn told() -> Option<String> {
    std::env::var(INNER).ok()
}

/// The sign-in of the other process, with a person who does this in a browser.
pub(crate) fn inner(storage: Storage, browser: Does) -> SignIn {
    inner_with(storage, browser, Does::Unreachable)
}

/// The same with a person who does that with a device code.
fn inner_with(storage: Storage, browser: Does, device_code: Does) -> SignIn {
    let variable = |name| std::env::var(name).unwrap();
    let mut settings = settings(
        &variable("VALET_TEST_AUTHORITY"),
        &variable("VALET_TEST_CA"),
        variable("VALET_TEST_STATE").as_ref(),
        storage,
    );
    let ahead: u64 = variable("VALET_TEST_AHEAD").parse().unwrap();
    settings.clock = Arc::new(move || system_clock() + ahead);
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(settings.tls.clone())
        .no_proxy()
        .build()
        .unwrap();
    SignIn::new(settings, Box::new(Person::new(http, browser, device_code))).unwrap()
}

/// Says one line to the process that started this one.
#[expect(clippy::explicit_write, reason = "`println!` goes where the test's own output is kept")]
pub(crate) fn tell(line: &str) {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "told: {line}").unwrap();
}

/// The next line that the other process tells.
pub(crate) async fn heard(child: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let next = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, told)) = line.split_once("told: ") {
                return Some(told.to_owned());
            }
        }
        None
    };
    tokio::time::timeout(PATIENCE, next).await.expect("the other process says something, or ends")
}

#[tokio::test]
async fn two_processes_at_once_lose_nothing_and_refresh_once() {
    if let Some(scope) = told() {
        let sign_in = inner(Storage::DangerouslyPlaintext, Does::Unreachable);
        let token = sign_in.token(&[&scope], None).await.unwrap();
        return tell(token.token.expose_secret());
    }
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    sign_in.token(&[VALET], None).await.unwrap();
    sign_in.token(&[GRAPH], None).await.unwrap();
    // The tokens are gone and the refresh token is there, so every process has to refresh.
    let mut cache = rig.on_disk();
    cache["AccessToken"] = serde_json::json!({});
    std::fs::write(rig.file(), cache.to_string()).unwrap();
    let before = rig.count(Operation::Refresh);
    let name = "processes::two_processes_at_once_lose_nothing_and_refresh_once";
    let mut children: Vec<Child> = [GRAPH, VALET, GRAPH, VALET]
        .into_iter()
        .map(|scope| again(&rig, name, scope).spawn().unwrap())
        .collect();
    let mut tokens = Vec::new();
    for child in &mut children {
        tokens.push(heard(child).await.expect("a token"));
        assert!(child.wait().await.unwrap().success());
    }
    assert_eq!(
        (&tokens[0], &tokens[1]),
        (&tokens[2], &tokens[3]),
        "the second of each found the first one's"
    );
    assert_eq!(rig.count(Operation::Refresh) - before, 2, "once for each API");
    assert_eq!(rig.on_disk()["AccessToken"].as_object().unwrap().len(), 2, "neither overwrote the other");
}

/// A refresh that the authority answers slowly, once. Begins it, for Adele, as another process would: nothing is shared but the folder.
async fn slow_refresh(rig: &Rig) -> tokio::task::JoinHandle<Result<AccessToken, SignInError>> {
    let first = rig.sign_in().token(&[GRAPH], None).await.unwrap();
    rig.expire(&first);
    let slow = entra_emulator::Fault::Delay(Duration::from_secs(2));
    rig.emulator.faults().set_times(entra_emulator::Endpoint::Token, slow, 1);
    let before = rig.count(Operation::Token);
    let refreshing = ask(&rig.sign_in(), GRAPH);
    until("the authority is asked", || rig.count(Operation::Token) > before).await;
    refreshing
}

/// However slow it is: what it brings is in nobody's cache afterwards.
#[tokio::test]
async fn a_log_out_during_a_refresh_waits_for_it_and_takes_its_tokens_too() {
    let rig = Rig::start().await;
    let refreshing = slow_refresh(&rig).await;
    let sign_in = rig.sign_in();
    assert_eq!(sign_in.log_out(&adele()).await.unwrap().id, adele());
    refreshing.await.unwrap().expect("whoever asked before has a token");
    let cache = rig.on_disk();
    for section in ["AccessToken", "RefreshToken", "IdToken", "Account"] {
        assert_eq!(cache[section].as_object().map_or(0, serde_json::Map::len), 0, "{section}");
    }
    assert!(sign_in.account().await.unwrap().is_none());
    assert_eq!(rig.count(Operation::Refresh), 1);
    sign_in.log_in(LogIn::default()).await.unwrap();
}

/// What each of them brings stays, and who logged in is in use.
#[tokio::test]
async fn a_log_in_during_a_refresh_loses_neither_account() {
    let rig = Rig::start().await;
    let refreshing = slow_refresh(&rig).await;
    rig.person.will(approve(ids::ALEX_UPN), Does::Unreachable);
    let sign_in = rig.sign_in();
    assert_eq!(sign_in.log_in(LogIn::default()).await.unwrap().id, alex());
    let refreshed = refreshing.await.unwrap().unwrap();
    assert_eq!(refreshed.account, adele());
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, alex());
    assert_eq!(rig.on_disk()["RefreshToken"].as_object().unwrap().len(), 2);
    // Hers is in the cache with all that the refresh brought.
    rig.nobody_home();
    sign_in.choose(&adele()).await.unwrap();
    let kept = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(kept.token.expose_secret(), refreshed.token.expose_secret());
    rig.expire(&kept);
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.count(Operation::Refresh), 2);
}

#[tokio::test]
async fn a_process_that_is_killed_while_it_waits_for_the_person_leaves_what_was_there() {
    if let Some(step) = told() {
        let browser = if step == "browser" { Does::Nothing } else { Does::Unreachable };
        let sign_in = inner_with(Storage::DangerouslyPlaintext, browser, Does::Nothing);
        // The other account, so that the cache would change.
        let _ = sign_in.log_in(LogIn::default()).await;
        return;
    }
    let rig = Rig::start().await;
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
    let before = std::fs::read(rig.file()).unwrap();
    let name = "processes::a_process_that_is_killed_while_it_waits_for_the_person_leaves_what_was_there";
    for step in ["browser", "device code"] {
        let mut child = again(&rig, name, step).spawn().unwrap();
        assert_eq!(heard(&mut child).await.as_deref(), Some("asked"), "{step}");
        child.kill().await.unwrap();
        assert_eq!(std::fs::read(rig.file()).unwrap(), before, "{step}");
    }
    rig.sign_in().log_in(LogIn::default()).await.unwrap();
}

#[tokio::test]
async fn a_process_that_is_killed_in_the_middle_leaves_a_whole_cache_and_no_lock() {
    if told().is_some() {
        let sign_in = inner(Storage::DangerouslyPlaintext, Does::Nothing);
        // The refresh hangs in the emulator, with the lock held.
        let _ = sign_in.token(&[GRAPH], None).await;
        return;
    }
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    sign_in.token(&[GRAPH], None).await.unwrap();
    let mut cache = rig.on_disk();
    cache["AccessToken"] = serde_json::json!({});
    std::fs::write(rig.file(), cache.to_string()).unwrap();
    let hang = entra_emulator::Fault::Delay(std::time::Duration::from_secs(600));
    rig.emulator.faults().set(entra_emulator::Endpoint::Token, hang);
    let requests = rig.count(Operation::Token);
    let name = "processes::a_process_that_is_killed_in_the_middle_leaves_a_whole_cache_and_no_lock";
    let mut child = again(&rig, name, "go").spawn().unwrap();
    until("the authority is asked", || rig.count(Operation::Token) > requests).await;
    child.kill().await.unwrap();
    rig.emulator.faults().clear_all();
    assert_eq!(rig.on_disk(), cache, "nothing has changed");
    rig.nobody_home();
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(sign_in.account().await.unwrap().unwrap().username.as_deref(), Some(ids::ADELE_UPN));
}
