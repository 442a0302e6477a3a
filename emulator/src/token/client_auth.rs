//! Client authentication: what was presented, and whether it is what this client must present.
//!
//! Three outcomes: nothing presented, rightly presented, wrongly presented. Which are fine depends on the platform
//! of the redirect URI (web, spa, public), or on the grant where there is no redirect URI.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::params::Params;
use super::{Call, assertion};
use crate::errors::Refusal;
use crate::registrations::{App, Platform};
use crate::tokens::ClientProof;

/// What came with the request.
pub(super) struct Presented {
    pub(super) client_id: String,
    pub(super) credential: Credential,
}

/// What the client showed of itself.
pub(super) enum Credential {
    None,
    Secret(String),
    /// A JWT, not looked at yet.
    Assertion(String),
}

/// Reads `client_secret_basic`, `client_secret_post` or `private_key_jwt` (OpenID Connect Core section 9); of these at most
/// one (RFC 6749 section 2.3).
pub(super) fn presented(headers: &HeaderMap, params: &Params) -> Result<Presented, Refusal> {
    let assertion = asserted(params)?;
    if let Some((client_id, secret)) = basic(headers) {
        let in_form = params.get("client_id");
        if in_form.is_some_and(|id| id != client_id) {
            return Err(Refusal::BadParameter {
                name: "client_id",
                value: in_form.unwrap_or_default().to_owned(),
            });
        }
        if assertion.is_some() {
            return Err(Refusal::Malformed("it holds a secret and an assertion"));
        }
        return Ok(Presented { client_id, credential: Credential::Secret(secret) });
    }
    let client_id = params.need("client_id")?.to_owned();
    let credential = match (params.get("client_secret"), assertion) {
        (Some(_), Some(_)) => return Err(Refusal::Malformed("it holds a secret and an assertion")),
        (Some(secret), None) => Credential::Secret(secret.to_owned()),
        (None, Some(jwt)) => Credential::Assertion(jwt.to_owned()),
        (None, None) => Credential::None,
    };
    Ok(Presented { client_id, credential })
}

/// RFC 7521 section 4.2: the two parameters come together.
fn asserted(params: &Params) -> Result<Option<&str>, Refusal> {
    if params.get("client_assertion").is_none() && params.get("client_assertion_type").is_none() {
        return Ok(None);
    }
    let kind = params.need("client_assertion_type")?;
    match kind == assertion::ASSERTION_TYPE {
        true => params.need("client_assertion").map(Some),
        false => Err(Refusal::BadParameter { name: "client_assertion_type", value: kind.to_owned() }),
    }
}

/// RFC 6749 section 2.3.1: both halves are form-encoded before base64.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode =
        |s: &str| percent_decode_str(&s.replace('+', " ")).decode_utf8().map(|d| d.into_owned()).ok();
    Some((decode(id)?, decode(secret)?))
}

/// Whether a client of that platform proved itself as it must.
pub(super) fn prove(call: &Call<'_>, platform: Option<Platform>) -> Result<ClientProof, Refusal> {
    match platform {
        Some(Platform::Public) => without_proof(call),
        Some(Platform::Spa) if !call.origin => Err(Refusal::SpaWithoutOrigin),
        Some(Platform::Spa) => without_proof(call),
        Some(Platform::Web) | None if call.origin => Err(Refusal::OriginWithoutSpa),
        Some(Platform::Web) | None => with_proof(call),
    }
}

fn without_proof(call: &Call<'_>) -> Result<ClientProof, Refusal> {
    match call.credential {
        Credential::None => Ok(ClientProof::None),
        _ => Err(Refusal::PublicClientSecret(call.client.client_id)),
    }
}

fn with_proof(call: &Call<'_>) -> Result<ClientProof, Refusal> {
    let App { client_id, secrets, expired_secrets, certificates, federated_credentials, .. } = call.client;
    let registered = !secrets.is_empty() || !certificates.is_empty() || !federated_credentials.is_empty();
    let holds = |list: &[String], given: &str| list.iter().any(|s| s == given);
    match &call.credential {
        Credential::None => Err(Refusal::SecretMissing),
        _ if call.client.is_fallback_public_client && !registered => {
            Err(Refusal::PublicClientSecret(*client_id))
        }
        Credential::Secret(given) if holds(secrets, given) => Ok(ClientProof::Secret),
        Credential::Secret(given) if holds(expired_secrets, given) => Err(Refusal::ExpiredSecret(*client_id)),
        Credential::Secret(_) => Err(Refusal::WrongSecret(*client_id)),
        Credential::Assertion(jwt) => {
            assertion::check(call, jwt)?;
            Ok(ClientProof::Assertion)
        }
    }
}
