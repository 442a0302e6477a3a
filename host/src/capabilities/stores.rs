//! `key-cache` and `token-store`: two ranges of the host's store, and the turns of those who renew an entry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;
use wasmtime::component::Resource;

use super::Capabilities;
use crate::parts::bindings::custodian::valet::capability::token_store;
use crate::parts::bindings::identity::valet::capability::key_cache;
use crate::store::{Range, StoreError};

/// One queue for each name of an entry. Names come from the configuration, so there are few.
#[derive(Default)]
pub struct Turns(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

/// The right to renew one entry. It ends when the guest drops it, and with the guest's store.
pub struct Turn {
    _guard: OwnedMutexGuard<()>,
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

    fn get(&mut self, name: String) -> Option<Vec<u8>> {
        self.lent.store.get(Range::Keys, &name).unwrap_or_else(|error| {
            tracing::warn!(%error, "the key cache cannot be read");
            None
        })
    }

    fn set(&mut self, name: String, value: Vec<u8>) {
        if let Err(error) = self.lent.store.set(Range::Keys, &name, &value) {
            tracing::warn!(%error, "the key cache cannot be written");
        }
    }
}

fn unavailable(error: StoreError) -> token_store::Failure {
    tracing::warn!(%error, "the token store failed");
    token_store::Failure::Unavailable(error.to_string())
}

impl token_store::Host for Capabilities {
    fn get(&mut self, name: String) -> Result<Option<Vec<u8>>, token_store::Failure> {
        self.lent.store.get(Range::Tokens, &name).map_err(unavailable)
    }

    fn set(&mut self, name: String, value: Vec<u8>) -> Result<(), token_store::Failure> {
        self.lent.store.set(Range::Tokens, &name, &value).map_err(unavailable)
    }

    fn delete(&mut self, name: String) -> Result<(), token_store::Failure> {
        self.lent.store.delete(Range::Tokens, &name).map_err(unavailable)
    }
}
