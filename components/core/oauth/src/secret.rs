//! Secrets as text: made from given random bytes, kept as digests, compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Random bytes for one secret, from a generator fit for keys. Never used twice.
pub type Random = [u8; 32];

/// Random bytes for a name that has to be unguessable or unique but is no secret by itself.
pub type RandomId = [u8; 16];

/// The text of a secret: 43 characters of base64url.
pub(crate) fn text(random: &Random) -> SecretString {
    SecretString::from(base64url(random))
}

/// The text of a name: 22 characters of base64url.
pub(crate) fn id(random: &RandomId) -> String {
    base64url(random)
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a text in base64url; none for anything else.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Whether a text is `length` characters of base64url.
pub(crate) fn is_base64url(text: &str, length: usize) -> bool {
    text.len() == length
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// SHA-256 in base64url, 43 characters: how a secret of 256 random bits is kept. Such secrets need no salt and no slow digest.
pub(crate) fn digest(secret: &str) -> String {
    base64url(&Sha256::digest(secret.as_bytes()))
}

/// Whether two texts are the same, in a time that tells nothing but their lengths.
pub(crate) fn equal(left: &str, right: &str) -> bool {
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn secrets_are_text_of_their_bytes() {
        assert_eq!(text(&[0xff; 32]).expose_secret(), "__________________________________________8");
        assert_eq!(id(&[0; 16]), "AAAAAAAAAAAAAAAAAAAAAA");
        assert!(!format!("{:?}", text(&[0; 32])).contains("AAAA"));
    }

    #[test]
    fn a_digest_is_that_of_rfc_7636_appendix_b() {
        let digest = digest("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(digest, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn only_the_same_text_is_equal() {
        assert!(equal("", "") && equal("abc", "abc"));
        assert!(!equal("abc", "abd") && !equal("abc", "ab") && !equal("", "a"));
    }
}
