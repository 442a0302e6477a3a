//! The compact serialisation (RFC 7515 section 7.1): three strict base64url segments and a header that we accept.
//!
//! Owns shape and header rules. It does not look at the claims: nothing has been verified yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{TokenError, shown};
use crate::json::Object;
use crate::limits::{MAX_KEY_ID_BYTES, MAX_TOKEN_BYTES};

/// Header parameters that would let the token choose its own key or its own reading: RFC 7515 sections 4.1.2 to 4.1.6 and
/// 4.1.11, RFC 7797 section 3, RFC 7516 sections 4.1.2 and 4.1.3, and `cty`, which is there only for a nested token (RFC 7519 section 5.2).
/// Entra sends none of them.
const REFUSED_PARAMETERS: [&str; 9] = ["crit", "b64", "jku", "jwk", "x5u", "x5c", "enc", "zip", "cty"];

const PAYLOAD_ENCODING: &str = "payload is not base64url";

/// A token taken apart, not yet believed.
pub(crate) struct Parts<'a> {
    /// The bytes that the signature covers: header and payload segments with the dot between.
    pub(crate) signing_input: &'a [u8],
    /// `kid` of the header.
    pub(crate) key_id: String,
    /// The decoded payload segment.
    pub(crate) payload: Vec<u8>,
    /// The decoded signature segment.
    pub(crate) signature: Vec<u8>,
}

/// Whose tokens are expected, which shows in `typ`. The two exclude each other before any key is looked at (RFC 8725 section 3.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Entra's: `JWT`, or no `typ`.
    Entra,
    /// The JWT profile for access tokens: `at+jwt`, which has to be there (RFC 9068 section 4).
    AtJwt,
}

impl Profile {
    /// RFC 7515 section 4.1.9: `typ` is a media type, compared without case, mostly without its "application/".
    fn accepts(self, kind: Option<&str>) -> bool {
        match (self, kind) {
            (Self::Entra, None) => true,
            (Self::Entra, Some(kind)) => kind.eq_ignore_ascii_case("JWT"),
            (Self::AtJwt, None) => false,
            (Self::AtJwt, Some(kind)) => {
                kind.eq_ignore_ascii_case("at+jwt") || kind.eq_ignore_ascii_case("application/at+jwt")
            }
        }
    }
}

/// Takes `token` apart and applies the header rules.
pub(crate) fn parse(token: &str, profile: Profile) -> Result<Parts<'_>, TokenError> {
    let [header, payload, signature] = segments(token)?;
    let key_id = accept_header(&decode(header, "header is not base64url")?, profile)?;
    Ok(Parts {
        signing_input: &token.as_bytes()[..header.len() + 1 + payload.len()],
        key_id,
        payload: decode(payload, PAYLOAD_ENCODING)?,
        signature: decode(signature, "signature is not base64url")?,
    })
}

/// The decoded payload of a token of which nothing has been checked.
pub(crate) fn unverified_payload(token: &str) -> Result<Vec<u8>, TokenError> {
    let [_, payload, _] = segments(token)?;
    decode(payload, PAYLOAD_ENCODING)
}

fn segments(token: &str) -> Result<[&str; 3], TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLarge { bytes: token.len(), limit: MAX_TOKEN_BYTES });
    }
    let mut segments = token.split('.');
    match (segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(TokenError::Malformed { what: "not three segments" }),
    }
}

fn decode(segment: &str, what: &'static str) -> Result<Vec<u8>, TokenError> {
    if segment.is_empty() {
        return Err(TokenError::Malformed { what });
    }
    // The engine refuses padding, other alphabets and non-canonical last characters, so one token has one spelling.
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| TokenError::Malformed { what })
}

/// Applies the header rules and gives the `kid`.
fn accept_header(json: &[u8], profile: Profile) -> Result<String, TokenError> {
    let header = Object::parse(json, "header is not one JSON object")?;
    let refused = |parameter| TokenError::HeaderParameter { parameter, found: header.shown(parameter) };
    let text = |parameter| header.optional::<String>(parameter).map_err(|_| refused(parameter));

    let algorithm = text("alg")?.unwrap_or_default();
    if algorithm != "RS256" {
        return Err(TokenError::Algorithm { algorithm: shown(&algorithm) });
    }
    if let Some(parameter) = REFUSED_PARAMETERS.into_iter().find(|name| header.has(name)) {
        return Err(refused(parameter));
    }
    // Microsoft Graph's own tokens carry a nonce and are signed over its hash. They are for Graph alone.
    if header.has("nonce") {
        return Err(TokenError::GraphToken);
    }
    let kind = text("typ")?;
    if !profile.accepts(kind.as_deref()) {
        return Err(TokenError::Type { kind: shown(&kind.unwrap_or_default()) });
    }
    match text("kid")? {
        Some(key_id) if !key_id.is_empty() && key_id.len() <= MAX_KEY_ID_BYTES => Ok(key_id),
        _ => Err(refused("kid")),
    }
}
