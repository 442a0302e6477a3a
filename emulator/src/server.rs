//! The listener: TLS, connections, routes, and the fault plan that stands before them.
//!
//! Owns nothing of the protocols. A connection is served by hyper directly, so that a fault can cut it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::faults::{Endpoint, Fault, Operation, RetryAfter};
use crate::state::State;
use crate::{authorize, dashboard, device, discovery, graph, token};

/// A client that does not finish its handshake must not hold a task for ever.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The state as an argument of a handler.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<State>);

impl std::ops::Deref for Shared {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl FromRequestParts<Arc<State>> for Shared {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, state: &Arc<State>) -> Result<Self, Self::Rejection> {
        Ok(Self(state.clone()))
    }
}

/// Accepts connections until `stop` changes.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    state: Arc<State>,
    mut stop: watch::Receiver<()>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let router = routes(state.clone());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        // Running out of file descriptors is the usual cause; the next one may work.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let connection = connection(stream, acceptor.clone(), router.clone(), state.clone());
        let mut stop = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = connection => {}
                _ = stop.changed() => {}
            }
        });
    }
}

fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/", get(dashboard::show))
        .route("/error", get(authorize::error_number))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(discovery::metadata_v2))
        .route("/{tenant}/.well-known/openid-configuration", get(discovery::metadata_v1))
        .route("/sts/{tenant}/.well-known/openid-configuration", get(discovery::metadata_v1))
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys_v2))
        .route("/{tenant}/discovery/keys", get(discovery::keys_v1))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::start).post(authorize::start_by_form))
        .route("/{tenant}/oauth2/v2.0/authorize/continue", post(authorize::resume))
        .route("/{tenant}/oauth2/v2.0/logout", get(authorize::logout))
        .route("/{tenant}/oauth2/v2.0/token", token::routes())
        .route("/{tenant}/oauth2/v2.0/devicecode", post(device::issue))
        .route("/{tenant}/oauth2/deviceauth", get(device::page).post(device::resume))
        .route("/devicelogin", get(device::short))
        .merge(graph::routes())
        .fallback(graph::unknown)
        .with_state(state)
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, router: Router, state: Arc<State>) {
    // Small answers must not wait for acknowledgements; failure costs only latency.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let cut = Arc::new(Notify::new());
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        let (router, state, cut) = (router.clone(), state.clone(), cut.clone());
        async move { answer(request.map(Body::new), router, &state, &cut).await }
    });
    let http = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A client that hangs up in the middle is its own affair.
        _ = http => {}
        () = cut.notified() => {}
    }
}

async fn answer(
    mut request: Request<Body>,
    router: Router,
    state: &State,
    cut: &Notify,
) -> Result<Response, std::convert::Infallible> {
    collapse_slashes(request.uri_mut());
    let line = state.log.then(|| format!("{} {}", request.method(), request.uri().path()));
    // Apart from the request, whose body must not be borrowed while waiting.
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let response = match planned(&path, &headers, state, cut).await {
        Some(faulted) => faulted,
        None if misdirected(&request, state) => StatusCode::MISDIRECTED_REQUEST.into_response(),
        None => router.oneshot(request).await?,
    };
    if let Some(line) = line {
        log(&format!("{line} {}", response.status().as_u16()));
    }
    Ok(response)
}

/// Counts the request and does what the fault plan says; None: go on.
async fn planned(path: &str, headers: &HeaderMap, state: &State, cut: &Notify) -> Option<Response> {
    let (endpoint, operation) = classify(path)?;
    if let Some(operation) = operation {
        state.faults.saw(operation);
    }
    if graph::is_batch(path) {
        // Each of its requests meets the plan by itself.
        return None;
    }
    match state.faults.next(endpoint)? {
        Fault::Delay(by) => {
            tokio::time::sleep(by).await;
            None
        }
        Fault::Reset => {
            cut.notify_one();
            // The connection is dropped around this future.
            std::future::pending().await
        }
        Fault::Status { code, retry_after } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = match endpoint {
                Endpoint::Graph => graph::fault(state, headers, status),
                _ => token::fault(state, headers, status),
            };
            let value = retry_after.map(|after| self::retry_after(state, after));
            if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            Some(response)
        }
    }
}

/// The header's value, in the form that was planned.
pub(crate) fn retry_after(state: &State, after: RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(n) => n.to_string(),
        RetryAfter::DateIn(d) => state.clock.now().plus(i64::try_from(d.as_secs()).unwrap_or(0)).http(),
    }
}

fn classify(path: &str) -> Option<(Endpoint, Option<Operation>)> {
    Some(match path {
        p if graph::owns(p) => (Endpoint::Graph, Some(Operation::Graph)),
        p if p.ends_with("/.well-known/openid-configuration") => {
            (Endpoint::Metadata, Some(Operation::Metadata))
        }
        p if p.ends_with("/discovery/v2.0/keys") || p.ends_with("/discovery/keys") => {
            (Endpoint::Keys, Some(Operation::Keys))
        }
        p if p.ends_with("/oauth2/v2.0/token") => (Endpoint::Login, Some(Operation::Token)),
        p if p.ends_with("/oauth2/v2.0/authorize") => (Endpoint::Login, Some(Operation::Authorize)),
        p if p.contains("/oauth2/v2.0/") => (Endpoint::Login, None),
        _ => return None,
    })
}

/// With two host names, each serves only its own paths.
fn misdirected(request: &Request<Body>, state: &State) -> bool {
    let Some((login, graph)) = &state.split_hosts else { return false };
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let wanted = if graph::owns(request.uri().path()) { graph } else { login };
    !name.eq_ignore_ascii_case(wanted)
}

/// Microsoft's Python SDK asks for `/v1.0//me`; the real service does not mind.
fn collapse_slashes(uri: &mut Uri) {
    if !uri.path().contains("//") {
        return;
    }
    let mut path = String::with_capacity(uri.path().len());
    for c in uri.path().chars() {
        if c != '/' || !path.ends_with('/') {
            path.push(c);
        }
    }
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    // The path came out of a valid URI and only lost slashes.
    if let Ok(collapsed) = path.parse() {
        *uri = collapsed;
    }
}

#[expect(clippy::print_stderr, reason = "the request log asked for with --log")]
fn log(line: &str) {
    eprintln!("entra-emulator: {line}");
}
