//! What a client carries for us between two rounds of a request, sealed with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), whose nonces may be random.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

use crate::bindings::exports::valet::capability::request_state::{Guest, Refusal};
use crate::bindings::wasi::clocks::wall_clock;
use crate::bindings::wasi::random::random;
use crate::{Component, configured};

/// First byte of what is sealed. Another format gets another number.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;
/// The end of its life in seconds since the Unix epoch stands before the value.
const EXPIRY_BYTES: usize = 8;
/// Longest value that is sealed, in bytes: the same as in our host.
const MOST_BYTES: usize = 64 * 1024;
/// Longest text that can have been sealed here.
const MOST_TEXT: usize = (1 + NONCE_BYTES + EXPIRY_BYTES + MOST_BYTES + 16).div_ceil(3) * 4;

impl Guest for Component {
    fn seal(value: Vec<u8>, bound_to: Vec<u8>, lifetime: u32) -> Result<String, String> {
        let expiry = wall_clock::now().seconds.saturating_add(lifetime.into());
        let nonce = random::get_random_bytes(NONCE_BYTES as u64);
        let nonce =
            nonce.try_into().map_err(|_| "the host gave another number of random bytes".to_owned())?;
        seal(&key()?, &value, &bound_to, expiry, nonce)
    }

    fn open(sealed: String, bound_to: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        // Without a key nothing was sealed.
        let key = key().map_err(|_| Refusal::Invalid)?;
        open(&key, &sealed, &bound_to, wall_clock::now().seconds)
    }

    /// Links lead to the authorization server, which these layouts do not have.
    fn seal_link(_: Vec<u8>, _: u32) -> Result<String, String> {
        Err("there is no authorization server that a link could lead to".to_owned())
    }

    fn open_link(_: String) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::Invalid)
    }
}

/// The key of the variable `state_key`. The error never holds a part of it.
fn key() -> Result<XChaCha20Poly1305, String> {
    let text = configured("state_key")?.ok_or("variable `state_key` is not set")?;
    let bytes = STANDARD.decode(text.trim()).ok();
    let bytes: Option<[u8; KEY_BYTES]> = bytes.and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.ok_or("variable `state_key` has to be 32 bytes in base64")?;
    Ok(XChaCha20Poly1305::new(&Key::from(bytes)))
}

fn seal(
    key: &XChaCha20Poly1305,
    value: &[u8],
    bound_to: &[u8],
    expiry: u64,
    nonce: [u8; NONCE_BYTES],
) -> Result<String, String> {
    if value.len() > MOST_BYTES {
        return Err(format!("a state of {} bytes; at most {MOST_BYTES} are sealed", value.len()));
    }
    let text = [expiry.to_be_bytes().as_slice(), value].concat();
    let payload = Payload { msg: &text, aad: &place(bound_to) };
    let text = key.encrypt(&XNonce::from(nonce), payload).expect("a state is far below the cipher's limit");
    Ok(URL_SAFE_NO_PAD.encode([&[FORMAT], nonce.as_slice(), &text].concat()))
}

fn open(key: &XChaCha20Poly1305, sealed: &str, bound_to: &[u8], now: u64) -> Result<Vec<u8>, Refusal> {
    let text = opened(key, sealed, bound_to).ok_or(Refusal::Invalid)?;
    let (expiry, value) = text.split_first_chunk::<EXPIRY_BYTES>().ok_or(Refusal::Invalid)?;
    if now >= u64::from_be_bytes(*expiry) {
        return Err(Refusal::Expired);
    }
    Ok(value.to_vec())
}

fn opened(key: &XChaCha20Poly1305, sealed: &str, bound_to: &[u8]) -> Option<Vec<u8>> {
    if sealed.len() > MOST_TEXT {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (&FORMAT, rest) = bytes.split_first()? else { return None };
    let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>()?;
    key.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: &place(bound_to) }).ok()
}

/// The additional data.
fn place(bound_to: &[u8]) -> Vec<u8> {
    [b"valet request-state 1\n".as_slice(), bound_to].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn cipher(byte: u8) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from([byte; KEY_BYTES]))
    }

    fn sealed() -> String {
        seal(&cipher(1), b"round 1", b"alex", NOW + 600, [7; NONCE_BYTES]).unwrap()
    }

    fn opens(byte: u8, sealed: &str, bound_to: &str, now: u64) -> Result<Vec<u8>, Refusal> {
        open(&cipher(byte), sealed, bound_to.as_bytes(), now)
    }

    #[test]
    fn what_was_sealed_opens_in_its_time_and_place() {
        assert_eq!(opens(1, &sealed(), "alex", NOW + 599), Ok(b"round 1".to_vec()));
        assert_eq!(opens(1, &sealed(), "alex", NOW + 600), Err(Refusal::Expired));
        assert_eq!(opens(1, &sealed(), "adele", NOW), Err(Refusal::Invalid));
        assert_eq!(opens(2, &sealed(), "alex", NOW), Err(Refusal::Invalid));
    }

    #[test]
    fn a_change_of_any_byte_is_found() {
        let bytes = URL_SAFE_NO_PAD.decode(sealed()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(
                opens(1, &URL_SAFE_NO_PAD.encode(&changed), "alex", NOW),
                Err(Refusal::Invalid),
                "byte {at}"
            );
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..at]);
            assert_eq!(opens(1, &cut, "alex", NOW), Err(Refusal::Invalid), "cut at {at}");
        }
        assert_eq!(opens(1, &"A".repeat(MOST_TEXT + 1), "alex", NOW), Err(Refusal::Invalid));
        assert_eq!(opens(1, "not base64!", "alex", NOW), Err(Refusal::Invalid));
    }

    #[test]
    fn a_value_has_to_fit() {
        let most = seal(&cipher(1), &[7; MOST_BYTES], b"", NOW + 1, [0; NONCE_BYTES]).unwrap();
        assert_eq!(opens(1, &most, "", NOW), Ok(vec![7; MOST_BYTES]));
        assert_eq!(
            seal(&cipher(1), &[7; MOST_BYTES + 1], b"", NOW + 1, [0; NONCE_BYTES]).unwrap_err(),
            "a state of 65537 bytes; at most 65536 are sealed"
        );
    }
}
