//! `request-state`: seals what a client carries for us between two rounds of a request.
//!
//! AES-256-GCM-SIV (RFC 8452), which stays safe for more random nonces than anyone will ever draw. Its key is derived from the sealing key under a label of
//! its own (HKDF-SHA256, RFC 5869), so processes that share a sealing key open what the others sealed, and nothing sealed for one purpose opens for another.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Capabilities;
use crate::limits::REQUEST_STATE_BYTES;
use crate::parts::bindings::request::valet::capability::request_state::{Host, Refusal};

/// First byte of what is sealed. Another format gets another number.
const FORMAT: u8 = 1;
/// What the key is for (RFC 5869, `info`).
const LABEL: &[u8] = b"valet request-state 1";
/// The end of its life in seconds since the Unix epoch stands before the value.
const EXPIRY_BYTES: usize = 8;
/// Longest text that can have been sealed here.
const MOST_TEXT: usize = (1 + NONCE_LEN + EXPIRY_BYTES + REQUEST_STATE_BYTES + 16).div_ceil(3) * 4;

impl Host for Capabilities {
    fn seal(&mut self, value: Vec<u8>, bound_to: Vec<u8>, lifetime: u32) -> Result<String, String> {
        self.lent.request_state.seal(&value, &bound_to, lifetime, now())
    }

    fn open(&mut self, sealed: String, bound_to: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        self.lent.request_state.open(&sealed, &bound_to, now())
    }
}

/// Seconds since the Unix epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The key that request states are sealed with.
pub struct RequestState(RandomizedNonceKey);

impl RequestState {
    /// The key that belongs to `sealing_key`.
    ///
    /// # Panics
    /// Never: the lengths are those of the algorithms.
    #[must_use]
    pub fn new(sealing_key: &[u8; 32]) -> Self {
        let mut key = [0; 32];
        let derived = Salt::new(HKDF_SHA256, &[]).extract(sealing_key);
        derived
            .expand(&[LABEL], HKDF_SHA256)
            .and_then(|key_material| key_material.fill(&mut key))
            .expect("32 bytes");
        Self(RandomizedNonceKey::new(&AES_256_GCM_SIV, &key).expect("32 bytes"))
    }

    fn seal(&self, value: &[u8], bound_to: &[u8], lifetime: u32, now: u64) -> Result<String, String> {
        if value.len() > REQUEST_STATE_BYTES {
            return Err(format!(
                "a state of {} bytes; at most {REQUEST_STATE_BYTES} are sealed",
                value.len()
            ));
        }
        let mut text = now.saturating_add(lifetime.into()).to_be_bytes().to_vec();
        text.extend_from_slice(value);
        let nonce = self.0.seal_in_place_append_tag(place(bound_to), &mut text);
        let nonce = nonce.map_err(|_| "the system's random source failed".to_owned())?;
        let sealed = [&[FORMAT], nonce.as_ref().as_slice(), &text].concat();
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(&self, sealed: &str, bound_to: &[u8], now: u64) -> Result<Vec<u8>, Refusal> {
        let opened = self.opened(sealed, bound_to).ok_or(Refusal::Invalid)?;
        let (expiry, value) = opened.split_first_chunk::<EXPIRY_BYTES>().ok_or(Refusal::Invalid)?;
        if now >= u64::from_be_bytes(*expiry) {
            return Err(Refusal::Expired);
        }
        Ok(value.to_vec())
    }

    fn opened(&self, sealed: &str, bound_to: &[u8]) -> Option<Vec<u8>> {
        if sealed.len() > MOST_TEXT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (&FORMAT, rest) = bytes.split_first()? else { return None };
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let length = self.0.open_in_place(Nonce::from(nonce), place(bound_to), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// The additional data.
fn place(bound_to: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([&[FORMAT], bound_to].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn state(byte: u8) -> RequestState {
        RequestState::new(&[byte; 32])
    }

    fn sealed() -> String {
        state(1).seal(b"round 1", b"alex", 600, NOW).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_its_lifetime() {
        let opened = |now| state(1).open(&sealed(), b"alex", now);
        assert_eq!(opened(NOW), Ok(b"round 1".to_vec()));
        assert_eq!(opened(NOW + 599), Ok(b"round 1".to_vec()));
        assert_eq!(opened(NOW + 600), Err(Refusal::Expired));
        assert_eq!(opened(u64::MAX), Err(Refusal::Expired));
        let empty = state(1).seal(b"", b"", 1, NOW).unwrap();
        assert_eq!(state(1).open(&empty, b"", NOW), Ok(Vec::new()));
    }

    #[test]
    fn it_opens_nowhere_else() {
        assert_eq!(state(1).open(&sealed(), b"adele", NOW), Err(Refusal::Invalid), "for someone else");
        assert_eq!(state(1).open(&sealed(), b"", NOW), Err(Refusal::Invalid), "for nobody");
        assert_eq!(state(2).open(&sealed(), b"alex", NOW), Err(Refusal::Invalid), "with another key");
        assert_eq!(
            state(2).open(&sealed(), b"alex", NOW + 600),
            Err(Refusal::Invalid),
            "even when it is too late"
        );
    }

    #[test]
    fn a_change_of_any_byte_is_found() {
        let bytes = URL_SAFE_NO_PAD.decode(sealed()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let open = |bytes: &[u8]| state(1).open(&URL_SAFE_NO_PAD.encode(bytes), b"alex", NOW);
            assert_eq!(open(&changed), Err(Refusal::Invalid), "byte {at}");
            assert_eq!(open(&bytes[..at]), Err(Refusal::Invalid), "cut at {at}");
        }
    }

    #[test]
    fn text_that_was_never_sealed_is_refused() {
        let long = "A".repeat(MOST_TEXT + 1);
        for text in [
            "",
            "A",
            "====",
            "a b",
            "ä",
            "AQ",
            sealed().to_uppercase().as_str(),
            &format!("{}=", sealed()),
            &long,
        ] {
            assert_eq!(state(1).open(text, b"alex", NOW), Err(Refusal::Invalid), "{text:.40}");
        }
    }

    #[test]
    fn a_value_has_to_fit() {
        let most = state(1).seal(&[7; REQUEST_STATE_BYTES], b"alex", 600, NOW).unwrap();
        assert_eq!(state(1).open(&most, b"alex", NOW), Ok(vec![7; REQUEST_STATE_BYTES]));
        assert_eq!(
            state(1).seal(&[7; REQUEST_STATE_BYTES + 1], b"alex", 600, NOW).unwrap_err(),
            "a state of 65537 bytes; at most 65536 are sealed"
        );
    }

    #[test]
    fn the_same_value_is_sealed_differently_each_time() {
        assert_ne!(sealed(), sealed());
        assert!(sealed().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
    }
}
