//! The token endpoint: reads the form, finds and proves the client, hands over to the grant, writes the answer.
//!
//! Each grant is a file. What they share about users, consent and the answer's members is in `answer.rs`.

mod answer;
mod client_auth;
mod client_credentials;
mod code;
mod on_behalf_of;
mod params;
mod refresh;

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::errors::{Refusal, Trace, no_store};
use crate::faults::Operation;
use crate::realm::Realm;
use crate::registrations::{App, Registrations};
use crate::server::Shared;
use crate::state::State;
use params::Params;

/// The grant type of on-behalf-of (RFC 7523).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// One request, as far as all grants need it.
struct Call<'a> {
    state: &'a State,
    all: &'a Registrations,
    realm: Realm,
    params: &'a Params,
    client: &'a App,
    secret: Option<String>,
    /// Whether a browser asks across origins.
    origin: bool,
}

/// `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) async fn token(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let trace = Trace::new(&headers, state.clock.now());
    let mut response = match answer(&state, &tenant, &headers, &body) {
        Ok(body) => {
            let mut response = Json(body).into_response();
            no_store(response.headers_mut());
            response
        }
        Err(refusal) => trace.response(&refusal, &state.origins.authority),
    };
    let out = response.headers_mut();
    for (name, id) in [("x-ms-request-id", trace.trace_id), ("client-request-id", trace.correlation_id)] {
        if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
            out.insert(name, value);
        }
    }
    allow_origin(&headers, out);
    response
}

/// Browsers ask first when a single-page application posts with extra headers.
pub(crate) async fn preflight(headers: HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS"));
    if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    allow_origin(&headers, out);
    response
}

fn allow_origin(asked: &HeaderMap, out: &mut HeaderMap) {
    if let Some(origin) = asked.get(header::ORIGIN) {
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        out.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// A planned failure of login or keys.
pub(crate) fn fault(state: &State, headers: &HeaderMap, status: StatusCode) -> Response {
    let trace = Trace::new(headers, state.clock.now());
    let (code, error) = match status.as_u16() {
        500 => (50000, "server_error"),
        502..=504 => (90033, "temporarily_unavailable"),
        _ => (90055, "temporarily_unavailable"),
    };
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: The emulator was told to fail. Trace ID: {} Correlation ID: {} \
             Timestamp: {}", trace.trace_id, trace.correlation_id, trace.at.entra()),
        "error_codes": [code],
        "timestamp": trace.at.entra(),
        "trace_id": trace.trace_id,
        "correlation_id": trace.correlation_id,
    });
    let mut response = (status, Json(body)).into_response();
    no_store(response.headers_mut());
    response
}

fn answer(state: &State, tenant: &str, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let params = Params::parse(headers, body)?;
    let grant = params.need("grant_type")?;
    if let Some(operation) = operation(grant) {
        state.faults.saw(operation);
    }
    let all = state.registrations();
    let realm = Realm::parse(tenant, &all)?;
    let presented = client_auth::presented(headers, &params)?;
    let client = realm.client(&presented.client_id, &all)?;
    let origin = headers.contains_key(header::ORIGIN);
    let call = Call { state, all: &all, realm, params: &params, client, secret: presented.secret, origin };
    match grant {
        "authorization_code" => code::redeem(&call),
        "refresh_token" => refresh::refresh(&call),
        "client_credentials" => client_credentials::issue(&call),
        JWT_BEARER => on_behalf_of::exchange(&call),
        other => Err(Refusal::UnsupportedGrant(other.to_owned())),
    }
}

fn operation(grant: &str) -> Option<Operation> {
    Some(match grant {
        "authorization_code" => Operation::RedeemCode,
        "refresh_token" => Operation::Refresh,
        "client_credentials" => Operation::ClientCredentials,
        JWT_BEARER => Operation::OnBehalfOf,
        _ => return None,
    })
}
