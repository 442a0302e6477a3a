//! `valet:crypto/signature` by aws-lc: the same answers as the portable component, some thirty times faster.
//!
//! A signature check is a pure function of public values, so two of its results are kept for speed: parsed keys, and which signatures were
//! good. Neither decides about a token: whether the key is trusted, and what the claims say, is judged with each token (and see `remembered`).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::Capabilities;
use crate::limits;
use crate::parts::bindings::identity::valet::crypto::signature::{Algorithm, Failure, Host, RsaPublicKey};

/// Modulus sizes in bytes that are accepted, the same as the portable component's.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// 65537, big-endian.
const EXPONENT: [u8; 3] = [1, 0, 1];

impl Host for Capabilities {
    fn verify(
        &mut self,
        algorithm: Algorithm,
        key: RsaPublicKey,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<(), Failure> {
        match algorithm {
            Algorithm::Rs256 => {
                self.lent.signatures.rs256(&key.n, &key.e, &message, &signature).map_err(|failure| {
                    match failure {
                        SignatureFailure::UnsupportedKey => Failure::UnsupportedKey,
                        SignatureFailure::Mismatch => Failure::Mismatch,
                    }
                })
            }
        }
    }
}

/// Why a signature was not accepted, as in `wit/crypto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFailure {
    /// The key's size or exponent is not supported.
    UnsupportedKey,
    /// The signature does not verify.
    Mismatch,
}

/// Checks signatures and remembers what cannot change.
#[derive(Default)]
pub struct SignatureChecks {
    keys: RwLock<HashMap<Vec<u8>, Arc<ParsedPublicKey>>>,
    good: RwLock<HashSet<[u8; 32]>>,
}

impl SignatureChecks {
    /// Succeeds only if `signature` was made over exactly `message` with RS256 by the private half of the key with modulus `n` and exponent `e`,
    /// big-endian without leading zero bytes.
    ///
    /// # Errors
    /// See [`SignatureFailure`].
    pub fn rs256(
        &self,
        n: &[u8],
        e: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFailure> {
        let name = digest([n, e, message, signature]);
        if self.good.read().unwrap_or_else(PoisonError::into_inner).contains(&name) {
            return Ok(());
        }
        self.parsed(n, e)?.verify_sig(message, signature).map_err(|_| SignatureFailure::Mismatch)?;
        self.remember(name);
        Ok(())
    }

    fn remember(&self, name: [u8; 32]) {
        let mut good = self.good.write().unwrap_or_else(PoisonError::into_inner);
        // Forgetting all at once is crude and costs each live token one check.
        if good.len() >= limits::REMEMBERED_SIGNATURES {
            good.clear();
        }
        good.insert(name);
    }

    fn parsed(&self, n: &[u8], e: &[u8]) -> Result<Arc<ParsedPublicKey>, SignatureFailure> {
        if !is_supported(n, e) {
            return Err(SignatureFailure::UnsupportedKey);
        }
        // By the modulus alone: only keys with the one exponent get in.
        if let Some(parsed) = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(n) {
            return Ok(Arc::clone(parsed));
        }
        let components = RsaPublicKeyComponents { n, e };
        let parsed = components
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| SignatureFailure::UnsupportedKey)?;
        let parsed = Arc::new(parsed);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= limits::PARSED_KEYS {
            keys.clear();
        }
        keys.insert(n.to_vec(), Arc::clone(&parsed));
        Ok(parsed)
    }
}

/// Whether the portable component supports the key too: whole bytes from the first bit on, odd, and the exponent in its one spelling.
fn is_supported(n: &[u8], e: &[u8]) -> bool {
    MODULUS_BYTES.contains(&n.len())
        && n.first().is_some_and(|first| first >> 7 == 1)
        && n.last().is_some_and(|last| last & 1 == 1)
        && e == EXPONENT
}

/// One name for the whole question. Each part is preceded by its length, so no two questions have one name.
fn digest(parts: [&[u8]; 4]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The native check's word on a key, and the portable one's, for one and the same signature.
    fn both(checks: &SignatureChecks, n: &[u8], e: &[u8], signature: &[u8]) -> [Result<(), &'static str>; 2] {
        let portable = valet_core_rs256::verify(&valet_core_rs256::PublicKey { n, e }, b"message", signature);
        [
            checks.rs256(n, e, b"message", signature).map_err(|failure| match failure {
                SignatureFailure::UnsupportedKey => "unsupported",
                SignatureFailure::Mismatch => "mismatch",
            }),
            portable.map_err(|failure| match failure {
                valet_core_rs256::Failure::UnsupportedKey => "unsupported",
                valet_core_rs256::Failure::Mismatch => "mismatch",
            }),
        ]
    }

    #[test]
    fn native_and_portable_check_refuse_alike() {
        use aws_lc_rs::rsa::{KeyPair, KeySize};
        use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};

        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let mut good = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), b"message", &mut good).unwrap();
        let n = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let checks = SignatureChecks::default();
        assert_eq!(both(&checks, &n, &EXPONENT, &good), [Ok(()); 2]);

        // With the good key in the memory of parsed keys: another exponent must not find it.
        for e in [&[][..], &[3], &[1, 0, 3], &[0, 1, 0, 1]] {
            assert_eq!(both(&checks, &n, e, &good), [Err("unsupported"); 2], "{e:?}");
        }
        let mut even = n.clone();
        even[255] ^= 1;
        assert_eq!(both(&checks, &even, &EXPONENT, &good), [Err("unsupported"); 2]);
        for (length, first) in
            [(0, 0), (255, 0xff), (256, 0x7f), (257, 0), (257, 1), (512, 0x7f), (513, 0x80)]
        {
            let mut n = vec![0xff; length];
            n.iter_mut().take(1).for_each(|byte| *byte = first);
            assert_eq!(
                both(&checks, &n, &EXPONENT, &good),
                [Err("unsupported"); 2],
                "{length} from {first:x}"
            );
        }
        for (length, first) in [(256, 0x80), (257, 0x80), (384, 0xff), (511, 0x80), (512, 0xff)] {
            let mut n = vec![0xff; length];
            n[0] = first;
            for signature in [&good[..], &vec![1; length], &[]] {
                assert_eq!(
                    both(&checks, &n, &EXPONENT, signature),
                    [Err("mismatch"); 2],
                    "{length} from {first:x}"
                );
            }
        }
        for signature in [&good[1..], &[&good[..], &[0]].concat(), &n] {
            assert_eq!(both(&checks, &n, &EXPONENT, signature), [Err("mismatch"); 2]);
        }
        assert_eq!(both(&checks, &n, &EXPONENT, &good), [Ok(()); 2]);
    }

    #[test]
    fn what_is_refused_leaves_nothing_behind() {
        use aws_lc_rs::rsa::{KeyPair, KeySize};
        use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};

        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let n = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
        let checks = SignatureChecks::default();
        for number in 0..1000_u32 {
            let refused = checks.rs256(&n, &EXPONENT, &number.to_le_bytes(), &[1; 256]);
            assert_eq!(refused, Err(SignatureFailure::Mismatch));
            assert_eq!(checks.rs256(&n, &[3], b"", &[]), Err(SignatureFailure::UnsupportedKey));
        }
        let sizes = || (checks.good.read().unwrap().len(), checks.keys.read().unwrap().len());
        assert_eq!(sizes(), (0, 1), "the one key, and no signature");

        let mut good = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), b"message", &mut good).unwrap();
        assert_eq!(checks.rs256(&n, &EXPONENT, b"message", &good), Ok(()));
        assert_eq!(sizes(), (1, 1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let checks = SignatureChecks::default();
        for number in 0..limits::REMEMBERED_SIGNATURES {
            checks.remember(digest([&number.to_le_bytes(), b"", b"", b""]));
        }
        assert_eq!(checks.good.read().unwrap().len(), limits::REMEMBERED_SIGNATURES);
        checks.remember(digest([b"one more", b"", b"", b""]));
        assert_eq!(checks.good.read().unwrap().len(), 1);
        for number in 0..=limits::PARSED_KEYS {
            let mut n = vec![0xff; 256];
            n[100..108].copy_from_slice(&number.to_le_bytes());
            assert!(checks.parsed(&n, &EXPONENT).is_ok());
        }
        assert_eq!(checks.keys.read().unwrap().len(), 1);
    }
}
