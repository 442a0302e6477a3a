//! `key-cache` and `token-store`: two ranges of the host's store.

use super::Capabilities;
use crate::parts::bindings::custodian::valet::capability::token_store;
use crate::parts::bindings::identity::valet::capability::key_cache;
use crate::store::{Range, StoreError};

impl key_cache::Host for Capabilities {
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
