//! The token endpoint: reads the form, finds and proves the client, hands over to the grant, writes the answer.
//!
//! Each grant is a file. What they share about users, consent and the answer's members is in `answer.rs`.

mod answer;
mod assertion;
mod certificate;
mod client_auth;
mod client_credentials;
mod code;
mod device_code;
mod federation;
mod limits;
mod on_behalf_of;
mod params;
mod refresh;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};
use serde_json::{Value, json};

use crate::errors::{Refusal, Trace, no_store};
use crate::faults::Operation;
use crate::realm::Realm;
use crate::registrations::{App, Registrations};
use crate::server::Shared;
use crate::state::State;
pub(crate) use assertion::AssertionError;
use client_auth::Credential;
pub(crate) use limits::Throttle;
use params::Params;

/// The grant type of on-behalf-of (RFC 7523).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The longest body, bytes: two tokens with many groups and an assertion with its certificates fit in.
const BODY: usize = 64 * 1024;

/// One request, as far as all grants need it.
struct Call<'a> {
    state: &'a State,
    all: &'a Registrations,
    realm: Realm,
    params: &'a Params,
    client: &'a App,
    credential: Credential,
    /// The host the client calls the emulator by.
    host: Option<&'a str>,
    /// Whether a browser asks across origins.
    origin: bool,
}

/// What `/{tenant}/oauth2/v2.0/token` answers to.
pub(crate) fn routes() -> MethodRouter<std::sync::Arc<State>> {
    let methods = post(token).options(preflight).fallback(wrong_method);
    methods.layer(DefaultBodyLimit::max(BODY))
}

async fn token(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let trace = Trace::of_request(&headers, query.as_deref(), state.clock.now());
    let body = body.map_err(|_| Refusal::Malformed("its body is too long, or ends too early"));
    let mut response = match body.and_then(|body| answer(&state, &tenant, &headers, &body)) {
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

async fn wrong_method(
    state: Shared,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let trace = Trace::of_request(&headers, query.as_deref(), state.clock.now());
    trace.response(&Refusal::WrongMethod(method.to_string()), &state.origins.authority)
}

/// Browsers ask first when a single-page application posts with extra headers.
async fn preflight(headers: HeaderMap) -> Response {
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
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let credential = presented.credential;
    let call = Call { state, all: &all, realm, params: &params, client, credential, host, origin };
    match grant {
        "authorization_code" => code::redeem(&call),
        "refresh_token" => refresh::refresh(&call),
        "client_credentials" => client_credentials::issue(&call),
        // The name of RFC 8628, and the one that msal-node sends.
        "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => device_code::redeem(&call),
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
