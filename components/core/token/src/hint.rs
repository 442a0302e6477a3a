//! What a token says of its origin before anything is verified: enough to choose whose keys and rules to judge it by, and for nothing else.
//!
//! A lie costs its teller the check by the wrong keys. Whoever chooses by a hint hands the check the rules of that one issuer and tenant, so
//! that a token which says one thing here and another there cannot pass.

use crate::json::Object;
use crate::jwt;

/// The unverified `iss` and `tid` of a token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hint {
    /// `iss`, if it is a string.
    pub issuer: Option<String>,
    /// `tid`, if it is a string.
    pub tenant: Option<String>,
}

/// Reads the hint. Empty for what is no token; the check that follows says why.
#[must_use]
pub fn hint(token: &str) -> Hint {
    let Ok(payload) = jwt::unverified_payload(token) else { return Hint::default() };
    let Ok(claims) = Object::parse(&payload, "no object") else { return Hint::default() };
    let text = |claim| claims.optional(claim).ok().flatten();
    Hint { issuer: text("iss"), tenant: text("tid") }
}
