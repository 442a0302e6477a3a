//! The Linux broker: a fake of ours on a private bus, whose wire format is that which Microsoft's own runtime accepted from a fake.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use entra_emulator::{Emulator, GRAPH_APP_ID, ids};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use valet_sign_in::limits::BROKER_SILENT;
use valet_sign_in::{AccountId, LogIn, SignIn, SignInError, Skip, Step};

use crate::bus::Bus;
use crate::person::{Does, approve};
use crate::rig::{GRAPH, Rig, adele, alex, ask, not_run, pass, until, wrong};

/// How the fake behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// Knows Adele, and gives her token silently.
    Silent,
    /// Knows Adele, and wants its window.
    Window,
    /// Knows nobody; its window signs in Adele.
    Empty,
    /// Its window is dismissed.
    Cancelled,
    /// Refuses whatever is asked.
    Refuses,
    /// Answers something that is no JSON.
    Garbage,
    /// Its token is Alex's, whoever is asked for.
    WrongAccount,
    /// Goes away while it is asked.
    Vanishes,
    /// Never answers.
    Deaf,
}

struct Fake {
    mood: Mood,
    token: String,
    id_token: String,
    alex_id_token: String,
    calls: Arc<Mutex<Vec<(&'static str, Value)>>>,
}

#[zbus::interface(name = "com.microsoft.identity.Broker1", introspection_docs = false)]
impl Fake {
    #[zbus(name = "getAccounts")]
    async fn get_accounts(&self, protocol: &str, _correlation: &str, request: &str) -> String {
        assert_eq!(protocol, "0.0");
        self.note("getAccounts", request);
        match self.mood {
            Mood::Garbage => "not json".to_owned(),
            Mood::Deaf => std::future::pending().await,
            Mood::Empty => json!({ "accounts": [] }).to_string(),
            _ => json!({ "accounts": [account(&adele(), ids::ADELE_UPN)] }).to_string(),
        }
    }

    #[zbus(name = "acquireTokenSilently")]
    async fn silently(&self, _protocol: &str, _correlation: &str, request: &str) -> String {
        self.note("acquireTokenSilently", request);
        match self.mood {
            Mood::Silent => self.token(&adele(), ids::ADELE_UPN, &self.id_token),
            Mood::WrongAccount => self.token(&alex(), ids::ALEX_UPN, &self.alex_id_token),
            _ => error("InteractionRequired"),
        }
    }

    #[zbus(name = "acquireTokenInteractively")]
    async fn interactively(&self, _protocol: &str, _correlation: &str, request: &str) -> String {
        self.note("acquireTokenInteractively", request);
        match self.mood {
            Mood::Cancelled => error("UserCanceled"),
            Mood::Refuses => error("ApiContractViolation"),
            Mood::Vanishes => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                String::new()
            }
            _ => self.token(&adele(), ids::ADELE_UPN, &self.id_token),
        }
    }

    /// Only Microsoft's runtime asks this.
    #[zbus(name = "getLinuxBrokerVersion")]
    async fn version(&self, _protocol: &str, _correlation: &str, request: &str) -> String {
        self.note("getLinuxBrokerVersion", request);
        json!({ "linuxBrokerVersion": "2.0.1" }).to_string()
    }

    #[zbus(name = "cancelInteractiveFlow")]
    async fn cancel(&self, _protocol: &str, _correlation: &str, request: &str) -> String {
        self.note("cancelInteractiveFlow", request);
        "{}".to_owned()
    }
}

impl Fake {
    fn note(&self, call: &'static str, request: &str) {
        self.calls.lock().unwrap().push((call, serde_json::from_str(request).unwrap()));
    }

    fn token(&self, id: &AccountId, username: &str, id_token: &str) -> String {
        let end = (crate::rig::system_clock() + 3600) * 1000;
        json!({ "brokerTokenResponse": {
            "accessToken": self.token, "accessTokenType": 0, "idToken": id_token, "clientInfo": client_info(id),
            "account": account(id, username), "expiresOn": end, "extendedExpiresOn": end, "grantedScopes": GRAPH,
        } })
        .to_string()
    }
}

fn account(id: &AccountId, username: &str) -> Value {
    json!({
        "homeAccountId": format!("{}.{}", id.object_id, id.tenant_id), "localAccountId": id.object_id, "realm": id.tenant_id,
        "environment": "login.windows.net", "username": username, "givenName": "A", "familyName": "V", "name": "A V",
        "clientInfo": client_info(id), "passwordChangeUrl": "", "passwordExpiry": 0, "alternativeAccountId": "",
    })
}

fn client_info(id: &AccountId) -> String {
    let text = json!({ "uid": id.object_id, "utid": id.tenant_id }).to_string();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

fn error(status: &str) -> String {
    json!({ "brokerTokenResponse": { "error": { "status": status, "code": 7, "context": "a context" } } })
        .to_string()
}

/// A rig whose bus has a broker in this mood.
struct Desktop {
    rig: Rig,
    bus: Bus,
    calls: Arc<Mutex<Vec<(&'static str, Value)>>>,
    broker: Option<zbus::Connection>,
}

impl Desktop {
    async fn start(mood: Mood) -> Option<Self> {
        let Some(bus) = Bus::start().await else {
            not_run("the broker", "there is no dbus-daemon (apt-get install dbus)");
            return None;
        };
        let rig = Rig::start().await;
        let calls = Arc::<Mutex<Vec<_>>>::default();
        let fake = fake(&rig.emulator, mood, calls.clone());
        let broker = zbus::connection::Builder::address(bus.address.as_str())
            .unwrap()
            .name("com.microsoft.identity.broker1")
            .unwrap()
            .serve_at("/com/microsoft/identity/broker1", fake)
            .unwrap()
            .build()
            .await
            .unwrap();
        Some(Self { rig, bus, calls, broker: Some(broker) })
    }

    fn sign_in(&self) -> SignIn {
        let address = self.bus.address.clone();
        self.rig.sign_in_with(|settings| {
            settings.steps.insert(0, Step::Broker);
            settings.session_bus = Some(address);
        })
    }

    fn called(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().iter().map(|(call, _)| *call).collect()
    }
}

fn fake(emulator: &Emulator, mood: Mood, calls: Arc<Mutex<Vec<(&'static str, Value)>>>) -> Fake {
    let token =
        emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, GRAPH_APP_ID, &["User.Read"]).unwrap();
    let id_token = |upn| emulator.id_token(upn, ids::DEMO_CLIENT, None).unwrap();
    Fake { mood, token, id_token: id_token(ids::ADELE_UPN), alex_id_token: id_token(ids::ALEX_UPN), calls }
}

/// What a sign-in says why the broker was passed over, when nothing else is left.
async fn reason(desktop: &Desktop) -> String {
    desktop.rig.nobody_home();
    match desktop.sign_in().token(&[GRAPH], None).await.unwrap_err() {
        SignInError::NoStepLeft(skipped) => {
            skipped.into_iter().find(|Skip { step, .. }| *step == Step::Broker).unwrap().why
        }
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn the_broker_comes_before_the_browser_and_is_asked_silently_first() {
    let Some(desktop) = Desktop::start(Mood::Silent).await else { return };
    let sign_in = desktop.sign_in();
    let token = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(desktop.called(), ["getAccounts", "acquireTokenSilently"]);
    assert_eq!(desktop.rig.person.seen(), (0, 0));
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, adele());
    let again = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(token.token.expose_secret(), again.token.expose_secret());
    assert_eq!(desktop.called().len(), 2, "the second one is cached");
    let request = desktop.calls.lock().unwrap()[1].1["authParameters"].clone();
    assert_eq!(request["clientId"], ids::DEMO_CLIENT.to_string());
    assert_eq!(request["account"]["localAccountId"], ids::ADELE.to_string());
    assert_eq!(request["requestedScopes"], json!([GRAPH]));
    assert_eq!(request["authority"], format!("{}/{}", desktop.rig.emulator.authority_url(), ids::TENANT));
    assert_eq!(request["authorizationType"], 1);
}

#[tokio::test]
async fn what_is_not_silent_is_asked_in_the_brokers_window() {
    for (mood, calls) in [
        (Mood::Window, vec!["getAccounts", "acquireTokenSilently", "acquireTokenInteractively"]),
        (Mood::Empty, vec!["getAccounts", "acquireTokenInteractively"]),
    ] {
        let Some(desktop) = Desktop::start(mood).await else { return };
        desktop.sign_in().token(&[GRAPH], None).await.unwrap();
        assert_eq!(desktop.called(), calls);
        assert_eq!(desktop.rig.person.seen(), (0, 0));
    }
}

#[tokio::test]
async fn a_dismissed_window_ends_the_sign_in() {
    let Some(desktop) = Desktop::start(Mood::Cancelled).await else { return };
    let failed = desktop.sign_in().token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(failed, SignInError::Cancelled(Step::Broker));
    assert_eq!(desktop.rig.person.seen(), (0, 0), "no browser after a no");
}

#[tokio::test]
async fn each_reason_to_pass_the_broker_over_is_told_and_the_browser_comes_next() {
    for (mood, why) in [
        (Mood::Refuses, "it refused: ApiContractViolation 7 a context"),
        (Mood::Garbage, "its answer makes no sense: it is not a JSON object"),
    ] {
        let Some(desktop) = Desktop::start(mood).await else { return };
        assert_eq!(reason(&desktop).await, why);
        desktop.rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
        desktop.sign_in().token(&[GRAPH], None).await.unwrap();
        assert_eq!(desktop.rig.person.seen(), (1, 0));
    }
}

#[tokio::test]
async fn a_bus_without_a_broker_and_no_bus_at_all_are_told_apart() {
    let Some(mut desktop) = Desktop::start(Mood::Silent).await else { return };
    desktop.broker.take().unwrap().close().await.unwrap();
    assert_eq!(reason(&desktop).await, "com.microsoft.identity.broker1 is not on the session bus");
    desktop.bus.address = "unix:path=/nowhere".to_owned();
    let why = reason(&desktop).await;
    assert!(why.starts_with("no session bus: "), "{why}");
}

#[tokio::test]
async fn a_broker_that_goes_away_in_the_middle_is_passed_over() {
    let Some(mut desktop) = Desktop::start(Mood::Vanishes).await else { return };
    desktop.rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
    desktop.broker.take().unwrap().close().await.unwrap();
    asking.await.unwrap().unwrap();
    assert_eq!(desktop.rig.person.seen(), (1, 0));
}

#[tokio::test]
async fn a_sign_in_that_is_given_up_takes_the_brokers_window_away() {
    let Some(desktop) = Desktop::start(Mood::Vanishes).await else { return };
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
    asking.abort();
    // Whoever ends the process waits for this and for nothing else.
    sign_in.settle().await;
    assert_eq!(
        desktop.called(),
        ["getAccounts", "acquireTokenSilently", "acquireTokenInteractively", "cancelInteractiveFlow"]
    );
}

/// A command that is given up drops its sign-in and ends at once, and so does a server whose client leaves.
#[tokio::test]
async fn whoever_ends_waits_until_the_window_is_taken_away() {
    let Some(desktop) = Desktop::start(Mood::Vanishes).await else { return };
    for dismissed in [false, true] {
        desktop.calls.lock().unwrap().clear();
        let sign_in = desktop.sign_in();
        let logging_in = {
            let sign_in = sign_in.clone();
            tokio::spawn(async move { sign_in.log_in(LogIn::default()).await })
        };
        until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
        match dismissed {
            true => desktop.rig.person.leave(),
            false => logging_in.abort(),
        }
        sign_in.settle().await;
        let calls = desktop.called();
        assert_eq!(
            calls,
            ["getAccounts", "acquireTokenInteractively", "cancelInteractiveFlow"],
            "{dismissed}"
        );
    }
    assert!(desktop.sign_in().accounts().await.unwrap().is_empty(), "nobody was signed in");
}

/// It owns its name and answers nothing.
#[tokio::test]
async fn a_broker_that_does_not_answer_is_not_waited_for_longer_than_its_bound() {
    let Some(desktop) = Desktop::start(Mood::Deaf).await else { return };
    desktop.rig.nobody_home();
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called() == ["getAccounts"]).await;
    pass(BROKER_SILENT - Duration::from_secs(5)).await;
    assert!(!asking.is_finished(), "a slow one is waited for");
    pass(Duration::from_secs(6)).await;
    let skip = |step, why: &str| Skip { step, why: why.to_owned() };
    let expected = SignInError::NoStepLeft(vec![
        skip(Step::Refresh, "nobody is signed in"),
        skip(Step::Broker, "the broker did not answer in time"),
        skip(Step::Browser, "nobody is here"),
        skip(Step::DeviceCode, "nobody is here"),
    ]);
    assert_eq!(asking.await.unwrap().unwrap_err(), expected);
    // Nor does it keep anybody who ends.
    sign_in.settle().await;
    desktop.rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    // Of another process: the connections that the first one keeps are as old as the time that has passed.
    let next = ask(&desktop.sign_in(), GRAPH);
    until("the broker is called", || desktop.called().len() == 2).await;
    pass(BROKER_SILENT + Duration::from_secs(1)).await;
    next.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_window_that_nobody_wants_any_more_ends_the_sign_in_and_is_taken_away() {
    let Some(desktop) = Desktop::start(Mood::Vanishes).await else { return };
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
    desktop.rig.person.leave();
    assert_eq!(asking.await.unwrap().unwrap_err(), SignInError::Cancelled(Step::Broker));
    sign_in.settle().await;
    assert_eq!(desktop.called().last(), Some(&"cancelInteractiveFlow"));
    assert_eq!(desktop.rig.person.seen(), (0, 0), "and no browser comes in its place");
}

#[tokio::test]
async fn another_account_than_the_one_in_use_is_refused() {
    let Some(desktop) = Desktop::start(Mood::WrongAccount).await else { return };
    let sign_in = {
        let address = desktop.bus.address.clone();
        desktop.rig.sign_in_with(|settings| {
            settings.steps.insert(0, Step::Broker);
            settings.session_bus = Some(address);
            settings.account = Some(adele());
        })
    };
    let refused = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(wrong(&refused), (adele(), alex()));
    assert!(!desktop.rig.file().exists(), "nothing was kept");
}

/// Proves the fake: Microsoft's own runtime signs in through it. What passes between the two is what passes between it and us.
#[tokio::test]
async fn microsofts_runtime_signs_in_through_the_fake() {
    let what = "Microsoft's runtime";
    let Some(python) = crate::msal::runtime().await else {
        return not_run(
            what,
            "pymsalruntime cannot be installed or loaded (apt-get install libwebkit2gtk-4.1-0 libsecret-1-0)",
        );
    };
    let Some(desktop) = Desktop::start(Mood::Silent).await else { return };
    let ca = desktop.rig.folder.path().join("ca.pem");
    std::fs::write(&ca, desktop.rig.emulator.ca_pem()).unwrap();
    // The runtime keeps accounts of its own in the keychain.
    let Some(_keyring) = desktop.bus.keyring().await else {
        return not_run(what, "there is no gnome-keyring-daemon (apt-get install gnome-keyring)");
    };
    let home = desktop.rig.folder.path();
    let output = tokio::process::Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/msal_broker.py"))
        .args([
            &desktop.rig.emulator.authority_url(),
            &ids::TENANT.to_string(),
            &ids::DEMO_CLIENT.to_string(),
            GRAPH,
        ])
        .env("DBUS_SESSION_BUS_ADDRESS", &desktop.bus.address)
        .env("REQUESTS_CA_BUNDLE", &ca)
        .env("HOME", home)
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let calls = desktop.calls.lock().unwrap().clone();
    assert_eq!(told, "signed in", "{}\n{calls:?}", String::from_utf8_lossy(&output.stderr));
    let silently =
        calls.iter().find(|(call, _)| *call == "acquireTokenSilently").expect("it asks silently first");
    let theirs = &silently.1["authParameters"];
    let sign_in = desktop.sign_in();
    sign_in.token(&[GRAPH], None).await.unwrap();
    let calls = desktop.calls.lock().unwrap().clone();
    let ours = &calls.iter().rfind(|(call, _)| *call == "acquireTokenSilently").unwrap().1["authParameters"];
    for member in ours.as_object().unwrap().keys() {
        assert!(theirs.get(member).is_some(), "the runtime sends no {member}: {theirs}");
    }
    assert_eq!(ours["redirectUri"], theirs["redirectUri"]);
    assert_eq!(ours["authorizationType"], theirs["authorizationType"]);
}
