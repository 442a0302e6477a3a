//! What a configuration names, opened: the store, what is lent to the components, and the clock that interrupts them.

use valet_store::{Range, Store, StoreError, SystemClock};
use wasmtime::Engine;

use crate::artifact::ArtifactError;
use crate::capabilities::{Calls, Lent, Ranges, RememberedTokens, RequestState, SignatureChecks, Turns};
use crate::config::{Config, Storage};
use crate::egress::{AddressPolicy, Connector, Documents, Sender, trust};
use crate::limits;
use crate::signing_key::SigningKey;

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
    #[error("storage: {0}")]
    Store(#[from] StoreError),
    /// The certificates that are trusted.
    #[error("egress.ca_file: {0}")]
    Trust(String),
}

/// The store that a configuration names.
///
/// # Errors
/// [`StoreError`].
pub async fn store(storage: &Storage) -> Result<Store, StoreError> {
    match storage {
        Storage::Memory => Ok(Store::memory(SystemClock)),
        Storage::Disk(path) => Store::disk(path, SystemClock).await,
        Storage::Redis(settings) => Store::redis(settings).await,
    }
}

pub(super) fn lent(config: Config, store: &Store) -> Result<Lent, SetUpError> {
    let policy = |private_too| match private_too {
        true => AddressPolicy::PrivateToo,
        false => AddressPolicy::PublicOnly,
    };
    let addresses = policy(config.egress.allow_private_addresses);
    let trust = trust(config.egress.ca.as_deref()).map_err(SetUpError::Trust)?;
    let connector = Connector::new(trust.clone(), addresses);
    let documents = policy(config.egress.documents_at_private_addresses);
    Ok(Lent {
        calls: Calls::new(config.calls_per_minute),
        refusals: Calls::new(config.refusals_per_minute),
        request_state: RequestState::of_clients(&config.sealing_keys),
        browser_state: RequestState::of_browsers(&config.sealing_keys),
        link_state: RequestState::of_links(&config.sealing_keys),
        signing_key: match config.own_keys {
            Some(own) => SigningKey::given(own, store.range(Range::Own), &config.sealing_keys),
            None => SigningKey::new(store.range(Range::Own), &config.sealing_keys),
        },
        ranges: Ranges::new(store),
        documents: Documents::new(Connector::new(trust, documents)),
        settings: config.settings,
        client_secret: config.client_secret,
        sealing_keys: config.sealing_keys,
        keys: Sender::new(&config.egress.authority, "entra.authority", connector.clone()),
        authority: Sender::new(&config.egress.authority, "entra.authority", connector.clone()),
        graph: Sender::new(&config.egress.graph, "graph.url", connector),
        turns: Turns::default(),
        signatures: SignatureChecks::default(),
        verified: RememberedTokens::default(),
    })
}

/// A thread that advances the epoch for as long as the engine lives.
pub(super) fn start_epochs(engine: &Engine) {
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
