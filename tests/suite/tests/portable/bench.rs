//! What the end-to-end tests share: an emulator, an application of a manifest on a loopback port, and a client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use entra_emulator::{Emulator, Options, Registrations, Signer, TokenVersion, ids};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use valet::egress::{AddressPolicy, Connector, trust};

use crate::application::Application;
use crate::manifest::{Given, Manifest};

/// A layout and the manifest that deploys it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Layout {
    Single,
    Split,
}

impl Layout {
    pub(crate) fn manifest(self) -> Manifest {
        Manifest::read(match self {
            Self::Single => "deploy/spin/single.toml",
            Self::Split => "spin.toml",
        })
    }
}

/// An application that is served, and the Entra and Graph that it knows.
pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) application: Arc<Application>,
    pub(crate) manifest: Manifest,
    pub(crate) given: Given,
    pub(crate) http: reqwest::Client,
    address: SocketAddr,
}

/// Tokens that cases name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Token {
    None,
    Adele,
    Alex,
    WrongAudience,
    Expired,
    BadSignature,
    ForeignTenant,
    MissingScope,
    Garbage,
}

impl Bench {
    pub(crate) async fn start(layout: Layout) -> Self {
        Self::start_with(layout, &[]).await
    }

    /// With other artifacts for some components.
    pub(crate) async fn start_with(layout: Layout, replaced: &[(&str, &Path)]) -> Self {
        // Fails if another test was first, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let resource = format!("http://{address}/mcp");
        let registrations = Registrations::sample_with_mcp_url(&resource);
        let emulator = Emulator::start(Options { registrations, ..Options::default() }).await.unwrap();
        let (manifest, given) = (layout.manifest(), given(&emulator, &resource));
        let trust = trust(Some(emulator.ca_pem().as_bytes())).unwrap();
        let connector = Connector::new(trust, AddressPolicy::PrivateToo);
        let application = Application::new(&manifest, &given, &connector, replaced);
        tokio::spawn(serve(listener, Arc::clone(&application)));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { emulator, application, manifest, given, http, address }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Runs the components with some of the operator's variables set otherwise.
    pub(crate) fn vary(&self, changes: &[(&str, &str)]) {
        let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.application.vary(&self.manifest, &self.given.clone().into_iter().chain(changes).collect());
    }

    /// The reason in the last event of the audit trail.
    pub(crate) fn last_reason(&self) -> String {
        let log = self.application.log();
        let mut events = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let last = events.find(|event| event["target"] == "audit").expect("every call leaves an event");
        last["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// A new token; none for [`Token::None`].
    pub(crate) fn token(&self, token: Token) -> Option<String> {
        let valet = |user, scopes: &[&str]| {
            self.emulator.access_token(user, ids::DEMO_CLIENT, ids::VALET, scopes).unwrap()
        };
        let good = || valet(ids::ADELE_UPN, &[ids::VALET_SCOPE]);
        Some(match token {
            Token::None => return None,
            Token::Garbage => "not.a.token".to_owned(),
            Token::Adele => good(),
            Token::Alex => valet(ids::ALEX_UPN, &[ids::VALET_SCOPE]),
            Token::MissingScope => valet(ids::ADELE_UPN, &[ids::VALET_ADMIN_SCOPE]),
            Token::WrongAudience => {
                self.changed(|claims| claims["aud"] = ids::LEDGER.to_string().into(), Signer::Live)
            }
            Token::Expired => self.changed(
                |claims| {
                    for (claim, ago) in [("exp", 3600), ("nbf", 7200), ("iat", 7200)] {
                        claims[claim] = (now() - ago).into();
                    }
                },
                Signer::Live,
            ),
            Token::BadSignature => self.changed(|_| {}, Signer::Stranger),
            Token::ForeignTenant => self
                .emulator
                .access_token(ids::FARAH_UPN, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE])
                .unwrap(),
        })
    }

    /// Adele's claims with one change, signed by `signer`.
    fn changed(&self, change: impl FnOnce(&mut Value), signer: Signer) -> String {
        let scopes = [ids::VALET_SCOPE];
        let mut claims =
            self.emulator.claims_of(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &scopes).unwrap();
        change(&mut claims);
        self.emulator.forge(self.emulator.header(TokenVersion::V2, signer), claims, signer)
    }
}

/// The sealing key; no test may find it anywhere but in the custodian.
pub(crate) const SEALING_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// What an operator gives to reach `emulator`.
fn given(emulator: &Emulator, resource: &str) -> Given {
    let authority = emulator.authority_url();
    [
        ("resource", resource.to_owned()),
        ("tenant", ids::TENANT.to_string()),
        ("client_id", ids::VALET.to_string()),
        // `spin up --variable name=@file` keeps the newline at the end of the file.
        ("client_secret", format!("{}\n", ids::VALET_SECRET)),
        ("sealing_key", SEALING_KEY.to_owned()),
        ("v1_authority", format!("{authority}/sts")),
        ("authority", authority),
        ("graph_url", emulator.graph_url()),
        ("emulator", "true".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// A folder for files of a test, gone with it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("portable-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file; gives its path.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left lies in the target folder and harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn serve(listener: TcpListener, application: Arc<Application>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let application = Arc::clone(&application);
        let answer = service_fn(move |request: Request<Incoming>| {
            let application = Arc::clone(&application);
            async move { Ok::<_, std::convert::Infallible>(application.answer(request).await) }
        });
        // A client that breaks off ends its own connection.
        tokio::spawn(async move {
            http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await.ok()
        });
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
