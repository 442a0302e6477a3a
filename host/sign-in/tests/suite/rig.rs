//! One emulator, one folder, one person, and the sign-ins between them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use entra_emulator::{Emulator, Operation, Options, RevocationReason, ids};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use valet_sign_in::{AccessToken, AccountId, Settings, SignIn, SignInError, Step, Storage};

use crate::person::{Does, Person, approve};

/// A scope of Graph, and one of another API.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com/User.Read";
pub(crate) const VALET: &str = "api://7e57c000-0000-4000-8000-000000000001/mcp.access";

/// Longest wait for anything that has to happen, on a busy machine too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Seconds after which every access token has ended: those of clients that take claims challenges live up to 28 hours.
pub(crate) const LONG: u64 = 30 * 3600;

pub(crate) struct Rig {
    pub(crate) emulator: Emulator,
    pub(crate) folder: TempDir,
    pub(crate) person: Person,
    /// Seconds that our clock is ahead.
    ahead: Arc<AtomicU64>,
}

impl Rig {
    /// A person who would sign in as Adele in a browser, and by a code too.
    pub(crate) async fn start() -> Self {
        Self::with(Emulator::start(Options::default()).await.unwrap())
    }

    pub(crate) fn with(emulator: Emulator) -> Self {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&emulator))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let person = Person::new(http, approve(ids::ADELE_UPN), approve(ids::ADELE_UPN));
        Self { emulator, folder: TempDir::new().unwrap(), person, ahead: Arc::default() }
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("valet")
    }

    /// The cache's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.state_dir().join("tokens.json")
    }

    /// Settings for the demo client with a plain file: no broker, no keychain.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = settings(
            &self.emulator.authority_url(),
            self.emulator.ca_pem(),
            &self.state_dir(),
            Storage::DangerouslyPlaintext,
        );
        let ahead = self.ahead.clone();
        settings.clock = Arc::new(move || system_clock() + ahead.load(Ordering::SeqCst));
        settings
    }

    pub(crate) fn sign_in(&self) -> SignIn {
        self.sign_in_with(|_| {})
    }

    pub(crate) fn sign_in_with(&self, change: impl FnOnce(&mut Settings)) -> SignIn {
        let mut settings = self.settings();
        change(&mut settings);
        SignIn::new(settings, Box::new(self.person.clone())).unwrap()
    }

    /// Both clocks go forward.
    pub(crate) fn advance(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
        self.emulator.advance_clock(Duration::from_secs(seconds));
    }

    /// Seconds by which our clock is ahead of the machine's.
    pub(crate) fn ahead(&self) -> u64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Both clocks go forward to the end of `token`.
    pub(crate) fn expire(&self, token: &AccessToken) {
        self.advance(token.expires_at - system_clock());
    }

    /// Signs Adele in, and ends that: the authority takes her refresh token no more, and the access token is over.
    pub(crate) async fn adele_was_here(&self, sign_in: &SignIn) {
        let token = sign_in.token(&[GRAPH], None).await.unwrap();
        self.emulator.revoke(ids::ADELE_UPN, RevocationReason::Sessions).unwrap();
        self.expire(&token);
    }

    pub(crate) fn count(&self, operation: Operation) -> u64 {
        self.emulator.faults().count(operation)
    }

    /// From here on nobody can be reached, so whatever succeeds is silent.
    pub(crate) fn nobody_home(&self) {
        self.person.will(Does::Unreachable, Does::Unreachable);
    }

    /// The cache as it lies on the disk.
    pub(crate) fn on_disk(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.file()).unwrap()).unwrap()
    }
}

/// Settings for the demo client at an emulator.
pub(crate) fn settings(authority: &str, ca_pem: &str, state_dir: &Path, storage: Storage) -> Settings {
    let client = ids::DEMO_CLIENT.to_string();
    let mut settings =
        Settings::new(authority, &ids::TENANT.to_string(), &client, state_dir.to_owned(), trust(ca_pem));
    settings.storage = storage;
    settings.steps = vec![Step::Browser, Step::DeviceCode];
    settings
}

pub(crate) fn tls(emulator: &Emulator) -> rustls::ClientConfig {
    trust(emulator.ca_pem())
}

fn trust(ca_pem: &str) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A call for `scope` that goes on beside the test.
pub(crate) fn ask(sign_in: &SignIn, scope: &'static str) -> JoinHandle<Result<AccessToken, SignInError>> {
    let sign_in = sign_in.clone();
    tokio::spawn(async move { sign_in.token(&[scope], None).await })
}

/// Waits until something `is` so. Panics where it never is.
pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Lets this much time pass for whoever waits, without any passing.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Lets more than this much time pass, and again until `task` has ended: whenever it begins to wait, it does not wait longer.
pub(crate) async fn passing<T>(time: Duration, task: JoinHandle<T>) -> T {
    let begun = Instant::now();
    while !task.is_finished() {
        assert!(begun.elapsed() < PATIENCE, "it waits for ever");
        pass(time + Duration::from_secs(1)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    task.await.unwrap()
}

/// Repeats `attempt` until it fails, as whatever listens no more makes it. Panics where it never does.
pub(crate) async fn until_it_fails<T, E>(what: &str, attempt: impl AsyncFn() -> Result<T, E>) {
    let begun = Instant::now();
    while attempt().await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::task::yield_now().await;
    }
}

pub(crate) fn system_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn adele() -> AccountId {
    AccountId::new(&ids::TENANT.to_string(), &ids::ADELE.to_string())
}

pub(crate) fn alex() -> AccountId {
    AccountId::new(&ids::TENANT.to_string(), &ids::ALEX.to_string())
}

/// Whom `error` expected, and who signed in instead.
pub(crate) fn wrong(error: &SignInError) -> (AccountId, AccountId) {
    match error {
        SignInError::WrongAccount(wrong) => (wrong.expected.clone(), wrong.found.id.clone()),
        other => panic!("{other:?}"),
    }
}

/// Says aloud that a test could not run here. Under `CI` that is a failure.
pub(crate) fn not_run(what: &str, why: &str) {
    crate::absent::not_run(&format!("{what}: {why}"));
}
