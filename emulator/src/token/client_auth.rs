//! Client authentication: what was presented, and whether it is what this client must present.
//!
//! Three outcomes: nothing presented, rightly presented, wrongly presented. Which are fine depends on the platform
//! of the redirect URI (web, spa, public), or on the grant where there is no redirect URI.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::Call;
use super::params::Params;
use crate::errors::Refusal;
use crate::registrations::{App, Platform};
use crate::tokens::ClientProof;

/// What came with the request.
pub(super) struct Presented {
    pub(super) client_id: String,
    pub(super) secret: Option<String>,
}

/// Reads `client_secret_basic` or `client_secret_post` (OpenID Connect Core section 9).
pub(super) fn presented(headers: &HeaderMap, params: &Params) -> Result<Presented, Refusal> {
    if params.get("client_assertion").is_some() {
        return Err(Refusal::AssertionUnsupported);
    }
    if let Some((client_id, secret)) = basic(headers) {
        let in_form = params.get("client_id");
        if in_form.is_some_and(|id| id != client_id) {
            return Err(Refusal::BadParameter {
                name: "client_id",
                value: in_form.unwrap_or_default().to_owned(),
            });
        }
        return Ok(Presented { client_id, secret: Some(secret) });
    }
    let client_id = params.need("client_id")?.to_owned();
    Ok(Presented { client_id, secret: params.get("client_secret").map(str::to_owned) })
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
        Some(Platform::Public) => without_secret(call),
        Some(Platform::Spa) if !call.origin => Err(Refusal::SpaWithoutOrigin),
        Some(Platform::Spa) => without_secret(call),
        Some(Platform::Web) | None if call.origin => Err(Refusal::OriginWithoutSpa),
        Some(Platform::Web) | None => with_secret(call.client, call.secret.as_deref()),
    }
}

fn without_secret(call: &Call<'_>) -> Result<ClientProof, Refusal> {
    match call.secret {
        Some(_) => Err(Refusal::PublicClientSecret(call.client.client_id)),
        None => Ok(ClientProof::None),
    }
}

fn with_secret(client: &App, secret: Option<&str>) -> Result<ClientProof, Refusal> {
    let public = client.is_fallback_public_client && client.secrets.is_empty();
    match secret {
        None => Err(Refusal::SecretMissing),
        Some(_) if public => Err(Refusal::PublicClientSecret(client.client_id)),
        Some(given) if client.secrets.iter().any(|s| s == given) => Ok(ClientProof::Secret),
        Some(_) => Err(Refusal::WrongSecret(client.client_id)),
    }
}
