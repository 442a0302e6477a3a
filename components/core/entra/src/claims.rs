//! The `claims` parameter (OpenID Connect Core section 5.5): what a claims challenge asks for, together with what we can do.
//!
//! A client that declares the capability `cp1` gets tokens that live long and are revoked in the middle of their life, by a claims
//! challenge (Microsoft identity platform, "Claims challenges, claims requests and client capabilities").

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::limits::MAX_CLAIMS_BYTES;

/// A claims request that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimsError {
    /// Longer than [`MAX_CLAIMS_BYTES`].
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
        /// The longest that is sent.
        limit: usize,
    },
    /// Not one JSON object.
    NotAnObject,
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "a claims request of {bytes} bytes, more than {limit}")
            }
            Self::NotAnObject => write!(f, "a claims request that is not a JSON object"),
        }
    }
}

impl std::error::Error for ClaimsError {}

/// The claims request for `challenge`, JSON text, with our capabilities. A challenge never takes a capability away.
///
/// # Errors
/// A [`ClaimsError`] for a challenge that is no claims request.
pub fn with_capabilities(challenge: Option<&str>) -> Result<String, ClaimsError> {
    let mut claims = challenge.map_or(Ok(Map::new()), object)?;
    merge(&mut claims, json!({ "access_token": { "xms_cc": { "values": ["cp1"] } } }));
    Ok(Value::Object(claims).to_string())
}

/// SHA-256 of a claims request, in base64url: by it a sign-in with these claims is told from one with others.
#[must_use]
pub fn digest(claims: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(claims.as_bytes()))
}

/// Whether a sign-in settles what is `wanted` of a user: the authority was asked with this very claims request, whose digest is `asked`, and
/// gave a code. That it was met is not checked here: whoever wanted it, the authority or the API, looks again at the next token. About any other request the authority has
/// said nothing.
#[must_use]
pub fn settles(asked: Option<&str>, wanted: &str) -> bool {
    asked == Some(digest(wanted).as_str())
}

fn object(text: &str) -> Result<Map<String, Value>, ClaimsError> {
    if text.len() > MAX_CLAIMS_BYTES {
        return Err(ClaimsError::TooLarge { bytes: text.len(), limit: MAX_CLAIMS_BYTES });
    }
    serde_json::from_str(text).map_err(|_| ClaimsError::NotAnObject)
}

fn merge(into: &mut Map<String, Value>, from: Value) {
    let Value::Object(from) = from else { return };
    for (name, value) in from {
        match into.get_mut(&name) {
            Some(Value::Object(inner)) if value.is_object() => merge(inner, value),
            _ => {
                into.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_join_a_challenge() {
        let alone = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
        assert_eq!(with_capabilities(None).as_deref(), Ok(alone));
        let joined = with_capabilities(Some(
            r#"{"access_token":{"nbf":{"essential":true,"value":"1"}},"id_token":{"x":null}}"#,
        ));
        let joined: Value = serde_json::from_str(&joined.unwrap()).unwrap();
        let expected = json!({
            "access_token": { "nbf": { "essential": true, "value": "1" }, "xms_cc": { "values": ["cp1"] } },
            "id_token": { "x": null },
        });
        assert_eq!(joined, expected);
    }

    #[test]
    fn a_sign_in_settles_the_claims_that_it_was_asked_for_and_no_others() {
        let (wanted, other) = (r#"{"access_token":{"acrs":{"value":"c1"}}}"#, r#"{"access_token":{}}"#);
        assert!(settles(Some(&digest(wanted)), wanted));
        assert!(!settles(Some(&digest(other)), wanted), "another claims request");
        assert!(!settles(Some(""), wanted) && !settles(Some(wanted), wanted) && !settles(None, wanted));
    }

    #[test]
    fn what_is_no_claims_request_is_refused() {
        for text in ["", "[]", "7", "{", r#"{"a":1}x"#] {
            assert_eq!(with_capabilities(Some(text)), Err(ClaimsError::NotAnObject), "{text}");
        }
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_CLAIMS_BYTES));
        let expected = ClaimsError::TooLarge { bytes: long.len(), limit: MAX_CLAIMS_BYTES };
        assert_eq!(with_capabilities(Some(&long)), Err(expected));
    }
}
