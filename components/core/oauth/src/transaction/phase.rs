//! The two phases of a transaction, and what belongs to Entra's.

use core::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::secret::{self, Random};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "f")]
pub(super) enum Phase {
    /// A person is asked.
    #[serde(rename = "a")]
    Asking {
        #[serde(rename = "x")]
        csrf: String,
    },
    /// Entra is asked.
    #[serde(rename = "e")]
    AtEntra {
        #[serde(rename = "y")]
        state: String,
        #[serde(rename = "n")]
        nonce: String,
        #[serde(rename = "v")]
        verifier: String,
        #[serde(rename = "g")]
        basis: Basis,
    },
}

impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Asking { .. } => "Asking",
            Self::AtEntra { .. } => "AtEntra",
        })
    }
}

/// Why it goes on to Entra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// The person at this browser gave permission on our page, in this transaction.
    #[serde(rename = "g")]
    Given,
    /// The user that this browser was last signed in as gave it before. It has to be true of whoever comes back.
    #[serde(rename = "r")]
    Remembered,
}

/// Random bytes for what is sent to Entra, each for one secret.
pub struct EntraSecrets {
    /// For `state`.
    pub state: Random,
    /// For `nonce`.
    pub nonce: Random,
    /// For the code verifier of our own PKCE with Entra.
    pub verifier: Random,
}

/// What goes into the authorization request to Entra, all of it for this transaction alone.
#[derive(Debug)]
pub struct EntraRequest {
    /// `state`.
    pub state: SecretString,
    /// `nonce`.
    pub nonce: SecretString,
    /// The verifier, whose S256 challenge is sent.
    pub verifier: SecretString,
}

impl Phase {
    pub(super) fn at_entra(secrets: &EntraSecrets, basis: Basis) -> Self {
        let text = |random| secret::text(random).expose_secret().to_owned();
        Self::AtEntra {
            state: text(&secrets.state),
            nonce: text(&secrets.nonce),
            verifier: text(&secrets.verifier),
            basis,
        }
    }
}
