//! A fake of the Linux broker on a private bus. Its answers have the shapes that Microsoft's own runtime takes: `runtime.rs` has it sign in through the fake.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use entra_emulator::{Emulator, GRAPH_APP_ID, ids};
use serde_json::{Value, json};
use valet_sign_in::{AccountId, SignIn, Step};
use zbus::message::Header;

use crate::bus::Bus;
use crate::rig::{GRAPH, Rig, adele, alex, not_run};

const PATH: &str = "/com/microsoft/identity/broker1";
const INTERFACE: &str = "com.microsoft.identity.Broker1";

/// Statuses that it gives; `runtime.rs` has Microsoft's runtime name them.
const INTERACTION_REQUIRED: u8 = 2;
const API_CONTRACT_VIOLATION: u8 = 6;
const USER_CANCELED: u8 = 7;

/// How the fake behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Knows Adele, and gives her token silently.
    Silent,
    /// Knows Adele, and wants its window.
    Window,
    /// Knows nobody; its window signs in Adele.
    Empty,
    /// Its window is dismissed.
    Cancelled,
    /// Its window stays until somebody has it taken away.
    Waits,
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
    calls: Calls,
}

/// What it was asked, in order.
type Calls = Arc<Mutex<Vec<(&'static str, Value)>>>;

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
            _ => error(INTERACTION_REQUIRED),
        }
    }

    #[zbus(name = "acquireTokenInteractively")]
    async fn interactively(
        &self,
        _protocol: &str,
        _correlation: &str,
        request: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> String {
        self.note("acquireTokenInteractively", request);
        match self.mood {
            Mood::Cancelled => error(USER_CANCELED),
            Mood::Refuses => error(API_CONTRACT_VIOLATION),
            Mood::Waits => {
                let caller = header.sender().expect("the bus says who calls").to_string();
                self.until_taken_away(connection, &caller).await;
                error(USER_CANCELED)
            }
            Mood::Vanishes => {
                tokio::time::sleep(Duration::from_secs(600)).await;
                String::new()
            }
            _ => self.token(&adele(), ids::ADELE_UPN, &self.id_token),
        }
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

    /// `libdbus` writes nothing to a connection on which another thread of the process waits for an answer, until something comes in. Microsoft's runtime has
    /// one connection: its call to take the window away would stay in the process for as long as the window is there. So something comes in.
    async fn until_taken_away(&self, connection: &zbus::Connection, caller: &str) {
        let taken_away =
            || self.calls.lock().unwrap().iter().any(|(call, _)| *call == "cancelInteractiveFlow");
        while !taken_away() {
            connection.emit_signal(Some(caller), PATH, INTERFACE, "stillOpen", &()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
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

/// An error with the members that Microsoft's broker gives it. Its runtime insists on `status`, `errorCode` and `tag`, as numbers.
fn error(status: u8) -> String {
    json!({ "brokerTokenResponse": {
        "accessTokenType": 0, "expiresOn": 0, "extendedExpiresOn": 0,
        "error": {
            "status": status, "subStatus": 0, "errorCode": 7, "tag": 9, "context": "a context",
            "diagnostics": { "raw_error_code": "an error" },
        },
    } })
    .to_string()
}

/// A rig whose bus has a broker in this mood.
pub(crate) struct Desktop {
    pub(crate) rig: Rig,
    pub(crate) bus: Bus,
    pub(crate) calls: Calls,
    pub(crate) broker: Option<zbus::Connection>,
}

impl Desktop {
    pub(crate) async fn start(mood: Mood) -> Option<Self> {
        let Some(bus) = Bus::start().await else {
            not_run("the broker", "there is no dbus-daemon (apt-get install dbus)");
            return None;
        };
        let rig = Rig::start().await;
        let calls = Calls::default();
        let fake = fake(&rig.emulator, mood, calls.clone());
        let broker = zbus::connection::Builder::address(bus.address.as_str())
            .unwrap()
            .name("com.microsoft.identity.broker1")
            .unwrap()
            .serve_at(PATH, fake)
            .unwrap()
            .build()
            .await
            .unwrap();
        Some(Self { rig, bus, calls, broker: Some(broker) })
    }

    pub(crate) fn sign_in(&self) -> SignIn {
        let address = self.bus.address.clone();
        self.rig.sign_in_with(|settings| {
            settings.steps.insert(0, Step::Broker);
            settings.session_bus = Some(address);
        })
    }

    /// The calls so far.
    pub(crate) fn called(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().iter().map(|(call, _)| *call).collect()
    }

    /// The request of the last call of this name.
    pub(crate) fn request(&self, call: &str) -> Value {
        let calls = self.calls.lock().unwrap();
        let (_, request) = calls.iter().rfind(|(name, _)| *name == call).expect("it was called");
        request.clone()
    }
}

fn fake(emulator: &Emulator, mood: Mood, calls: Calls) -> Fake {
    let token =
        emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, GRAPH_APP_ID, &["User.Read"]).unwrap();
    let id_token = |upn| emulator.id_token(upn, ids::DEMO_CLIENT, None).unwrap();
    Fake { mood, token, id_token: id_token(ids::ADELE_UPN), alex_id_token: id_token(ids::ALEX_UPN), calls }
}
