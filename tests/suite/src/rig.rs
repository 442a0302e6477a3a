//! The rig: an emulator, the real command beside it, and a client that trusts both. Every rig ends with a search of the server's log for
//! what must never be in it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use entra_emulator::{
    ConditionalAccess, Control, Emulator, GRAPH_APP_ID, Options, Registrations, Signer, TokenVersion, ids,
};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::ask::{Answer, Ask};
use crate::certificates::{self, SERVER_NAME};
use crate::config::{Config, ENDPOINT, Folder};
use crate::log::Log;
use crate::process::Process;

/// A level of logging for tests with very many requests: without their audit lines, and with the line that says where the server is.
pub const QUIET: &str = "warn,valet=info";

/// So much of a code or a refresh token of Entra's gives it away. They begin with `1.`.
const ENTRAS: usize = 32;

/// Runs a test on the runtime that all tests share, so that the shared emulator outlives each of them.
pub fn run(test: impl Future<Output = ()>) {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap()).block_on(test);
}

/// An emulator that gives login and Graph a host name each, so that a request to the wrong one fails.
pub async fn emulator() -> Arc<Emulator> {
    // Fails if another was first, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let registrations = Registrations::sample_with_mcp_url(ENDPOINT);
    let options = Options { registrations, graph_host: "127.0.0.1".to_owned(), ..Options::default() };
    Arc::new(Emulator::start(options).await.unwrap())
}

/// The emulator for tests that neither inject faults nor count: making its keys takes a second.
pub async fn shared_emulator() -> Arc<Emulator> {
    static SHARED: OnceCell<Arc<Emulator>> = OnceCell::const_new();
    Arc::clone(SHARED.get_or_init(emulator).await)
}

/// Has every user of the tenant satisfy `control` before there is a token for Graph.
pub fn policy_for_graph(emulator: &Emulator, control: Control) {
    emulator.change_registrations(|all| {
        all.conditional_access = vec![ConditionalAccess {
            name: "For Graph".to_owned(),
            tenant: ids::TENANT,
            users: Vec::new(),
            resources: vec![GRAPH_APP_ID],
            clients: Vec::new(),
            context: None,
            control,
            sign_in_frequency_minutes: None,
        }];
    });
}

/// An emulator and a server.
pub struct Rig {
    /// Entra and Graph.
    pub emulator: Arc<Emulator>,
    /// The server.
    pub process: Process,
    /// Where it serves.
    pub address: SocketAddr,
    /// The folder with its configuration and its store.
    pub folder: Folder,
    /// A client that chooses between HTTP/1.1 and HTTP/2 as the server offers.
    pub http: reqwest::Client,
    secrets: Mutex<Vec<String>>,
    good: Mutex<String>,
    /// Whom tokens seem to come from, if not the emulator.
    issuer: Option<String>,
    /// The environment of the server.
    variables: Vec<(String, String)>,
}

impl Rig {
    /// A server with the shared emulator.
    pub async fn start() -> Self {
        Self::start_with(shared_emulator().await, |config| config).await
    }

    /// A server with the shared emulator and a changed configuration.
    pub async fn changed(change: impl FnOnce(Config) -> Config) -> Self {
        Self::start_with(shared_emulator().await, change).await
    }

    /// A server with an emulator of its own, for faults and counts.
    pub async fn own() -> Self {
        Self::start_with(emulator().await, |config| config).await
    }

    /// A server with `emulator` and a changed configuration.
    pub async fn start_with(emulator: Arc<Emulator>, change: impl FnOnce(Config) -> Config) -> Self {
        Self::logging("debug", emulator, change).await
    }

    /// A server whose authority is at `url` and shows the emulator's keys.
    pub async fn authorised_by(emulator: Arc<Emulator>, url: &str) -> Self {
        let mut rig = Self::start_with(emulator, |config| config.set("entra.authority", url)).await;
        rig.issuer = Some(format!("{url}/{}/v2.0", ids::TENANT));
        rig.renew();
        rig
    }

    /// The same with another level of logging.
    pub async fn logging(
        level: &str,
        emulator: Arc<Emulator>,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        Self::started(level, emulator, Vec::new(), change).await
    }

    /// The same as [`Rig::start_with`], with these variables in the server's environment.
    pub async fn within(
        variables: Vec<(String, String)>,
        emulator: Arc<Emulator>,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        Self::started("debug", emulator, variables, change).await
    }

    async fn started(
        level: &str,
        emulator: Arc<Emulator>,
        variables: Vec<(String, String)>,
        change: impl FnOnce(Config) -> Config,
    ) -> Self {
        let folder = Folder::new();
        let file = change(Config::for_emulator(&emulator)).write(&folder, emulator.ca_pem());
        let arguments = ["serve", "--log", level, "--log-format", "json"];
        let mut process = Process::start(&arguments, &file, &borrowed(&variables));
        let address = process.address().await;
        let http = client(&emulator, address).build().unwrap();
        let secrets = Mutex::new(vec![ids::VALET_SECRET.to_owned(), "eyJ".to_owned()]);
        let (good, issuer) = (Mutex::default(), None);
        let rig = Self { emulator, process, address, folder, http, secrets, good, issuer, variables };
        rig.renew();
        rig
    }

    /// Alex's token for the good calls after refusals, made at the start, so that what a test does to the emulator does not reach it.
    #[must_use]
    pub fn good(&self) -> String {
        self.good.lock().unwrap().clone()
    }

    /// Makes that token anew, for a test that removes keys.
    pub fn renew(&self) {
        *self.good.lock().unwrap() = self.token(ids::ALEX_UPN);
    }

    /// Starts the server again on the same files, after it has ended.
    pub async fn restart(&mut self) {
        self.inspect();
        let file = self.folder.path("valet.toml");
        let arguments = ["serve", "--log", "debug", "--log-format", "json"];
        self.process = Process::start(&arguments, &file, &borrowed(&self.variables));
        self.address = self.process.address().await;
        self.http = client(&self.emulator, self.address).build().unwrap();
    }

    /// What the server wrote to standard error.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.process.log()
    }

    /// A perfect token of the demo client for a user.
    #[must_use]
    pub fn token(&self, user: &str) -> String {
        let mut claims =
            self.emulator.claims_of(user, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap();
        if let Some(issuer) = &self.issuer {
            claims["iss"] = issuer.as_str().into();
        }
        self.signed(claims)
    }

    /// The claims of such a token for Adele.
    #[must_use]
    pub fn claims(&self) -> Value {
        let scopes = [ids::VALET_SCOPE];
        self.emulator.claims_of(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &scopes).unwrap()
    }

    /// A token of these claims by the key that signs.
    #[must_use]
    pub fn signed(&self, claims: Value) -> String {
        let header = self.emulator.header(TokenVersion::V2, Signer::Live);
        self.keep(self.emulator.forge(header, claims, Signer::Live))
    }

    /// Remembers a token, which must then appear nowhere.
    pub fn keep(&self, token: String) -> String {
        self.secrets.lock().unwrap().extend(
            token.rsplit_once('.').map(|(_, signature)| signature.to_owned()).filter(|it| it.len() > 20),
        );
        token
    }

    /// Remembers a secret, which must then appear in no log.
    pub fn keep_secret(&self, secret: &str) {
        self.secrets.lock().unwrap().push(secret.to_owned());
    }

    /// Sends a request to the server.
    pub async fn send(&self, ask: Ask) -> Answer {
        self.send_with(&self.http, ask).await
    }

    /// Sends a request through a client of the caller's.
    pub async fn send_with(&self, http: &reqwest::Client, ask: Ask) -> Answer {
        let request = http.request(ask.verb, &ask.url).headers(ask.headers).body(ask.body);
        let answer = Answer::read(request.send().await.unwrap()).await;
        self.search("a body", &answer.body);
        answer
    }

    /// Sends a request to the server and gives the answer as soon as it has begun.
    pub async fn open(&self, ask: Ask) -> reqwest::Response {
        self.http.request(ask.verb, &ask.url).headers(ask.headers).body(ask.body).send().await.unwrap()
    }

    /// Calls a tool without arguments.
    pub async fn call(&self, tool: &str, token: &str) -> Answer {
        self.send(Ask::tool(tool).bearer(token)).await
    }

    /// A client builder that knows where the server is, for one version of HTTP.
    pub fn client(&self) -> reqwest::ClientBuilder {
        client(&self.emulator, self.address)
    }

    fn search(&self, place: &str, text: &str) {
        search(&self.secrets.lock().unwrap(), place, text);
    }

    /// Fails if the log so far has a token, the client secret, or anything that Entra gave out in it.
    pub fn inspect(&self) {
        let text = self.log().text();
        self.search("the log", &text);
        assert!(!self.gives_away(&text), "the log contains a code or a refresh token of Entra's");
    }

    /// Whether a good part of a code or of a refresh token that the emulator gave out is in `text`.
    #[must_use]
    pub fn gives_away(&self, text: &str) -> bool {
        let beginning = |text: &str| text.get(..ENTRAS).map(str::to_owned);
        let mut places = text.match_indices("1.").filter_map(|(at, _)| beginning(&text[at..])).peekable();
        if places.peek().is_none() {
            return false;
        }
        let issued = self.emulator.issued();
        let issued = issued.codes.iter().chain(&issued.refresh_tokens);
        let issued: HashSet<String> = issued.filter_map(|secret| beginning(secret)).collect();
        places.any(|place| issued.contains(&place))
    }
}

/// Panics if one of `secrets` is in `text`.
pub fn search(secrets: &[String], place: &str, text: &str) {
    for secret in secrets {
        let found = text.lines().find(|line| line.contains(secret.as_str()));
        assert!(found.is_none(), "{place} contains {secret:.12}…: {}", found.unwrap_or_default());
    }
}

impl Drop for Rig {
    #[expect(clippy::print_stderr, reason = "whoever reads a failed test needs what the server said")]
    fn drop(&mut self) {
        let ended = self.process.stop();
        if std::thread::panicking() {
            let text = self.log().text();
            let lines = text.lines().filter(|line| !line.contains(r#""level":"DEBUG""#));
            eprintln!("--- the server's log ---\n{}\n---", lines.collect::<Vec<_>>().join("\n"));
            return;
        }
        assert!(ended.is_some(), "the server did not stop in time");
        self.inspect();
        let output = self.process.output();
        assert_eq!(output, "", "standard output belongs to the protocol");
    }
}

fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn client(emulator: &Emulator, address: SocketAddr) -> reqwest::ClientBuilder {
    let trusted = [certificates::ca_pem(), emulator.ca_pem()]
        .map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).unwrap());
    reqwest::Client::builder()
        .tls_certs_only(trusted)
        .redirect(reqwest::redirect::Policy::none())
        // The URL has no port, so the one of this address is used.
        .resolve(SERVER_NAME, address)
}
