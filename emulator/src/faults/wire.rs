//! What a client gets to see of a fault: error bodies in the endpoint's style, foreign pages, spoiled answers.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::json;

use super::bodies::{Flood, Trickle};
use super::{Endpoint, Fault, FaultBody, RetryAfter};
use crate::state::State;
use crate::{graph, token};

/// What gateways and proxies put in the place of an answer.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Error</title></head>\
                    <body><h1>The request could not be served</h1></body></html>\n";

/// Answers are spoiled in memory; none of the emulator's is near this.
const ANSWER: usize = 64 * 1024 * 1024;

/// The answer of a fault that stands in the place of the service's. None: the service answers.
pub(crate) fn instead(
    fault: &Fault,
    endpoint: Endpoint,
    state: &State,
    headers: &HeaderMap,
) -> Option<Response> {
    match fault {
        Fault::Status { code, retry_after } => {
            let response = in_style(endpoint, state, headers, status(*code));
            Some(told_when(response, retry_after.as_ref(), state))
        }
        Fault::Answer { code, retry_after, body } => {
            let mut response = match foreign(*body) {
                Some(response) => response,
                None => in_style(endpoint, state, headers, status(*code)),
            };
            *response.status_mut() = status(*code);
            Some(told_when(response, retry_after.as_ref(), state))
        }
        // Documents are good but for their size: see `spoil`.
        Fault::Huge { .. } if matches!(endpoint, Endpoint::Metadata | Endpoint::Keys) => None,
        Fault::Huge { megabytes } => {
            let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
            Some((json, Body::new(Flood::new(b"{", *megabytes))).into_response())
        }
        Fault::Delay(_) | Fault::Drip(_) | Fault::Reset | Fault::CutOff | Fault::WrongType => None,
    }
}

/// The service's answer, spoiled.
pub(crate) async fn spoil(fault: &Fault, mut response: Response) -> Response {
    match fault {
        Fault::WrongType => {
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            response
        }
        Fault::Huge { megabytes } => {
            let (mut parts, body) = response.into_parts();
            let all = to_bytes(body, ANSWER).await.unwrap_or_default();
            let members =
                all.strip_suffix(b"}").map_or_else(|| b"{".to_vec(), |members| [members, b","].concat());
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::new(Flood::new(&members, *megabytes)))
        }
        Fault::Drip(pause) => {
            let (parts, body) = response.into_parts();
            let all = to_bytes(body, ANSWER).await.unwrap_or_default();
            let length = all.len();
            promise(Response::from_parts(parts, Body::new(Trickle::bytewise(all, *pause))), length)
        }
        Fault::CutOff => {
            let (parts, body) = response.into_parts();
            let all = to_bytes(body, ANSWER).await.unwrap_or_default();
            // Without a body there is no middle; promise one that never comes.
            let length = all.len().max(1);
            promise(Response::from_parts(parts, Body::new(Trickle::half(all))), length)
        }
        _ => response,
    }
}

fn promise(mut response: Response, length: usize) -> Response {
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn in_style(endpoint: Endpoint, state: &State, headers: &HeaderMap, status: StatusCode) -> Response {
    const TOLD: &str = "The emulator was told to fail.";
    let code = match status.as_u16() {
        429 => "Throttled",
        _ => "ServiceUnavailable",
    };
    match endpoint {
        Endpoint::Graph => graph::fault(state, headers, status),
        // Key Vault's documentation, "Azure Key Vault REST API error codes": no innererror is promised.
        Endpoint::Vault => {
            (status, Json(json!({ "error": { "code": code, "message": TOLD } }))).into_response()
        }
        // Entra documentation, "How to use managed identities on a VM", "Error handling".
        Endpoint::ManagedIdentity => {
            let body = json!({ "error": "temporarily_unavailable", "error_description": TOLD });
            (status, Json(body)).into_response()
        }
        _ => token::fault(state, headers, status),
    }
}

/// A body that the service itself would not send.
fn foreign(body: FaultBody) -> Option<Response> {
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    Some(match body {
        FaultBody::Service => return None,
        FaultBody::Html => Html(PAGE).into_response(),
        FaultBody::Empty => Response::default(),
        FaultBody::NotJson => (json, "{\"error\": this is not JSON").into_response(),
        FaultBody::EmptyKeys => (json, "{\"keys\":[]}").into_response(),
    })
}

fn told_when(mut response: Response, after: Option<&RetryAfter>, state: &State) -> Response {
    let value = after.map(|after| retry_after(state, after));
    if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// The header's value, in the form that was planned.
pub(crate) fn retry_after(state: &State, after: &RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(n) => n.to_string(),
        // Debug, so that a whole number keeps its `.0`.
        RetryAfter::Decimal(d) => format!("{:?}", d.as_secs_f64()),
        RetryAfter::DateIn(d) => state.clock.now().plus(i64::try_from(d.as_secs()).unwrap_or(0)).http(),
        RetryAfter::Text(text) => text.clone(),
    }
}
