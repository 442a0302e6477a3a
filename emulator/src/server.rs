//! The listener: TLS, connections, routes, and the fault plan that stands before them.
//!
//! Owns nothing of the protocols. A connection is served by hyper directly, so that a fault can cut it. Everything has
//! a bound: connections, the time and size of headers, the time and size of bodies (`exchange.rs`). HTTP/1.1 only.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::errors::{Refusal, Trace};
use crate::exchange::{self, Note};
use crate::faults::{self, Asked, Endpoint, Fault, classify};
use crate::state::State;
use crate::{admin, authorize, dashboard, device, discovery, graph, token, vault};

/// A client that does not finish its handshake must not hold a task for ever.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Neither must one that does not finish its request line and headers. Idle connections end so too.
const HEADERS: Duration = Duration::from_secs(60);

/// The most that request line and headers may take; beyond it the answer is 431.
const HEADER_BYTES: usize = 64 * 1024;

/// How many connections are served at once; further ones wait in the system's queue.
const CONNECTIONS: usize = 1024;

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
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
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
            let _place = place;
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
        .nest("/emulator", admin::routes(&state))
        .merge(vault::routes())
        .fallback(graph::unknown)
        .method_not_allowed_fallback(wrong_method)
        // Bodies were read within bounds before.
        .layer(DefaultBodyLimit::disable())
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
    let http = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
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
    let mut note = Note::new(&request);
    let asked = classify(request.uri().path());
    if let Some(operation) = asked.and_then(|a| a.operation) {
        state.faults.saw(operation);
    }
    let response = match exchange::whole(request, state).await {
        Ok(request) => planned(request, asked, router, state, &mut note).await,
        Err(refused) => Some(refused),
    };
    let Some(response) = response else {
        note.end_without_answer(state);
        cut.notify_one();
        // The connection is dropped around this future.
        return std::future::pending().await;
    };
    note.end(state, &response);
    Ok(response)
}

/// Answers as the fault plan says, or else as the service does. None: not at all.
async fn planned(
    request: Request<Bytes>,
    asked: Option<Asked>,
    router: Router,
    state: &State,
    note: &mut Note,
) -> Option<Response> {
    // Each request of a batch meets the plan by itself.
    let fault = asked.filter(|_| !graph::is_batch(request.uri().path())).and_then(|asked| {
        let grant_type = match asked.endpoint {
            Endpoint::Token => faults::grant_type(request.headers(), request.body()),
            _ => None,
        };
        let fault = state.faults.next(asked.endpoint, request.uri().path(), grant_type.as_deref())?;
        Some((asked.endpoint, fault))
    });
    let Some((endpoint, fault)) = fault else { return Some(routed(request, router, state).await) };
    note.plan(&fault);
    if let Some(response) = faults::instead(&fault, endpoint, state, request.headers()) {
        return Some(response);
    }
    match fault {
        Fault::Reset => return None,
        Fault::Delay(by) => tokio::time::sleep(by).await,
        _ => {}
    }
    Some(faults::spoil(&fault, routed(request, router, state).await).await)
}

async fn routed(request: Request<Bytes>, router: Router, state: &State) -> Response {
    let request = request.map(Body::from);
    if misdirected(&request, state) {
        return StatusCode::MISDIRECTED_REQUEST.into_response();
    }
    state.keys_for(request.uri().path()).await;
    let Ok(response) = router.oneshot(request).await;
    response
}

/// A path that exists, asked with a method it does not take.
async fn wrong_method(state: Shared, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match classify(uri.path()).map(|asked| asked.endpoint) {
        Some(Endpoint::Graph) => graph::wrong_method(&state, &headers, &method),
        Some(Endpoint::Token | Endpoint::Authorize | Endpoint::DeviceCode | Endpoint::Login) => {
            let refusal = Refusal::WrongMethod(method.to_string());
            Trace::new(&headers, state.clock.now()).response(&refusal, &state.origins.authority)
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

/// Each host name serves only its own paths.
fn misdirected(request: &Request<Body>, state: &State) -> bool {
    !state.hosts.serves(crate::hosts::of_request(request.uri(), request.headers()), request.uri().path())
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
