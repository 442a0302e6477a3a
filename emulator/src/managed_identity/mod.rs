//! Managed identity: the token endpoints that a program finds on a virtual machine of Azure, in App Service and on a
//! machine connected with Arc.
//!
//! They speak plain HTTP, so they have a listener of their own. What keeps strangers out on the real ones is done here
//! too: a header that a browser cannot send across origins, a secret of the environment, a file of the machine.

mod arc;
mod error;
mod identity;
mod listener;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{RawQuery, State as Extract};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::state::{State, random};
use arc::{Admission, ArcKeys};
use error::{IMDS_VERSIONS, IdentityError};
use identity::{Granted, Query, Selectors};
pub(crate) use listener::serve;

/// Path of IMDS and of Arc.
const IMDS_PATH: &str = "/metadata/identity/oauth2/token";

/// Path of App Service, named by `IDENTITY_ENDPOINT`.
const APP_SERVICE_PATH: &str = "/msi/token";

/// Api version of App Service and Container Apps.
const APP_SERVICE_VERSION: &str = "2019-08-01";

/// Selectors of IMDS. Arc has one identity, so it takes none.
const OF_IMDS: Selectors = Selectors {
    client_id: "client_id",
    object_id: &["object_id"],
    resource_id: &["msi_res_id", "mi_res_id"],
};

/// Selectors of App Service.
const OF_APP_SERVICE: Selectors = Selectors {
    client_id: "client_id",
    object_id: &["principal_id", "object_id"],
    resource_id: &["mi_res_id"],
};

/// The endpoints of one emulator.
pub(crate) struct Endpoints {
    state: Arc<State>,
    address: SocketAddr,
    /// What App Service puts into the environment as `IDENTITY_HEADER`.
    secret: String,
    arc: Option<ArcKeys>,
}

type Shared = Extract<Arc<Endpoints>>;

impl Endpoints {
    /// Endpoints that listen on `address`. `arc` is the folder of Arc's key files.
    pub(crate) fn new(state: Arc<State>, address: SocketAddr, arc: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self { state, address, secret: random(32), arc: arc.map(ArcKeys::new) })
    }

    /// `http://ADDRESS`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `IDENTITY_ENDPOINT` of App Service.
    pub(crate) fn app_service(&self) -> String {
        format!("{}{APP_SERVICE_PATH}", self.origin())
    }

    /// `IDENTITY_HEADER` of App Service.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }
}

fn routes(endpoints: Arc<Endpoints>) -> Router {
    Router::new()
        .route(IMDS_PATH, get(imds))
        .route(APP_SERVICE_PATH, get(app_service))
        .fallback(async || StatusCode::NOT_FOUND)
        .with_state(endpoints)
}

async fn imds(Extract(own): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    own.state.keys_for(IMDS_PATH).await;
    let query = match checked(&headers, query.as_deref()) {
        Ok(query) => query,
        Err(error) => return error.imds(),
    };
    let version = query.get("api-version").unwrap_or_default();
    let selectors = match &own.arc {
        _ if IMDS_VERSIONS.contains(&version) => &OF_IMDS,
        Some(keys) if arc::VERSIONS.contains(&version) => match keys.admit(&headers, own.state.clock.now()) {
            Admission::Admitted => &arc::SELECTORS,
            Admission::Challenged(response) => return response,
            Admission::Refused => return IdentityError::ArcKey.imds(),
        },
        _ => return IdentityError::ApiVersion.imds(),
    };
    let granted = identity::grant(&own.state, &query, selectors);
    granted.map_or_else(|e| e.imds(), |granted| no_store(imds_body(&granted)))
}

/// What IMDS and Arc want of every request.
fn checked(headers: &HeaderMap, query: Option<&str>) -> Result<Query, IdentityError> {
    if headers.contains_key("x-forwarded-for") {
        return Err(IdentityError::Forwarded);
    }
    match headers.get("metadata").and_then(|v| v.to_str().ok()) {
        Some(value) if value.eq_ignore_ascii_case("true") => Query::parse(query),
        _ => Err(IdentityError::NoMetadata),
    }
}

async fn app_service(Extract(own): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    own.state.keys_for(APP_SERVICE_PATH).await;
    let given = headers.get("x-identity-header").and_then(|v| v.to_str().ok());
    let granted = match given == Some(own.secret.as_str()) {
        false => Err(IdentityError::IdentityHeader),
        true => Query::parse(query.as_deref()).and_then(|query| match query.get("api-version") {
            Some(APP_SERVICE_VERSION) => identity::grant(&own.state, &query, &OF_APP_SERVICE),
            _ => Err(IdentityError::ApiVersion),
        }),
    };
    granted.map_or_else(
        |e| e.app_service(),
        |granted| {
            let Granted { token, client_id, resource, not_before, expires_in } = granted;
            no_store(json!({
                "access_token": token,
                "client_id": client_id,
                "expires_on": (not_before + expires_in).to_string(),
                "resource": resource,
                "token_type": "Bearer",
            }))
        },
    )
}

/// All numbers are strings there.
fn imds_body(granted: &Granted) -> Value {
    let Granted { token, client_id, resource, not_before, expires_in } = granted;
    json!({
        "access_token": token,
        "client_id": client_id,
        "expires_in": expires_in.to_string(),
        "expires_on": (not_before + expires_in).to_string(),
        "ext_expires_in": expires_in.to_string(),
        "not_before": not_before.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    })
}

fn no_store(body: Value) -> Response {
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
