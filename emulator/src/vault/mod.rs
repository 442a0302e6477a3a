//! Azure Key Vault as far as secrets go: get, set, update, list, delete, recover, purge; challenges and refusals.
//!
//! Which vault is meant is told by the host name. Keys and certificates are not here.

mod auth;
mod body;
mod error;
mod store;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Instant;
use crate::hosts;
use crate::registrations::{Vault, is_secret_name};
use crate::server::Shared;
use crate::state::State;
use body::Written;
use error::VaultError;
pub(crate) use store::Vaults;
use store::{Properties, Store};

/// The data plane. The current clients end the path of a secret without version in a slash.
pub(crate) fn routes() -> Router<Arc<State>> {
    let mut router = Router::new();
    for path in [
        "/secrets",
        "/secrets/",
        "/secrets/{*rest}",
        "/deletedsecrets",
        "/deletedsecrets/",
        "/deletedsecrets/{*rest}",
    ] {
        router = router.route(path, any(serve));
    }
    router
}

/// Any request to a vault.
async fn serve(
    state: Shared,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let all = state.registrations();
    let mut response = match state.hosts.vault(hosts::of_request(&uri, &headers), &all) {
        None => VaultError::NoVault.response(&state.origins.authority),
        Some(vault) => {
            let authority = format!("{}/{}", state.origins.authority, vault.tenant);
            match answer(&state, vault, &method, &uri, &headers, body) {
                Ok(Some(value)) => Json(value).into_response(),
                Ok(None) => StatusCode::NO_CONTENT.into_response(),
                Err(error) => error.response(&authority),
            }
        }
    };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        out.insert("x-ms-request-id", id);
    }
    if let Some(id) = headers.get("x-ms-client-request-id") {
        out.insert("x-ms-client-request-id", id.clone());
    }
    response
}

fn answer(
    state: &State,
    vault: &Vault,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Option<Value>, VaultError> {
    let ask = Ask::parse(method, uri.path())?;
    auth::admit(state, vault, headers, ask.permission())?;
    check_api_version(uri.query())?;
    let written = match ask {
        Ask::Set(_) | Ask::Update(..) => Some(Written::parse(&body.map_err(|_| VaultError::TooLarge)?)?),
        _ => None,
    };
    let origin = match headers.get(header::HOST).and_then(|h| h.to_str().ok()) {
        Some(host) => format!("https://{host}"),
        None => state.hosts.vault_origin(&vault.name),
    };
    let now = state.clock.now();
    state.vaults.with(vault, now, |store| ask.perform(store, written, &origin, now))
}

/// What is asked of a vault: names of secrets, ids of versions.
enum Ask<'a> {
    List,
    Versions(&'a str),
    Get(&'a str, &'a str),
    Set(&'a str),
    Update(&'a str, &'a str),
    Delete(&'a str),
    ListDeleted,
    GetDeleted(&'a str),
    Recover(&'a str),
    Purge(&'a str),
}

impl<'a> Ask<'a> {
    fn parse(method: &Method, path: &'a str) -> Result<Self, VaultError> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        // A slash at the end means the same as none.
        let parts = match parts.as_slice() {
            [rest @ .., ""] => rest,
            all => all,
        };
        let ask = match (method.as_str(), parts) {
            ("GET", ["secrets"]) => Self::List,
            ("GET", ["secrets", name]) => Self::Get(name, ""),
            ("GET", ["secrets", name, "versions"]) => Self::Versions(name),
            ("GET", ["secrets", name, version]) => Self::Get(name, version),
            ("PUT", ["secrets", name]) => Self::Set(name),
            ("PATCH", ["secrets", name]) => Self::Update(name, ""),
            ("PATCH", ["secrets", name, version]) => Self::Update(name, version),
            ("DELETE", ["secrets", name]) => Self::Delete(name),
            ("GET", ["deletedsecrets"]) => Self::ListDeleted,
            ("GET", ["deletedsecrets", name]) => Self::GetDeleted(name),
            ("POST", ["deletedsecrets", name, "recover"]) => Self::Recover(name),
            ("DELETE", ["deletedsecrets", name]) => Self::Purge(name),
            _ => return Err(VaultError::Method),
        };
        match ask.name() {
            Some(name) if !is_secret_name(name) => Err(VaultError::BadParameter(
                "The name of a secret has letters, digits and hyphens, at most 127".into(),
            )),
            _ => Ok(ask),
        }
    }

    fn name(&self) -> Option<&'a str> {
        match self {
            Self::List | Self::ListDeleted => None,
            Self::Versions(name)
            | Self::Get(name, _)
            | Self::Set(name)
            | Self::Update(name, _)
            | Self::Delete(name)
            | Self::GetDeleted(name)
            | Self::Recover(name)
            | Self::Purge(name) => Some(name),
        }
    }

    /// The permission of an access policy that covers it.
    fn permission(&self) -> &'static str {
        match self {
            Self::List | Self::Versions(_) | Self::ListDeleted => "list",
            Self::Get(..) | Self::GetDeleted(_) => "get",
            Self::Set(_) | Self::Update(..) => "set",
            Self::Delete(_) => "delete",
            Self::Recover(_) => "recover",
            Self::Purge(_) => "purge",
        }
    }

    fn perform(
        self,
        store: &mut Store,
        written: Option<Written>,
        origin: &str,
        now: Instant,
    ) -> Result<Option<Value>, VaultError> {
        let no_body = || VaultError::BadParameter("The body is missing".into());
        Ok(Some(match self {
            Self::List => list(store, origin),
            Self::ListDeleted => list_deleted(store, origin),
            Self::Versions(name) => {
                let secret = store.secret(name)?;
                let id = |v: &store::Version| format!("{origin}/secrets/{}/{}", secret.name, v.id);
                body::list(secret.versions.iter().map(|v| body::item(&id(v), v)).collect())
            }
            Self::Get(name, version) => {
                let secret = store.secret(name)?;
                let version = secret.version(version)?;
                if version.properties.disabled {
                    return Err(VaultError::Disabled);
                }
                body::bundle(origin, secret, version)
            }
            Self::Set(name) => {
                let mut written = written.ok_or_else(no_body)?;
                let (value, mut properties) = (written.take_value()?, Properties::default());
                written.apply(&mut properties);
                let (secret, version) = store.set(name, value, properties, now)?;
                body::bundle(origin, secret, version)
            }
            Self::Update(name, version) => {
                let secret = store.secret_mut(name)?;
                let changed = secret.version_mut(version)?;
                written.ok_or_else(no_body)?.apply(&mut changed.properties);
                changed.updated = now;
                let id = format!("{origin}/secrets/{name}/{}", changed.id);
                body::item(&id, changed)
            }
            Self::Delete(name) => {
                let secret = store.secret_mut(name)?;
                secret.deleted = Some(now);
                body::deleted(origin, secret, secret.version("")?, now)
            }
            Self::GetDeleted(name) => {
                let secret = store.deleted_mut(name)?;
                body::deleted(origin, secret, secret.version("")?, secret.deleted.unwrap_or(now))
            }
            Self::Recover(name) => {
                let secret = store.deleted_mut(name)?;
                secret.deleted = None;
                let version = secret.version("")?;
                body::item(&format!("{origin}/secrets/{}/{}", secret.name, version.id), version)
            }
            Self::Purge(name) => {
                store.deleted_mut(name)?;
                store.secrets.remove(&name.to_ascii_lowercase());
                return Ok(None);
            }
        }))
    }
}

fn list(store: &Store, origin: &str) -> Value {
    let kept = store.secrets.values().filter(|s| s.deleted.is_none());
    let newest = kept.filter_map(|s| Some((s, s.newest()?)));
    body::list(newest.map(|(s, v)| body::item(&format!("{origin}/secrets/{}", s.name), v)).collect())
}

fn list_deleted(store: &Store, origin: &str) -> Value {
    let deleted = store.secrets.values().filter_map(|s| Some((s, s.newest()?, s.deleted?)));
    body::list(deleted.map(|(s, v, at)| body::deleted(origin, s, v, at)).collect())
}

/// Versions 7.4 to 7.6, and those named by a date from 2025 on as far as the clients know them.
fn check_api_version(query: Option<&str>) -> Result<(), VaultError> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let given = pairs.find(|(name, _)| name.eq_ignore_ascii_case("api-version")).map(|(_, value)| value);
    let given = given.filter(|v| !v.is_empty()).ok_or(VaultError::NoApiVersion)?;
    let plain = given.split("-preview").next().unwrap_or_default();
    let dated = plain.len() == 10 && ("2025-01-01"..="2026-12-31").contains(&plain);
    match dated || matches!(plain, "7.4" | "7.5" | "7.6") {
        true => Ok(()),
        false => Err(VaultError::ApiVersion(given.into_owned())),
    }
}
