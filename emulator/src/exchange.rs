//! One exchange apart from what it asks for: its body read within bounds, its line in the journal and the log.
//!
//! The line never holds the query, a header or a body: codes, tokens and secrets travel there.

use std::io::Write as _;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, Version, header};
use axum::response::{IntoResponse as _, Response};

use crate::faults::{Endpoint, Fault, classify};
use crate::graph;
use crate::journal::{Seen, Verdict};
use crate::state::State;

/// The largest body of Graph and Key Vault: a small file, as Graph takes it in one request.
const SERVICE_BODY: usize = 4 * 1024 * 1024;

/// The largest body of everything else: forms, and the texts of the admin API.
const BODY: usize = 1024 * 1024;

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(60);

/// How much of a path the journal keeps.
const TARGET: usize = 300;

/// Reads the whole body, or says why not.
pub(crate) async fn whole(request: Request<Body>, state: &State) -> Result<Request<Bytes>, Response> {
    if !one_host(&request) {
        return Err((StatusCode::BAD_REQUEST, "The request must name one host.\n").into_response());
    }
    let service = classify(request.uri().path())
        .is_some_and(|asked| matches!(asked.endpoint, Endpoint::Graph | Endpoint::Vault));
    let limit = if service { SERVICE_BODY } else { BODY };
    // Told beforehand, it is refused before the client that waits for 100-continue sends it.
    if promised(request.headers()).is_some_and(|length| length > limit as u64) {
        return Err(too_large(&request, state));
    }
    let (head, body) = request.into_parts();
    match tokio::time::timeout(BODY_TIME, to_bytes(body, limit)).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, body)),
        // Longer than the limit, or broken off; then nobody reads the answer.
        Ok(Err(_)) => Err(too_large(&Request::from_parts(head, Body::empty()), state)),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, [(header::CONNECTION, "close")]).into_response()),
    }
}

fn promised(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(request: &Request<Body>, state: &State) -> Response {
    match classify(request.uri().path()) {
        Some(asked) if asked.endpoint == Endpoint::Graph => graph::too_large(state, request.headers()),
        _ => (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.\n").into_response(),
    }
}

/// RFC 9112 section 3.2: a request of HTTP/1.1 with no host or several is answered 400.
fn one_host(request: &Request<Body>) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11)
}

/// What is written about an exchange when it ends.
pub(crate) struct Note {
    started: Instant,
    method: Method,
    path: String,
    /// Host and path.
    target: String,
    /// The fault that was planned for it.
    planned: Option<String>,
}

impl Note {
    pub(crate) fn new(request: &Request<Body>) -> Self {
        let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
        let path = request.uri().path().to_owned();
        let target = format!("{host}{path}").chars().take(TARGET).collect();
        Self { started: Instant::now(), method: request.method().clone(), path, target, planned: None }
    }

    /// Remembers that this was no accident.
    pub(crate) fn plan(&mut self, fault: &Fault) {
        self.planned = Some(match fault {
            Fault::Status { code, .. } => format!("planned {code}"),
            Fault::Answer { code, body, .. } => format!("planned {code} {body:?}"),
            Fault::Delay(_) => "planned delay".into(),
            Fault::Drip(_) => "planned drip".into(),
            Fault::Reset => "planned reset".into(),
            Fault::CutOff => "planned cut-off".into(),
            Fault::WrongType => "planned wrong type".into(),
            Fault::Huge { .. } => "planned huge body".into(),
        });
    }

    /// The exchange ends with this answer.
    pub(crate) fn end(&self, state: &State, response: &Response) {
        let (status, verdict) = (response.status(), response.extensions().get::<Verdict>());
        let failed = status.is_client_error() || status.is_server_error();
        let told = match (verdict, &self.planned) {
            (Some(verdict), _) => Some(verdict.code.as_str()),
            (None, None) if failed => status.canonical_reason(),
            (None, _) => None,
        };
        let words: Vec<&str> = self.planned.as_deref().into_iter().chain(told).collect();
        let correlation_id = verdict.and_then(|v| v.correlation_id);
        self.write(state, status.as_u16(), words.join(", "), correlation_id);
    }

    /// The exchange ends without an answer.
    pub(crate) fn end_without_answer(&self, state: &State) {
        self.write(state, 0, self.planned.clone().unwrap_or_default(), None);
    }

    fn write(&self, state: &State, status: u16, verdict: String, correlation_id: Option<uuid::Uuid>) {
        let at = state.clock.now();
        let method: String = self.method.as_str().chars().take(20).collect();
        if state.log {
            let words = if verdict.is_empty() { String::new() } else { format!(" ({verdict})") };
            let took = self.started.elapsed().as_secs_f64() * 1000.0;
            let line = format!("{}Z {method} {} {status}{words} {took:.1} ms\n", at.graph(), self.target);
            // A closed standard error must not end the exchange.
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        // The journal is of what is emulated; whoever polls it must not push that out.
        if !self.path.starts_with("/emulator/") {
            let target = self.target.clone();
            state.journal.saw(Seen { at, method, target, status, verdict, correlation_id });
        }
    }
}
