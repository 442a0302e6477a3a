//! The portable signature check: RS256 in pure Rust, for hosts that lend none.
//!
//! About thirty times slower than our host's native check (see docs/performance.md); the answers are the same.

mod bindings;

use bindings::exports::valet::crypto::signature::{Algorithm, Failure, Guest, RsaPublicKey};
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier;
use rsa::{BigUint, RsaPublicKey as Key};
use sha2::Sha256;

/// Modulus sizes in bits that are accepted, the same as the native check's.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

struct Component;

impl Guest for Component {
    fn verify(
        algorithm: Algorithm,
        key: RsaPublicKey,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<(), Failure> {
        match algorithm {
            Algorithm::Rs256 => rs256(&key, &message, &signature),
        }
    }
}

fn rs256(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
    let n = BigUint::from_bytes_be(&key.n);
    let e = BigUint::from_bytes_be(&key.e);
    if !MODULUS_BITS.contains(&n.bits()) || e != BigUint::from(65537_u32) {
        return Err(Failure::UnsupportedKey);
    }
    // RFC 8017 section 8.2.2, step 1: a signature is exactly as long as the modulus.
    if signature.len() != key.n.len() {
        return Err(Failure::Mismatch);
    }
    let key = Key::new(n, e).map_err(|_| Failure::UnsupportedKey)?;
    let signature = Signature::try_from(signature).map_err(|_| Failure::Mismatch)?;
    VerifyingKey::<Sha256>::new(key).verify(message, &signature).map_err(|_| Failure::Mismatch)
}
