//! From a configuration to something that answers requests: artifacts loaded, capabilities behind them, epochs running.

use std::sync::Arc;

use wasmtime::Engine;

use crate::artifact::{self, ArtifactError};
use crate::capabilities::{Lent, SignatureChecks, Turns};
use crate::config::{Config, Storage};
use crate::egress::{AddressPolicy, Connector, Sender, trust};
use crate::parts::custodian::Custodian;
use crate::parts::identity::Identity;
use crate::parts::request::{Parts, Requests};
use crate::store::{Disk, Memory, StoreError};
use crate::{engine, limits};

pub use crate::parts::request::{Body, Request, Response};

/// Why the components could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The artifact.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The artifact asks for something that this host does not lend, or lacks an export.
    #[error("the artifact does not fit this host: {0:#}")]
    Link(wasmtime::Error),
    /// The engine.
    #[error("the engine cannot be set up; fewer limits.concurrent_requests need less address space: {0:#}")]
    Engine(wasmtime::Error),
    /// The store.
    #[error("storage.path: {0}")]
    Store(#[from] StoreError),
    /// The certificates that are trusted.
    #[error("egress.ca_file: {0}")]
    Trust(String),
}

/// Why a request has no answer from the components. A fault of ours, which costs this request only.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The components trapped, ran too long, or could not be instantiated.
    #[error("the components failed: {0:#}")]
    Trapped(wasmtime::Error),
    /// The request took longer than [`limits::REQUEST_TIME`].
    #[error("the request took longer than {} s", limits::REQUEST_TIME.as_secs())]
    TimedOut,
}

/// The components, ready to answer.
pub struct Runtime {
    requests: Requests,
}

impl Runtime {
    /// Loads the artifacts and sets the capabilities up as `config` says.
    ///
    /// # Errors
    /// See [`SetUpError`].
    pub fn new(config: Config) -> Result<Self, SetUpError> {
        let engine = engine::engine(config.concurrent_requests).map_err(SetUpError::Engine)?;
        let load = |name| artifact::load(&engine, &config.artifacts, name);
        let (identity, custodian, request) = (load("identity")?, load("custodian")?, load("request")?);
        let lent = Arc::new(lent(config)?);
        let parts = Parts {
            identity: Identity::new(&engine, &identity, Arc::clone(&lent)).map_err(SetUpError::Link)?,
            custodian: Custodian::new(&engine, &custodian, Arc::clone(&lent)).map_err(SetUpError::Link)?,
        };
        let requests = Requests::new(&engine, &request, lent, Arc::new(parts)).map_err(SetUpError::Link)?;
        start_epochs(&engine);
        Ok(Self { requests })
    }

    /// Whether the components find their settings complete; the text names the one at fault. To be asked before a socket is opened.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn check(&self) -> Result<Result<(), String>, RunError> {
        within(self.requests.check()).await
    }

    /// Answers one request with a fresh instance.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn handle(&self, request: Request) -> Result<Response, RunError> {
        within(self.requests.handle(request)).await
    }

    /// Whether requests can be served: settings are complete and keys are loaded. The text says what is missing.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn ready(&self) -> Result<Result<(), String>, RunError> {
        within(self.requests.ready()).await
    }
}

async fn within<T>(work: impl Future<Output = wasmtime::Result<T>>) -> Result<T, RunError> {
    match tokio::time::timeout(limits::REQUEST_TIME, work).await {
        Ok(done) => done.map_err(RunError::Trapped),
        Err(_) => Err(RunError::TimedOut),
    }
}

fn lent(config: Config) -> Result<Lent, SetUpError> {
    let addresses = if config.egress.allow_private_addresses {
        AddressPolicy::PrivateToo
    } else {
        AddressPolicy::PublicOnly
    };
    let connector = Connector::new(trust(config.egress.ca.as_deref()).map_err(SetUpError::Trust)?, addresses);
    Ok(Lent {
        settings: config.settings,
        client_secret: config.client_secret,
        sealing_key: config.sealing_key,
        keys: Sender::new(&config.egress.authority, "entra.authority", connector.clone()),
        authority: Sender::new(&config.egress.authority, "entra.authority", connector.clone()),
        graph: Sender::new(&config.egress.graph, "graph.url", connector),
        store: match config.storage {
            Storage::Memory => Box::new(Memory::default()),
            Storage::Disk(path) => Box::new(Disk::open(&path)?),
        },
        turns: Turns::default(),
        signatures: SignatureChecks::default(),
    })
}

/// A thread that advances the epoch for as long as the engine lives.
fn start_epochs(engine: &Engine) {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("valet-epoch".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(limits::EPOCH_TICK);
            }
        })
        .expect("the system can start a thread");
}
