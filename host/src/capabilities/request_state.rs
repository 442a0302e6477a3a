//! `request-state`: seals what a client or a browser carries for us from one request to the next.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;

use super::{Capabilities, now};
use crate::limits::REQUEST_STATE_BYTES;
use crate::parts::bindings::request::valet::capability::request_state::{Host, Refusal};
use crate::seal::{OVERHEAD_BYTES, Seal, SealingKeys};

/// What the keys are for: what MCP clients carry for the gateway, what browsers carry for the authorization server, and links, which the one makes and the other opens. None
/// opens for another.
const CLIENTS: &[u8] = b"valet request-state 1";
const BROWSERS: &[u8] = b"valet browser-state 1";
const LINKS: &[u8] = b"valet link 1";
/// The end of its life in seconds since the Unix epoch stands before the value.
const EXPIRY_BYTES: usize = 8;
/// Longest text that can have been sealed here.
const MOST_TEXT: usize = (OVERHEAD_BYTES + EXPIRY_BYTES + REQUEST_STATE_BYTES).div_ceil(3) * 4;

impl Host for Capabilities {
    fn seal(&mut self, value: Vec<u8>, bound_to: Vec<u8>, lifetime: u32) -> Result<String, String> {
        self.carried().seal(&value, &bound_to, lifetime, now())
    }

    fn open(&mut self, sealed: String, bound_to: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        self.carried().open(&sealed, &bound_to, now())
    }

    fn seal_link(&mut self, value: Vec<u8>, lifetime: u32) -> Result<String, String> {
        self.lent.link_state.seal(&value, b"", lifetime, now())
    }

    fn open_link(&mut self, sealed: String) -> Result<Vec<u8>, Refusal> {
        self.lent.link_state.open(&sealed, b"", now())
    }
}

impl Capabilities {
    /// What is sealed for whom this artifact's states are carried by.
    fn carried(&self) -> &RequestState {
        if self.for_browsers { &self.lent.browser_state } else { &self.lent.request_state }
    }
}

/// What request states are sealed with.
pub struct RequestState(Seal);

impl RequestState {
    /// For what MCP clients carry.
    #[must_use]
    pub fn of_clients(keys: &SealingKeys) -> Self {
        Self(Seal::new(keys, CLIENTS))
    }

    /// For what browsers carry.
    #[must_use]
    pub fn of_browsers(keys: &SealingKeys) -> Self {
        Self(Seal::new(keys, BROWSERS))
    }

    /// For links from the one to the other.
    #[must_use]
    pub fn of_links(keys: &SealingKeys) -> Self {
        Self(Seal::new(keys, LINKS))
    }

    fn seal(&self, value: &[u8], bound_to: &[u8], lifetime: u32, now: u64) -> Result<String, String> {
        if value.len() > REQUEST_STATE_BYTES {
            return Err(format!(
                "a state of {} bytes; at most {REQUEST_STATE_BYTES} are sealed",
                value.len()
            ));
        }
        let expiry = now.saturating_add(lifetime.into()).to_be_bytes();
        let plain = Zeroizing::new([expiry.as_slice(), value].concat());
        let sealed = self.0.seal(&plain, bound_to)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open(&self, sealed: &str, bound_to: &[u8], now: u64) -> Result<Vec<u8>, Refusal> {
        if sealed.len() > MOST_TEXT {
            return Err(Refusal::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Refusal::Invalid)?;
        let opened = self.0.open(&bytes, bound_to).ok_or(Refusal::Invalid)?;
        let (expiry, value) = opened.split_first_chunk::<EXPIRY_BYTES>().ok_or(Refusal::Invalid)?;
        if now >= u64::from_be_bytes(*expiry) {
            return Err(Refusal::Expired);
        }
        Ok(value.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn state(byte: u8) -> RequestState {
        let key = secrecy::SecretBox::new(Box::new([byte; 32]));
        RequestState::of_clients(&SealingKeys::new(vec![key]).unwrap())
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
    fn what_is_carried_for_one_purpose_opens_for_no_other() {
        let keys = || SealingKeys::new(vec![secrecy::SecretBox::new(Box::new([1; 32]))]).unwrap();
        let purposes = [RequestState::of_clients, RequestState::of_browsers, RequestState::of_links]
            .map(|of| of(&keys()));
        for (from, sealing) in purposes.iter().enumerate() {
            let sealed = sealing.seal(b"x", b"", 600, NOW).unwrap();
            for (to, opening) in purposes.iter().enumerate() {
                let expected = if from == to { Ok(b"x".to_vec()) } else { Err(Refusal::Invalid) };
                assert_eq!(opening.open(&sealed, b"", NOW), expected, "{from} to {to}");
            }
        }
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
