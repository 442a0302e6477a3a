//! Tokens at rest: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), whose 192-bit nonces may be random.
//!
//! A record is bound to its place: the additional data names the tenant, the user and the record, so a sealed token that is moved to
//! another user's record does not open.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// First byte of a record. Another format gets another number, and old records stay readable.
const FORMAT: u8 = 1;
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

/// A key for records.
pub struct SealingKey(XChaCha20Poly1305);

/// A token and when it ends.
pub struct Kept {
    /// The access token.
    pub access_token: SecretString,
    /// End of its validity, in seconds since the Unix epoch.
    pub expires_at: u64,
}

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    access_token: std::borrow::Cow<'a, str>,
    expires_at: u64,
}

impl SealingKey {
    /// A key from [`KEY_BYTES`] bytes; none if there are more or fewer.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; KEY_BYTES] = bytes.try_into().ok()?;
        Some(Self(XChaCha20Poly1305::new(&Key::from(bytes))))
    }

    /// The record for `kept` at `place`. `nonce` is random and used once.
    #[must_use]
    pub fn seal(&self, kept: &Kept, place: Place<'_>, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let plain =
            Plain { access_token: kept.access_token.expose_secret().into(), expires_at: kept.expires_at };
        let plain = serde_json::to_vec(&plain).expect("text and a number serialise");
        self.seal_bytes(&plain, &place.bytes(), nonce)
    }

    /// What was sealed at `place`; none for anything else, whatever is wrong with it: a record that does not open is no record.
    #[must_use]
    pub fn open(&self, record: &[u8], place: Place<'_>) -> Option<Kept> {
        let plain = self.open_bytes(record, &place.bytes())?;
        let plain: Plain<'_> = serde_json::from_slice(&plain).ok()?;
        Some(Kept { access_token: plain.access_token.into_owned().into(), expires_at: plain.expires_at })
    }

    /// A record of any bytes, bound to `context`, which names what they are and where they belong. `nonce` is random and used once.
    #[must_use]
    pub fn seal_bytes(&self, plain: &[u8], context: &[u8], nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: context };
        let sealed =
            self.0.encrypt(&XNonce::from(nonce), payload).expect("a record is far below the cipher's limit");
        let mut record = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        record.push(FORMAT);
        record.extend_from_slice(&nonce);
        record.extend_from_slice(&sealed);
        record
    }

    /// The bytes that were sealed for `context`; none for anything else.
    #[must_use]
    pub fn open_bytes(&self, record: &[u8], context: &[u8]) -> Option<Vec<u8>> {
        let (&FORMAT, rest) = record.split_first()? else { return None };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>()?;
        self.0.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: context }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { tenant_id: "t", object_id: "o", record: "r" };

    fn key(byte: u8) -> SealingKey {
        SealingKey::new(&[byte; KEY_BYTES]).unwrap()
    }

    fn record() -> Vec<u8> {
        key(1).seal(
            &Kept { access_token: "secret".to_owned().into(), expires_at: 9 },
            PLACE,
            [7; NONCE_BYTES],
        )
    }

    #[test]
    fn what_was_sealed_opens_at_its_place() {
        let kept = key(1).open(&record(), PLACE).unwrap();
        assert_eq!((kept.access_token.expose_secret(), kept.expires_at), ("secret", 9));
    }

    #[test]
    fn a_record_does_not_open_elsewhere_or_with_another_key() {
        assert!(key(2).open(&record(), PLACE).is_none());
        for place in [
            Place { tenant_id: "x", ..PLACE },
            Place { object_id: "x", ..PLACE },
            Place { record: "x", ..PLACE },
        ] {
            assert!(key(1).open(&record(), place).is_none(), "{place:?}");
        }
    }

    #[test]
    fn bytes_open_in_their_context_only() {
        let record = key(1).seal_bytes(b"plain", b"here", [7; NONCE_BYTES]);
        assert_eq!(key(1).open_bytes(&record, b"here").as_deref(), Some(b"plain".as_slice()));
        assert_eq!(key(1).open_bytes(&record, b"there"), None);
        assert_eq!(key(2).open_bytes(&record, b"here"), None);
    }

    #[test]
    fn a_record_changed_in_any_byte_does_not_open() {
        let whole = record();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(key(1).open(&changed, PLACE).is_none(), "byte {at}");
            assert!(key(1).open(&whole[..at], PLACE).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        assert!(SealingKey::new(&[0; 31]).is_none());
        assert!(SealingKey::new(&[0; 33]).is_none());
    }
}
