//! Proof Key for Code Exchange (RFC 7636), method `S256` and no other.

use core::fmt;

use crate::limits;
use crate::secret;

/// A `code_challenge`: SHA-256 of the verifier in base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge(String);

/// Why a challenge is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChallengeError {
    /// No `code_challenge`. OAuth 2.1 section 4.1.1 requires one.
    Missing,
    /// Another `code_challenge_method` than `S256`, or none, which means `plain`.
    Method {
        /// What it was, cut short.
        found: String,
    },
    /// Not 43 characters of base64url.
    Malformed,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the request has no `code_challenge`"),
            Self::Method { found } => write!(f, "the `code_challenge_method` is `{found}`, not `S256`"),
            Self::Malformed => f.write_str("the `code_challenge` is not 43 characters of base64url"),
        }
    }
}

impl core::error::Error for ChallengeError {}

/// Why a verifier is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifierError {
    /// No `code_verifier`.
    Missing,
    /// Not 43 to 128 unreserved characters (RFC 7636 section 4.1).
    Malformed {
        /// Its length.
        length: usize,
    },
    /// Not the one that the challenge was made of.
    Mismatch,
}

impl fmt::Display for VerifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the request has no `code_verifier`"),
            Self::Malformed { length } => {
                write!(f, "the `code_verifier` is not 43 to 128 unreserved characters, it has {length}")
            }
            Self::Mismatch => f.write_str("the `code_verifier` does not fit the `code_challenge`"),
        }
    }
}

impl core::error::Error for VerifierError {}

impl Challenge {
    /// Reads the two parameters of an authorization request.
    ///
    /// # Errors
    ///
    /// [`ChallengeError`].
    pub fn read(challenge: Option<&str>, method: Option<&str>) -> Result<Self, ChallengeError> {
        let challenge = challenge.ok_or(ChallengeError::Missing)?;
        let method = method.unwrap_or("plain");
        if method != "S256" {
            return Err(ChallengeError::Method { found: crate::form::shown(method) });
        }
        if !secret::is_base64url(challenge, 43) {
            return Err(ChallengeError::Malformed);
        }
        Ok(Self(challenge.to_owned()))
    }

    /// Checks the verifier of a token request (RFC 7636 section 4.6).
    ///
    /// # Errors
    ///
    /// [`VerifierError`].
    pub fn verify(&self, verifier: Option<&str>) -> Result<(), VerifierError> {
        let verifier = verifier.ok_or(VerifierError::Missing)?;
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if !limits::VERIFIER.contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
            return Err(VerifierError::Malformed { length: verifier.len() });
        }
        if secret::equal(&secret::digest(verifier), &self.0) { Ok(()) } else { Err(VerifierError::Mismatch) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// A challenge that was read before, from a record.
    pub(crate) fn kept(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn challenge() -> Challenge {
        Challenge::read(Some(CHALLENGE), Some("S256")).unwrap()
    }

    #[test]
    fn the_example_of_the_rfc_verifies() {
        assert_eq!(challenge().verify(Some(VERIFIER)), Ok(()));
    }

    #[test]
    fn another_verifier_is_refused() {
        let check = |verifier: &str, expected| {
            assert_eq!(challenge().verify(Some(verifier)), Err(expected), "{verifier}");
        };
        assert_eq!(challenge().verify(None), Err(VerifierError::Missing));
        check("", VerifierError::Malformed { length: 0 });
        check(&VERIFIER[1..], VerifierError::Malformed { length: 42 });
        check(&"a".repeat(129), VerifierError::Malformed { length: 129 });
        check(&VERIFIER.replace('-', "+"), VerifierError::Malformed { length: 43 });
        check(&VERIFIER.replace('d', "D"), VerifierError::Mismatch);
        check(&"a".repeat(128), VerifierError::Mismatch);
        // The challenge itself is what `plain` would take.
        check(CHALLENGE, VerifierError::Mismatch);
    }

    #[test]
    fn only_s256_is_taken() {
        let read = Challenge::read;
        assert_eq!(read(None, Some("S256")), Err(ChallengeError::Missing));
        for method in ["plain", "s256", "none"] {
            let expected = ChallengeError::Method { found: method.into() };
            assert_eq!(read(Some(CHALLENGE), Some(method)), Err(expected));
        }
        assert_eq!(read(Some(CHALLENGE), None), Err(ChallengeError::Method { found: "plain".into() }));
        for text in [
            &CHALLENGE[1..],
            &format!("{CHALLENGE}A"),
            &format!("{}=", &CHALLENGE[1..]),
            &CHALLENGE.replace('-', "+"),
        ] {
            assert_eq!(read(Some(text), Some("S256")), Err(ChallengeError::Malformed), "{text}");
        }
    }
}
