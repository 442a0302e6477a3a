//! `key-cache`, `token-store`, `session-store`, `live-sessions` and `grant-store`: each a range of the host's store, and the turns of those who renew an entry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use valet_store::{Lease, Range, Ranged, Store, StoreError, Term};
use wasmtime::component::Resource;

use super::Capabilities;
use crate::limits;
use crate::parts::bindings::authorization::valet::capability::grant_store;
use crate::parts::bindings::custodian::valet::capability::{session_store, token_store};
use crate::parts::bindings::identity::valet::capability::{key_cache, live_sessions};

/// The ranges of the store, each for one capability.
pub struct Ranges {
    keys: Ranged,
    tokens: Ranged,
    sessions: Ranged,
    grants: Ranged,
}

impl Ranges {
    /// The ranges of `store`.
    #[must_use]
    pub fn new(store: &Store) -> Self {
        Self {
            keys: store.range(Range::Keys),
            tokens: store.range(Range::Tokens),
            sessions: store.range(Range::Sessions),
            grants: store.range(Range::Grants),
        }
    }
}

/// One queue for each name of an entry. Names come from the configuration, so there are few.
#[derive(Default)]
pub struct Turns(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

/// The right to renew one entry. It ends when the guest drops it, and with the guest's store.
pub struct Turn {
    _guard: OwnedMutexGuard<()>,
}

/// The same for a session, in all processes that share the store.
pub struct SessionTurn {
    _lease: Lease,
}

impl Turns {
    async fn take(&self, name: String) -> Turn {
        let queue = {
            let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(queues.entry(name).or_default())
        };
        Turn { _guard: queue.lock_owned().await }
    }
}

impl key_cache::HostTurn for Capabilities {
    fn drop(&mut self, turn: Resource<Turn>) -> wasmtime::Result<()> {
        self.turns.delete(turn)?;
        Ok(())
    }
}

impl key_cache::Host for Capabilities {
    /// Traps where the guest holds more turns than a table can count.
    async fn take_turn(&mut self, name: String) -> wasmtime::Result<Resource<Turn>> {
        let turn = self.lent.turns.take(name).await;
        Ok(self.turns.push(turn)?)
    }

    async fn get(&mut self, name: String) -> Option<Vec<u8>> {
        self.lent.ranges.keys.get(&name).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the key cache cannot be read");
            None
        })
    }

    async fn set(&mut self, name: String, value: Vec<u8>) {
        if let Err(error) = self.lent.ranges.keys.set(&name, &value, None).await {
            tracing::warn!(%error, "the key cache cannot be written");
        }
        // After the write: from now on nobody reads the old keys out of the store.
        self.lent.verified.keys_changed(super::now());
    }

    fn not_renewed(&mut self, name: String, why: String) {
        tracing::warn!(of = name, why, "keys were not renewed; the last good ones go on being used");
    }
}

/// Seconds, as components count them.
fn seconds(lifetime: u32) -> Option<Duration> {
    Some(Duration::from_secs(lifetime.into()))
}

fn tokens_failed(error: StoreError) -> token_store::Failure {
    tracing::warn!(%error, "the token store failed");
    token_store::Failure::Unavailable(error.to_string())
}

impl token_store::Host for Capabilities {
    async fn get(&mut self, name: String) -> Result<Option<Vec<u8>>, token_store::Failure> {
        self.lent.ranges.tokens.get(&name).await.map_err(tokens_failed)
    }

    async fn set(&mut self, name: String, value: Vec<u8>, lifetime: u32) -> Result<(), token_store::Failure> {
        self.lent.ranges.tokens.set(&name, &value, seconds(lifetime)).await.map_err(tokens_failed)
    }

    async fn delete(&mut self, name: String) -> Result<(), token_store::Failure> {
        self.lent.ranges.tokens.delete(&name).await.map_err(tokens_failed)
    }
}

fn sessions_failed(error: StoreError) -> session_store::Failure {
    tracing::warn!(%error, "the session store failed");
    session_store::Failure::Unavailable(error.to_string())
}

impl session_store::HostTurn for Capabilities {
    fn drop(&mut self, turn: Resource<SessionTurn>) -> wasmtime::Result<()> {
        self.turns.delete(turn)?;
        Ok(())
    }
}

impl session_store::Host for Capabilities {
    async fn get(&mut self, name: String) -> Result<Option<Vec<u8>>, session_store::Failure> {
        self.lent.ranges.sessions.get(&name).await.map_err(sessions_failed)
    }

    async fn set(
        &mut self,
        name: String,
        value: Vec<u8>,
        lifetime: u32,
    ) -> Result<(), session_store::Failure> {
        self.lent.ranges.sessions.set(&name, &value, seconds(lifetime)).await.map_err(sessions_failed)
    }

    async fn replace(
        &mut self,
        name: String,
        expected: Vec<u8>,
        value: Vec<u8>,
        lifetime: u32,
    ) -> Result<bool, session_store::Failure> {
        let sessions = &self.lent.ranges.sessions;
        sessions.swap(&name, Some(&expected), &value, seconds(lifetime)).await.map_err(sessions_failed)
    }

    async fn delete(&mut self, name: String) -> Result<(), session_store::Failure> {
        self.lent.ranges.sessions.delete(&name).await.map_err(sessions_failed)
    }

    /// Traps where the guest holds more turns than a table can count.
    async fn take_turn(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<Resource<SessionTurn>, session_store::Failure>> {
        let term = Term { lifetime: limits::SESSION_TURN_TIME, patience: limits::SESSION_TURN_TIME };
        match self.lent.ranges.sessions.lease(&name, term).await {
            Ok(lease) => Ok(Ok(self.turns.push(SessionTurn { _lease: lease })?)),
            Err(error) => Ok(Err(sessions_failed(error))),
        }
    }
}

impl live_sessions::Host for Capabilities {
    async fn is_live(&mut self, id: String) -> Result<bool, String> {
        self.lent.ranges.is_live(&id).await
    }
}

impl Ranges {
    /// Whether there is a session with this id.
    pub(crate) async fn is_live(&self, id: &str) -> Result<bool, String> {
        match self.sessions.exists(id).await {
            Ok(live) => Ok(live),
            // No session has such a name.
            Err(StoreError::EmptyName | StoreError::TooLarge { .. }) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn grants_failed(error: StoreError) -> grant_store::Failure {
    tracing::warn!(%error, "the store of grants failed");
    match error {
        StoreError::Full { reason } => grant_store::Failure::Full(reason),
        other => grant_store::Failure::Unavailable(other.to_string()),
    }
}

impl grant_store::Host for Capabilities {
    async fn get(&mut self, name: String) -> Result<Option<Vec<u8>>, grant_store::Failure> {
        self.lent.ranges.grants.get(&name).await.map_err(grants_failed)
    }

    async fn set(&mut self, name: String, value: Vec<u8>, lifetime: u32) -> Result<(), grant_store::Failure> {
        self.lent.ranges.grants.set(&name, &value, seconds(lifetime)).await.map_err(grants_failed)
    }

    async fn take(&mut self, name: String) -> Result<Option<Vec<u8>>, grant_store::Failure> {
        self.lent.ranges.grants.take(&name).await.map_err(grants_failed)
    }

    async fn swap(
        &mut self,
        name: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
        lifetime: u32,
    ) -> Result<bool, grant_store::Failure> {
        let grants = &self.lent.ranges.grants;
        grants.swap(&name, expected.as_deref(), &value, seconds(lifetime)).await.map_err(grants_failed)
    }

    async fn delete(&mut self, name: String) -> Result<(), grant_store::Failure> {
        self.lent.ranges.grants.delete(&name).await.map_err(grants_failed)
    }

    async fn count(&mut self, prefix: String, most: u32) -> Result<u32, grant_store::Failure> {
        let counted = self.lent.ranges.grants.count(&prefix, most as usize).await.map_err(grants_failed)?;
        Ok(u32::try_from(counted).unwrap_or(u32::MAX))
    }
}
