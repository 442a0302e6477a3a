//! How a vault checks its tokens: ordinary v1 tokens of its tenant for the audience of Key Vault, then its readers.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::VaultError;
use crate::jwt;
use crate::registrations::{TokenVersion, VAULT_APP_ID, VAULT_URI, Vault};
use crate::state::State;
use crate::tokens;

/// Lets a request pass that carries a token of one of the vault's readers.
pub(super) fn admit(
    state: &State,
    vault: &Vault,
    headers: &HeaderMap,
    permission: &'static str,
) -> Result<(), VaultError> {
    let claims = claims(state, vault, headers)?;
    let id = |name: &str| text(&claims, name).and_then(|v| Uuid::parse_str(v).ok());
    // A delegated token speaks for the user, whatever the application; an app-only one for the application.
    let caller = if claims.contains_key("scp") { id("oid") } else { id("appid") };
    match caller.filter(|c| vault.readers.contains(c)) {
        Some(_) => Ok(()),
        None => Err(VaultError::Forbidden {
            caller: caller.map_or_else(String::new, |c| c.to_string()),
            permission,
            vault: vault.name.clone(),
        }),
    }
}

fn claims(state: &State, vault: &Vault, headers: &HeaderMap) -> Result<Map<String, Value>, VaultError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    };
    if token.is_empty() {
        return Err(VaultError::NoToken);
    }
    let claims = jwt::open(token, &state.keys()).map_err(|e| VaultError::BadToken(e.to_string()))?;
    let audience = text(&claims, "aud").unwrap_or_default();
    if audience.trim_end_matches('/') != VAULT_URI && audience != VAULT_APP_ID.to_string() {
        return Err(VaultError::Audience(audience.to_owned()));
    }
    let issuer = text(&claims, "iss").unwrap_or_default();
    if issuer != tokens::issuer(state, TokenVersion::V1, vault.tenant) {
        return Err(VaultError::Issuer(issuer.to_owned()));
    }
    let (now, time) = (state.clock.now().0, |name: &str| claims.get(name).and_then(Value::as_i64));
    match (time("nbf"), time("exp")) {
        (Some(nbf), Some(exp)) if nbf <= now && now < exp => Ok(claims),
        _ => Err(VaultError::Expired),
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}
