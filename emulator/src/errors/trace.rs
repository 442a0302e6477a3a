//! What every refusal is stamped with, and the body and headers it is answered with.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Refusal;
use crate::clock::Instant;
use crate::journal::Verdict;

/// What a throttled client is told to wait, seconds (MSAL.NET documentation, "Throttling").
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("60");

/// What every refusal is stamped with.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// New for each refusal.
    pub(crate) trace_id: Uuid,
    /// The client's `client-request-id`, or new.
    pub(crate) correlation_id: Uuid,
    /// When.
    pub(crate) at: Instant,
}

impl Trace {
    /// For a request with these headers. A `client-request-id` that is no GUID is ignored, as Entra does.
    pub(crate) fn new(headers: &HeaderMap, at: Instant) -> Self {
        Self::of_request(headers, None, at)
    }

    /// The same for a request with this query: MSAL for Node puts `client-request-id` there.
    pub(crate) fn of_request(headers: &HeaderMap, query: Option<&str>, at: Instant) -> Self {
        let in_header = headers.get("client-request-id").and_then(|v| v.to_str().ok()).map(Cow::Borrowed);
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let given = in_header.or_else(|| pairs.find(|(name, _)| name == "client-request-id").map(|(_, v)| v));
        let correlation_id = given.and_then(|v| Uuid::parse_str(&v).ok()).unwrap_or_else(Uuid::new_v4);
        Self { trace_id: Uuid::new_v4(), correlation_id, at }
    }

    /// `error_description`: code, text and the three stamps.
    pub(crate) fn describe(&self, refusal: &Refusal) -> String {
        format!(
            "AADSTS{}: {refusal}. Trace ID: {} Correlation ID: {} Timestamp: {}",
            refusal.code().0,
            self.trace_id,
            self.correlation_id,
            self.at.entra(),
        )
    }

    /// The JSON body of the token endpoint. `authority` is where `error_uri` points.
    pub(crate) fn body(&self, refusal: &Refusal, authority: &str) -> Value {
        let (code, error) = refusal.code();
        let mut body = json!({
            "error": error,
            "error_description": self.describe(refusal),
            "error_codes": [code],
            "timestamp": self.at.entra(),
            "trace_id": self.trace_id,
            "correlation_id": self.correlation_id,
            "error_uri": format!("{authority}/error?code={code}"),
        });
        if let Some(suberror) = refusal.suberror() {
            body["suberror"] = suberror.into();
        }
        if let Some(claims) = refusal.claims() {
            body["claims"] = claims.into();
        }
        body
    }

    /// The whole answer of the token and metadata endpoints.
    pub(crate) fn response(&self, refusal: &Refusal, authority: &str) -> Response {
        let mut response = (refusal.status(), Json(self.body(refusal, authority))).into_response();
        if matches!(refusal, Refusal::Throttled) {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if matches!(refusal, Refusal::WrongMethod(_)) {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        }
        no_store(response.headers_mut());
        self.mark(&mut response, refusal);
        response
    }

    /// Tells the journal what decided `response`, however the refusal is written.
    pub(crate) fn mark(&self, response: &mut Response, refusal: &Refusal) {
        let code = format!("AADSTS{}", refusal.code().0);
        response.extensions_mut().insert(Verdict { code, correlation_id: Some(self.correlation_id) });
    }
}

/// RFC 6749 section 5.1: answers with tokens or reasons are never stored.
pub(crate) fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
