//! Microsoft Graph: people, groups, mail, calendar, files, photos, `$batch`, and errors in Graph's shape.
//!
//! This file owns the way in: routes, the body's bound, the token, and the answer's stamps. What each path means is in
//! `resources.rs`; data is made in `seeds.rs` and kept in `mailboxes.rs`.

mod auth;
mod batch;
mod calendar;
mod call;
mod collection;
mod download;
mod drive;
mod drive_items;
mod error;
mod event_input;
mod fields;
mod filter;
mod filter_parser;
mod kinds;
mod mail;
mod mailboxes;
mod membership;
mod outlook_items;
mod page;
mod people;
mod permissions;
mod photo;
mod query;
mod resources;
mod search;
mod seeds;
mod send;
mod target;
mod when;
mod zones;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};

use call::{Call, Ids, Reply};
use error::GraphError;
pub(crate) use mailboxes::Mailboxes;

use crate::server::Shared;
use crate::state::State;

/// The largest body, as Graph allows for most requests.
const BODY: usize = 4 << 20;

/// Everything on Graph's host.
pub(crate) fn routes() -> Router<Arc<State>> {
    let paths = ["/v1.0", "/v1.0/", "/v1.0/{*path}", "/beta", "/beta/", "/beta/{*path}", "/oidc/userinfo"];
    paths
        .iter()
        .fold(Router::new(), |router, path| router.route(path, any(serve)))
        .route(&format!("{}{{link}}", download::PREFIX), get(download::file))
}

/// Whether a path belongs to Graph's host and not to login's.
pub(crate) fn owns(path: &str) -> bool {
    let versions = ["/v1.0", "/beta"];
    versions.iter().any(|v| path.strip_prefix(v).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        || path == "/oidc/userinfo"
        || path.starts_with(download::PREFIX)
}

/// Whether a path is that of a batch, whose items fail one by one and not together.
pub(crate) fn is_batch(path: &str) -> bool {
    ["/v1.0/$batch", "/beta/$batch"].iter().any(|batch| path.eq_ignore_ascii_case(batch))
}

async fn serve(state: Shared, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let ids = Ids::new(&parts.headers);
    if parts.method == Method::OPTIONS {
        return preflight(&parts.headers);
    }
    let answered = async {
        // The token is looked at before the body is read.
        let caller = auth::caller(&state, &parts.headers)?;
        let body: Bytes = axum::body::to_bytes(body, BODY).await.map_err(|_| GraphError::TooLarge(BODY))?;
        let registrations = state.registrations();
        let path = parts.uri.path();
        let (version, below) = match path.strip_prefix("/beta") {
            Some(below) => ("beta", below),
            None => ("v1.0", path.strip_prefix("/v1.0").unwrap_or(path)),
        };
        let call = Call {
            state: &state,
            registrations: &registrations,
            caller: &caller,
            method: parts.method.clone(),
            version,
            segments: target::segments(below)?,
            query: target::query(parts.uri.query().unwrap_or_default()),
            headers: parts.headers.clone(),
            body,
        };
        match path {
            "/oidc/userinfo" => people::userinfo(&call),
            path if is_batch(path) => batch::answer(&call, &ids).await,
            _ => resources::answer(&call),
        }
    };
    let reply = answered.await.unwrap_or_else(|error| Reply::refusal(&state, &error, &ids));
    reply.into_response(&ids)
}

/// Graph answers pages of every origin (Fetch standard, "CORS-preflight request").
fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let methods = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
    out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

/// A request with a body that is too large.
pub(crate) fn too_large(state: &State, headers: &HeaderMap) -> Response {
    refuse(state, headers, &GraphError::TooLarge(BODY))
}

/// A method that a path does not take.
pub(crate) fn wrong_method(state: &State, headers: &HeaderMap, method: &Method) -> Response {
    refuse(state, headers, &GraphError::Method { method: method.to_string(), allowed: "GET" })
}

/// A planned failure.
pub(crate) fn fault(state: &State, headers: &HeaderMap, status: StatusCode) -> Response {
    refuse(state, headers, &GraphError::Planned(status))
}

fn refuse(state: &State, headers: &HeaderMap, error: &GraphError) -> Response {
    let ids = Ids::new(headers);
    Reply::refusal(state, error, &ids).into_response(&ids)
}

/// Any path nobody serves.
pub(crate) async fn unknown() -> Response {
    (StatusCode::NOT_FOUND, "Not found. This is the Entra emulator, not Microsoft.\n").into_response()
}
