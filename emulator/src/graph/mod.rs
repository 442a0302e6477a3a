//! Microsoft Graph, as far as Valet uses it: profiles, and errors in Graph's shape.

mod auth;
mod me;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use uuid::Uuid;

pub(crate) use me::{me, user};

use crate::journal::Verdict;
use crate::registrations::GRAPH_APP_ID;
use crate::server::Shared;
use crate::state::State;

/// A refusal of Graph: status, `code` and `message` of the error body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GraphError {
    #[error("Access token is empty.")]
    NoToken,
    #[error("Access token validation failure: {0}")]
    BadToken(String),
    #[error("Lifetime validation failed, the token is expired.")]
    Expired,
    #[error("Access token validation failure. Invalid audience.")]
    Audience,
    #[error("Insufficient privileges to complete the operation.")]
    Scope,
    #[error("/me request is only valid with delegated authentication flow.")]
    NotDelegated,
    #[error(
        "Resource '{0}' does not exist or one of its queried reference-property objects are not present."
    )]
    NoSuchUser(String),
    #[error("Could not find a property named '{0}' on type 'microsoft.graph.user'.")]
    NoSuchProperty(String),
    #[error("Resource not found for the segment '{0}'.")]
    NoSuchPath(String),
    #[error("The HTTP method is not allowed here.")]
    Method,
    #[error("The request body is too large.")]
    TooLarge,
    #[error("The emulator was told to fail.")]
    Planned(StatusCode),
}

impl GraphError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoToken | Self::BadToken(_) | Self::Expired | Self::Audience => {
                (StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken")
            }
            Self::Scope => (StatusCode::FORBIDDEN, "Authorization_RequestDenied"),
            Self::NotDelegated | Self::NoSuchProperty(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
            Self::NoSuchUser(_) => (StatusCode::NOT_FOUND, "Request_ResourceNotFound"),
            Self::NoSuchPath(_) => (StatusCode::NOT_FOUND, "ResourceNotFound"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge"),
            Self::Planned(status) => (
                *status,
                match status.as_u16() {
                    429 => "TooManyRequests",
                    503 => "serviceNotAvailable",
                    504 => "GatewayTimeout",
                    _ => "UnknownError",
                },
            ),
        }
    }
}

/// The ids every answer of Graph carries.
pub(crate) struct Ids {
    request: Uuid,
    client: String,
}

impl Ids {
    fn new(headers: &HeaderMap) -> Self {
        let request = Uuid::new_v4();
        let given = headers.get("client-request-id").and_then(|v| v.to_str().ok());
        Self { request, client: given.map_or(request.to_string(), str::to_owned) }
    }

    fn stamp(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        for (name, value) in [("request-id", &self.request.to_string()), ("client-request-id", &self.client)]
        {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        let diagnostic = r#"{"ServerInfo":{"DataCenter":"Laptop","Slice":"E","Ring":"emulator"}}"#;
        headers.insert("x-ms-ags-diagnostic", HeaderValue::from_static(diagnostic));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
        response
    }
}

/// Writes a refusal.
fn refuse(state: &State, headers: &HeaderMap, error: &GraphError) -> Response {
    let ids = Ids::new(headers);
    let (status, code) = error.status_and_code();
    let body = json!({ "error": {
        "code": code,
        "message": error.to_string(),
        "innerError": {
            "date": state.clock.now().graph(),
            "request-id": ids.request,
            "client-request-id": ids.client,
        },
    } });
    let mut response = (status, Json(body)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = format!(
            "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", client_id=\"{GRAPH_APP_ID}\"",
            state.origins.authority,
        );
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
    let verdict = Verdict { code: code.to_owned(), correlation_id: Uuid::parse_str(&ids.client).ok() };
    response.extensions_mut().insert(verdict);
    ids.stamp(response)
}

/// A request with a body that is too large.
pub(crate) fn too_large(state: &State, headers: &HeaderMap) -> Response {
    refuse(state, headers, &GraphError::TooLarge)
}

/// A method that a path does not take.
pub(crate) fn wrong_method(state: &State, headers: &HeaderMap) -> Response {
    refuse(state, headers, &GraphError::Method)
}

/// A planned failure.
pub(crate) fn fault(state: &State, headers: &HeaderMap, status: StatusCode) -> Response {
    refuse(state, headers, &GraphError::Planned(status))
}

/// Any path nobody serves.
pub(crate) async fn unknown(state: Shared, uri: axum::http::Uri, headers: HeaderMap) -> Response {
    match uri.path().strip_prefix("/v1.0/") {
        Some(rest) => refuse(&state, &headers, &GraphError::NoSuchPath(rest.to_owned())),
        None => {
            (StatusCode::NOT_FOUND, "Not found. This is the Entra emulator, not Microsoft.\n").into_response()
        }
    }
}
