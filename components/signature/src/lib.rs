//! The portable signature check, for hosts that lend none: `valet-core-rs256` behind `valet:crypto/signature`.
//!
//! Slower than our host's native check (see docs/performance.md); the answers are the same.

mod bindings;

use bindings::exports::valet::crypto::signature::{Algorithm, Failure, Guest, RsaPublicKey};
use valet_core_rs256::{PublicKey, verify};

struct Component;

impl Guest for Component {
    fn verify(
        algorithm: Algorithm,
        key: RsaPublicKey,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<(), Failure> {
        match algorithm {
            Algorithm::Rs256 => verify(&PublicKey { n: &key.n, e: &key.e }, &message, &signature),
        }
        .map_err(|failure| match failure {
            valet_core_rs256::Failure::UnsupportedKey => Failure::UnsupportedKey,
            valet_core_rs256::Failure::Mismatch => Failure::Mismatch,
        })
    }
}
