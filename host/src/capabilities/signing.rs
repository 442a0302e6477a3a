//! `token-signing` and `own-keys`: the two halves of the key of our own authorization server.

use super::Capabilities;
use crate::parts::bindings::authorization::valet::capability::token_signing;
use crate::parts::bindings::identity::valet::capability::own_keys;

impl own_keys::Host for Capabilities {
    async fn key_set(&mut self) -> Result<String, String> {
        self.lent.signing_key.key_set().await
    }
}

impl token_signing::Host for Capabilities {
    async fn key_id(&mut self) -> Result<String, String> {
        self.lent.signing_key.key_id().await
    }

    async fn sign(&mut self, message: Vec<u8>) -> Result<Vec<u8>, String> {
        self.lent.signing_key.sign(&message).await
    }
}
