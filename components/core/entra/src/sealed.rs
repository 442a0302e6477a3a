//! Secrets at rest: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), whose 192-bit nonces may be random.
//!
//! A record names the key that it was sealed with, so that keys can be changed: the first of them seals, the others still open what they sealed.
//! A record is bound to its place: the additional data names the tenant, the user and the record, so a sealed token that is moved to
//! another user's record does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::SecretSlice;
use sha2::{Digest as _, Sha256};

/// First byte of a record. Another format gets another number.
const FORMAT: u8 = 2;
/// Length of a key's name in bytes: with a handful of keys, two of one name are a one in a billion chance, and then both are tried.
const KEY_ID_BYTES: usize = 4;
/// Length of a nonce in bytes.
pub const NONCE_BYTES: usize = 24;
/// Length of a key in bytes.
pub const KEY_BYTES: usize = 32;

/// Which record of whom: what the seal is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Tenant of the user.
    pub tenant_id: &'a str,
    /// Object id of the user.
    pub object_id: &'a str,
    /// Name of the record.
    pub record: &'a str,
}

impl Place<'_> {
    fn bytes(self) -> Vec<u8> {
        format!("valet/{FORMAT}\n{}\n{}\n{}", self.tenant_id, self.object_id, self.record).into_bytes()
    }
}

/// The keys for records.
pub struct SealingKeys(Vec<(KeyId, XChaCha20Poly1305)>);

/// A key's name: the beginning of its digest, from which it cannot be found.
type KeyId = [u8; KEY_ID_BYTES];

impl SealingKeys {
    /// Keys of [`KEY_BYTES`] bytes each, the one that seals first; none if there is none, or one has another length.
    #[must_use]
    pub fn new(keys: &[impl AsRef<[u8]>]) -> Option<Self> {
        let key = |bytes: &[u8]| {
            let bytes: [u8; KEY_BYTES] = bytes.try_into().ok()?;
            let id = Sha256::new().chain_update("valet sealing key").chain_update(bytes).finalize();
            Some((*id.first_chunk()?, XChaCha20Poly1305::new(&Key::from(bytes))))
        };
        let keys: Vec<_> = keys.iter().map(|bytes| key(bytes.as_ref())).collect::<Option<_>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// The record for `plain` at `place`. `nonce` is random and used once.
    ///
    /// # Panics
    /// Never: a record is far below the cipher's limit of 256 GiB.
    #[must_use]
    pub fn seal(&self, plain: &[u8], place: Place<'_>, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        self.seal_bytes(plain, &place.bytes(), nonce)
    }

    /// The same for what belongs to nobody: `context` names what it is and where it belongs.
    ///
    /// # Panics
    /// Never, as above.
    #[must_use]
    pub fn seal_bytes(&self, plain: &[u8], context: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let (id, key) = &self.0[0];
        let payload = Payload { msg: plain, aad: context };
        let sealed =
            key.encrypt(&XNonce::from(nonce), payload).expect("a record is below the cipher's limit");
        [&[FORMAT], id.as_slice(), &nonce, &sealed].concat()
    }

    /// What was sealed at `place`; none for anything else, whatever is wrong with it: a record that does not open is no record.
    #[must_use]
    pub fn open(&self, record: &[u8], place: Place<'_>) -> Option<SecretSlice<u8>> {
        self.open_bytes(record, &place.bytes())
    }

    /// What was sealed with `context`; none for anything else.
    #[must_use]
    pub fn open_bytes(&self, record: &[u8], context: &[u8]) -> Option<SecretSlice<u8>> {
        let (&FORMAT, rest) = record.split_first()? else { return None };
        let (id, rest) = rest.split_first_chunk::<KEY_ID_BYTES>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let nonce = XNonce::from(*nonce);
        let mut named = self.0.iter().filter(|(known, _)| known == id);
        named
            .find_map(|(_, key)| key.decrypt(&nonce, Payload { msg: sealed, aad: context }).ok())
            .map(SecretSlice::from)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const PLACE: Place<'_> = Place { tenant_id: "t", object_id: "o", record: "r" };

    fn keys(bytes: &[u8]) -> SealingKeys {
        SealingKeys::new(&bytes.iter().map(|&byte| [byte; KEY_BYTES]).collect::<Vec<_>>()).unwrap()
    }

    fn record() -> Vec<u8> {
        keys(&[1]).seal(b"secret", PLACE, [7; NONCE_BYTES])
    }

    fn opened(keys: &SealingKeys, record: &[u8], place: Place<'_>) -> Option<Vec<u8>> {
        keys.open(record, place).map(|plain| plain.expose_secret().to_vec())
    }

    #[test]
    fn what_was_sealed_opens_at_its_place() {
        assert_eq!(opened(&keys(&[1]), &record(), PLACE).as_deref(), Some(&b"secret"[..]));
    }

    #[test]
    fn a_record_does_not_open_elsewhere_or_with_another_key() {
        assert_eq!(opened(&keys(&[2]), &record(), PLACE), None);
        for place in [
            Place { tenant_id: "x", ..PLACE },
            Place { object_id: "x", ..PLACE },
            Place { record: "x", ..PLACE },
        ] {
            assert_eq!(opened(&keys(&[1]), &record(), place), None, "{place:?}");
        }
    }

    #[test]
    fn keys_change_one_behind_the_other() {
        let after = keys(&[2, 1]);
        assert_eq!(
            opened(&after, &record(), PLACE).as_deref(),
            Some(&b"secret"[..]),
            "the old one still opens"
        );
        let newer = after.seal(b"secret", PLACE, [7; NONCE_BYTES]);
        assert_eq!(opened(&keys(&[1]), &newer, PLACE), None, "and no longer seals");
        assert_eq!(opened(&keys(&[2]), &newer, PLACE).as_deref(), Some(&b"secret"[..]));
    }

    #[test]
    fn a_record_changed_in_any_byte_does_not_open() {
        let whole = record();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert_eq!(opened(&keys(&[1]), &changed, PLACE), None, "byte {at}");
            assert_eq!(opened(&keys(&[1]), &whole[..at], PLACE), None, "cut at {at}");
        }
    }

    #[test]
    fn keys_of_another_length_and_no_keys_are_none() {
        assert!(SealingKeys::new(&[[0; 31]]).is_none());
        assert!(SealingKeys::new(&[[0; 33]]).is_none());
        assert!(SealingKeys::new(&[vec![0; 32], vec![0; 31]]).is_none());
        assert!(SealingKeys::new(&[[0_u8; 32]; 0]).is_none());
    }
}
