//! Proof key for code exchange (RFC 7636): who redeems a code shows that he asked for it. Method `S256` only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// Random bytes in a verifier: RFC 7636 section 4.1 recommends 32, which make 43 characters.
pub const RANDOM_BYTES: usize = 32;

/// The `code_verifier` of these bytes, which are random and used once.
#[must_use]
pub fn verifier(random: [u8; RANDOM_BYTES]) -> SecretString {
    SecretString::from(URL_SAFE_NO_PAD.encode(random))
}

/// The `code_challenge` of a verifier (RFC 7636 section 4.2).
#[must_use]
pub fn challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose_secret().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const OCTETS: [u8; RANDOM_BYTES] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
        214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];

    #[test]
    fn the_example_of_the_rfc() {
        let verifier = verifier(OCTETS);
        assert_eq!(verifier.expose_secret(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
