//! A token of a downstream API as it is kept until shortly before it ends.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::sealed::{NONCE_BYTES, Place, SealingKeys};

/// A token this close to its end, in seconds, is obtained anew: what MSAL does, and enough for a slow call with retries.
pub const RENEW_BEFORE: u64 = 300;

/// A token and when it ends.
#[derive(Debug, Clone)]
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

impl Kept {
    /// Whether it can still be used at `now`.
    #[must_use]
    pub fn is_fresh(&self, now: u64) -> bool {
        self.expires_at > now.saturating_add(RENEW_BEFORE)
    }

    /// The record for `place`.
    ///
    /// # Panics
    /// Never: text and a number serialise.
    #[must_use]
    pub fn seal(&self, keys: &SealingKeys, place: Place<'_>, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let plain =
            Plain { access_token: self.access_token.expose_secret().into(), expires_at: self.expires_at };
        keys.seal(&serde_json::to_vec(&plain).expect("text and a number serialise"), place, nonce)
    }

    /// What was sealed at `place`; none for anything else.
    #[must_use]
    pub fn open(keys: &SealingKeys, record: &[u8], place: Place<'_>) -> Option<Self> {
        let plain = keys.open(record, place)?;
        let plain: Plain<'_> = serde_json::from_slice(plain.expose_secret()).ok()?;
        Some(Self { access_token: plain.access_token.into_owned().into(), expires_at: plain.expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place { tenant_id: "t", object_id: "o", record: "r" };

    #[test]
    fn a_token_opens_as_it_was_sealed_and_does_not_print() {
        let keys = SealingKeys::new(&[[1; 32]]).unwrap();
        let kept = Kept { access_token: "secret".to_owned().into(), expires_at: 1000 };
        let record = kept.seal(&keys, PLACE, [7; NONCE_BYTES]);
        let opened = Kept::open(&keys, &record, PLACE).unwrap();
        assert_eq!((opened.access_token.expose_secret(), opened.expires_at), ("secret", 1000));
        assert!(!format!("{opened:?}").contains("secret"));
        let foreign = keys.seal(b"{}", PLACE, [7; NONCE_BYTES]);
        assert!(Kept::open(&keys, &foreign, PLACE).is_none(), "another kind of record");
    }

    #[test]
    fn it_is_renewed_five_minutes_before_its_end() {
        let kept = Kept { access_token: "t".to_owned().into(), expires_at: 1000 };
        assert!(kept.is_fresh(699) && !kept.is_fresh(700) && !kept.is_fresh(u64::MAX));
    }
}
