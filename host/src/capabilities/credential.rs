//! `credential`: the secrets of the confidential client, for the one component that is linked to it.

use secrecy::ExposeSecret as _;

use super::Capabilities;
use crate::parts::bindings::custodian::valet::capability::credential::{Failure, Host};

impl Host for Capabilities {
    fn client_secret(&mut self) -> Result<String, Failure> {
        match &self.lent.client_secret {
            Some(secret) => Ok(secret.expose_secret().to_owned()),
            None => Err(Failure::Missing("entra.client_secret_file or VALET_CLIENT_SECRET".to_owned())),
        }
    }

    fn sealing_keys(&mut self) -> Result<Vec<Vec<u8>>, Failure> {
        Ok(self.lent.sealing_keys.iter().map(|key| key.to_vec()).collect())
    }
}
