//! One request to Graph as the resources see it, and one answer as they give it.
//!
//! A request comes from the wire or from an item of `$batch`; the resources cannot tell, and need not.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::auth::Caller;
use super::error::GraphError;
use crate::journal::Verdict;
use crate::registrations::{GRAPH_APP_ID, Registrations};
use crate::state::State;

/// What a refused item and an accepted one have in common with JSON elsewhere in Graph.
const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// The ids every answer of Graph carries.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(super) request: Uuid,
    pub(super) client: String,
}

impl Ids {
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let request = Uuid::new_v4();
        let given = headers.get("client-request-id").and_then(|v| v.to_str().ok());
        Self { request, client: given.map_or(request.to_string(), str::to_owned) }
    }
}

/// A request whose token was accepted.
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    /// As they were when the request began.
    pub(super) registrations: &'a Registrations,
    pub(super) caller: &'a Caller,
    pub(super) method: Method,
    /// `v1.0` or `beta`.
    pub(super) version: &'static str,
    /// Of the path after the version, percent-decoded.
    pub(super) segments: Vec<String>,
    /// Of the query, decoded, in order.
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call<'_> {
    /// `https://graph/v1.0`.
    pub(super) fn root(&self) -> String {
        format!("{}/{}", self.state.origins.graph, self.version)
    }

    /// The value of `@odata.context`.
    pub(super) fn context(&self, what: &str) -> String {
        format!("{}/$metadata#{what}", self.root())
    }

    /// A parameter of the query that is no OData option; Graph does not mind the case of its name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// A request header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// The preference with that name (RFC 7240), e.g. `outlook.timezone`; its value may be quoted.
    pub(super) fn preference(&self, name: &str) -> Option<String> {
        let given = self.headers.get_all("prefer").iter().filter_map(|v| v.to_str().ok());
        let mut pairs = given.flat_map(|v| v.split([',', ';'])).filter_map(|p| p.split_once('='));
        let found = pairs.find(|(n, _)| n.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().trim_matches('"').to_owned())
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, GraphError> {
        let given = self.header("content-type").unwrap_or_default();
        let kind = given.split(';').next().unwrap_or_default().trim();
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("application/json") {
            return Err(GraphError::MediaType(kind.to_owned()));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(map)) if !kind.is_empty() => Ok(map),
            _ => Err(GraphError::BadJson),
        }
    }

    /// Refuses other methods than the one.
    pub(super) fn only(&self, method: &Method, allowed: &'static str) -> Result<(), GraphError> {
        match self.method == *method {
            true => Ok(()),
            false => Err(self.not_allowed(allowed)),
        }
    }

    /// The refusal of the method used.
    pub(super) fn not_allowed(&self, allowed: &'static str) -> GraphError {
        GraphError::Method { method: self.method.to_string(), allowed }
    }

    /// The refusal of the path from this segment on.
    pub(super) fn no_such_path(&self, segment: &str) -> GraphError {
        GraphError::NoSuchPath(segment.to_owned())
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content: Content,
    /// The code of a refusal, for the journal.
    pub(super) refused: Option<&'static str>,
}

/// What an answer carries.
#[derive(Debug)]
pub(super) enum Content {
    Nothing,
    Json(Value),
    Bytes(Vec<u8>),
}

impl Reply {
    /// 200 with JSON.
    pub(super) fn json(value: Value) -> Self {
        Self::json_with(StatusCode::OK, value)
    }

    /// JSON with another status.
    pub(super) fn json_with(status: StatusCode, value: Value) -> Self {
        let headers = vec![("content-type", JSON.to_owned()), ("odata-version", "4.0".to_owned())];
        Self { status, headers, content: Content::Json(value), refused: None }
    }

    /// A status and nothing else.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self { status, headers: vec![], content: Content::Nothing, refused: None }
    }

    /// 200 with bytes of a media type.
    pub(super) fn bytes(kind: &str, bytes: Vec<u8>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self { status: StatusCode::OK, headers, content: Content::Bytes(bytes), refused: None }
    }

    /// A refusal.
    pub(super) fn refusal(state: &State, error: &GraphError, ids: &Ids) -> Self {
        let (status, code) = error.status_and_code();
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if status == StatusCode::UNAUTHORIZED {
            headers.push(("www-authenticate", challenge(state, error)));
        }
        if let GraphError::Method { allowed, .. } = error {
            headers.push(("allow", (*allowed).to_owned()));
        }
        Self {
            status,
            headers,
            content: Content::Json(error.body(ids, state.clock.now())),
            refused: Some(code),
        }
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// As it goes over the wire, with the headers that every answer has.
    pub(super) fn into_response(self, ids: &Ids) -> Response {
        let body = match self.content {
            Content::Nothing => Body::empty(),
            Content::Json(value) => Body::from(value.to_string()),
            Content::Bytes(bytes) => Body::from(bytes),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let out = response.headers_mut();
        let request = ids.request.to_string();
        let stamps = [("request-id", request.as_str()), ("client-request-id", ids.client.as_str())];
        for (name, value) in self.headers.iter().map(|(n, v)| (*n, v.as_str())).chain(stamps) {
            if let Ok(value) = HeaderValue::from_str(value) {
                out.insert(HeaderName::from_static(name), value);
            }
        }
        if let Some(code) = self.refused {
            let correlation_id = Uuid::parse_str(&ids.client).ok();
            response.extensions_mut().insert(Verdict { code: code.to_owned(), correlation_id });
        }
        let out = response.headers_mut();
        let diagnostic = r#"{"ServerInfo":{"DataCenter":"Laptop","Slice":"E","Ring":"emulator"}}"#;
        out.insert("x-ms-ags-diagnostic", HeaderValue::from_static(diagnostic));
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
        // Graph lets pages of every origin read its answers; the token is what protects them.
        out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let exposed = "request-id, client-request-id, Location, Retry-After, WWW-Authenticate";
        out.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        response
    }
}

/// `WWW-Authenticate` of a 401; a revoked session adds the claims challenge of continuous access evaluation (Entra
/// documentation, "Claims challenges, claims requests and client capabilities").
fn challenge(state: &State, error: &GraphError) -> String {
    use base64::Engine as _;
    let mut text = format!(
        "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", client_id=\"{GRAPH_APP_ID}\"",
        state.origins.authority,
    );
    if let GraphError::Revoked { at } = error {
        let claims = serde_json::json!({
            "access_token": { "nbf": { "essential": true, "value": at.0.to_string() } }
        });
        let claims = base64::engine::general_purpose::STANDARD.encode(claims.to_string());
        text.push_str(&format!(", error=\"insufficient_claims\", claims=\"{claims}\""));
    }
    text
}
