//! Seals values with keys that are derived from the operator's sealing keys, one label a purpose.
//!
//! AES-256-GCM-SIV (RFC 8452), which stays safe for more random nonces than anyone will ever draw. The keys are derived under the label (HKDF-SHA256,
//! RFC 5869), so processes that share a sealing key open what the others sealed, and nothing sealed for one purpose opens for another.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretBox};

/// First byte of what is sealed. Another format gets another number.
const FORMAT: u8 = 1;

/// Bytes by which a value grows: format, nonce and tag.
pub(crate) const OVERHEAD_BYTES: usize = 1 + NONCE_LEN + 16;

/// The operator's sealing keys, 32 bytes each, at least one. The first one seals; what the others sealed can still be opened.
#[derive(Debug)]
pub struct SealingKeys(Vec<SecretBox<[u8; 32]>>);

impl SealingKeys {
    /// These keys; none if there is none.
    #[must_use]
    pub fn new(keys: Vec<SecretBox<[u8; 32]>>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// A random key, for what ends with the process.
    ///
    /// # Panics
    /// When the system has no randomness.
    #[must_use]
    pub fn random() -> Self {
        let key = SecretBox::init_with_mut(|key: &mut [u8; 32]| {
            aws_lc_rs::rand::fill(key).expect("the system's random source works");
        });
        Self(vec![key])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.0.iter().map(|key| key.expose_secret())
    }
}

/// Seals for one purpose.
pub(crate) struct Seal(Vec<RandomizedNonceKey>);

impl Seal {
    /// What `label` (RFC 5869, `info`) is sealed with. A label is the name of one purpose.
    pub(crate) fn new(keys: &SealingKeys, label: &[u8]) -> Self {
        let derived = |sealing_key: &[u8; 32]| {
            let mut key = Zeroizing::new([0; 32]);
            let extracted = Salt::new(HKDF_SHA256, &[]).extract(sealing_key);
            extracted
                .expand(&[label], HKDF_SHA256)
                .and_then(|key_material| key_material.fill(key.as_mut_slice()))
                .expect("32 bytes");
            RandomizedNonceKey::new(&AES_256_GCM_SIV, key.as_slice()).expect("32 bytes")
        };
        Self(keys.iter().map(derived).collect())
    }

    /// `value`, so that it opens only with the same `bound_to`. The error is for the log.
    pub(crate) fn seal(&self, value: &[u8], bound_to: &[u8]) -> Result<Vec<u8>, String> {
        let mut text = value.to_vec();
        let nonce = self.0[0].seal_in_place_append_tag(place(bound_to), &mut text);
        let nonce = nonce.map_err(|_| "the system's random source failed".to_owned())?;
        Ok([&[FORMAT], nonce.as_ref().as_slice(), &text].concat())
    }

    /// Whether the key that seals now has sealed this: if not, its key may be gone soon.
    pub(crate) fn is_current(&self, sealed: &[u8], bound_to: &[u8]) -> bool {
        opened(&self.0[0], sealed, bound_to).is_some()
    }

    /// What was sealed; none for anything else.
    pub(crate) fn open(&self, sealed: &[u8], bound_to: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.0.iter().find_map(|key| opened(key, sealed, bound_to))
    }
}

fn opened(key: &RandomizedNonceKey, sealed: &[u8], bound_to: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (&FORMAT, rest) = sealed.split_first()? else { return None };
    let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
    let mut text = Zeroizing::new(text.to_vec());
    let length = key.open_in_place(Nonce::from(nonce), place(bound_to), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

/// The additional data.
fn place(bound_to: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([&[FORMAT], bound_to].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> SealingKeys {
        SealingKeys::new(bytes.iter().map(|&byte| SecretBox::new(Box::new([byte; 32]))).collect()).unwrap()
    }

    #[test]
    fn it_opens_for_its_purpose_and_place_alone() {
        let seal = Seal::new(&keys(&[1]), b"a");
        let sealed = seal.seal(b"value", b"place").unwrap();
        assert_eq!(sealed.len(), "value".len() + OVERHEAD_BYTES);
        assert_eq!(seal.open(&sealed, b"place").unwrap().as_slice(), b"value");
        assert_eq!(seal.open(&sealed, b"elsewhere"), None);
        assert_eq!(Seal::new(&keys(&[1]), b"b").open(&sealed, b"place"), None);
        assert_eq!(Seal::new(&keys(&[2]), b"a").open(&sealed, b"place"), None);
    }

    #[test]
    fn keys_change_one_behind_the_other() {
        let old = Seal::new(&keys(&[1]), b"a").seal(b"value", b"").unwrap();
        let both = Seal::new(&keys(&[2, 1]), b"a");
        assert_eq!(both.open(&old, b"").unwrap().as_slice(), b"value");
        assert!(!both.is_current(&old, b""));
        let new = both.seal(b"value", b"").unwrap();
        assert!(both.is_current(&new, b"") && !both.is_current(&new, b"elsewhere"));
        assert_eq!(Seal::new(&keys(&[1]), b"a").open(&new, b""), None);
        assert!(SealingKeys::new(Vec::new()).is_none());
    }
}
