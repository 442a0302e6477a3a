//! The listener on loopback: takes one answer of the authority, from a browser on this machine, and refuses everything else.
//!
//! | what comes | answer |
//! |---|---|
//! | `POST /`, a form with our `state` | the page how the sign-in ended |
//! | the same once more | 400 at once: there is one answer to a request |
//! | the same with another `state` | 400, and the sign-in goes on: it was not ours |
//! | `GET /` without a query, `GET /favicon.ico` | a page, nothing; browsers ask these by themselves |
//! | `GET` with a query | 400: a code in a query would stand in the browser's history |
//! | another method, path, `Host`, `Origin`, content type; a long or slow body | 405, 404, 421, 403, 415, 413, 408 |

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use valet_core_entra::SecretString;
use valet_core_entra::authorize::{self, ReplyError};

use super::page::{self, Page};
use crate::limits::{
    ACCEPT_PAUSE, ACCEPTS_TRIED, FAREWELL, MAX_CONNECTIONS, MAX_REPLY_BYTES, PORTS_TRIED, REPLY_DEADLINE,
};

/// An answer to our request, and where the page goes that the person sees.
pub(super) struct Reply {
    pub(super) code: Result<SecretString, ReplyError>,
    pub(super) page: oneshot::Sender<Page>,
}

/// A listener for one sign-in. Closed when dropped.
pub(super) struct Listener {
    redirect_uri: String,
    replies: mpsc::Receiver<Reply>,
    /// One task, which ends when it is told to stop, or with what keeps it from taking connections.
    server: JoinSet<io::Result<()>>,
    stop: Arc<Semaphore>,
}

/// What the connections share.
struct Shared {
    authority: String,
    state: SecretString,
    /// `Host` values that a browser sends for us.
    hosts: [String; 3],
    /// Taken by the first answer to our request: there is no second one.
    tell: Mutex<Option<mpsc::Sender<Reply>>>,
}

impl Listener {
    /// Listens on a free port. `state` is that of the request whose answer is awaited.
    pub(super) async fn open(authority: String, state: SecretString) -> io::Result<Self> {
        let listeners = Listeners::bind().await?;
        let port = listeners.v4.local_addr()?.port();
        let (tell, replies) = mpsc::channel(1);
        let hosts = [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
        let shared = Arc::new(Shared { authority, state, hosts, tell: Mutex::new(Some(tell)) });
        let stop = Arc::new(Semaphore::new(0));
        let mut server = JoinSet::new();
        server.spawn(serve(listeners, shared, stop.clone()));
        // Entra ignores the port of `http://localhost`, and of that name only where it is registered so.
        Ok(Self { redirect_uri: format!("http://localhost:{port}"), replies, server, stop })
    }

    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// What keeps the listener from taking it.
    pub(super) async fn reply(&mut self) -> io::Result<Reply> {
        tokio::select! {
            biased;
            Some(reply) = self.replies.recv() => Ok(reply),
            Some(ended) = self.server.join_next() => match ended {
                Ok(Err(error)) => Err(error),
                Ok(Ok(())) => Err(io::Error::other("it ended")),
                Err(error) => Err(io::Error::other(error)),
            },
            else => Err(io::Error::other("it has ended already")),
        }
    }

    /// Takes no more connections, and lets the last page reach the browser.
    pub(super) async fn finish(mut self) {
        self.stop.add_permits(1);
        let _ = timeout(FAREWELL, self.server.join_next()).await;
    }
}

/// `localhost` is both addresses, and a browser may try either first: whoever had the other one would get the answer.
struct Listeners {
    v4: TcpListener,
    /// None where the machine has no IPv6.
    v6: Option<TcpListener>,
}

impl Listeners {
    /// The same free port on both.
    async fn bind() -> io::Result<Self> {
        Self::bind_with(|port| TcpListener::bind((Ipv6Addr::LOCALHOST, port))).await
    }

    /// The same, with what takes a port of `::1`.
    async fn bind_with<F>(bind_v6: impl Fn(u16) -> F) -> io::Result<Self>
    where
        F: Future<Output = io::Result<TcpListener>>,
    {
        for _ in 0..PORTS_TRIED {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            match bind_v6(v4.local_addr()?.port()).await {
                Ok(v6) => return Ok(Self { v4, v6: Some(v6) }),
                // Somebody has that port: another one, then.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(_) => return Ok(Self { v4, v6: None }),
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody takes every port of ::1"))
    }
}

/// Where connections come from.
trait Accept: Send + Sync {
    fn accept(&self) -> impl Future<Output = io::Result<TcpStream>> + Send;
}

impl Accept for Listeners {
    async fn accept(&self) -> io::Result<TcpStream> {
        let v6 = async {
            match &self.v6 {
                Some(v6) => v6.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.v4.accept() => accepted,
            accepted = v6 => accepted,
        }
        .map(|(stream, _)| stream)
    }
}

/// Serves what `listeners` take until it is told to stop. Then nobody listens any more, and the connections go on to their end.
///
/// # Errors
/// The last one of [`ACCEPTS_TRIED`] in a row.
async fn serve(listeners: impl Accept, shared: Arc<Shared>, stop: Arc<Semaphore>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let mut failed = 0;
    loop {
        tokio::select! {
            accepted = next(&listeners, failed), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok(stream) => {
                    failed = 0;
                    connections.spawn(connection(stream, shared.clone()));
                }
                Err(error) => {
                    failed += 1;
                    if failed == ACCEPTS_TRIED {
                        return Err(error);
                    }
                }
            },
            Some(_) = connections.join_next() => {}
            _ = stop.acquire() => break,
        }
    }
    drop(listeners);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// The next connection; after a failure not at once, or the processor would do nothing else.
async fn next(listeners: &impl Accept, failed: usize) -> io::Result<TcpStream> {
    if failed > 0 {
        sleep(ACCEPT_PAUSE).await;
    }
    listeners.accept().await
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(shared.answer(request).await) }
    });
    // Whatever goes wrong on a connection is its own matter.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REPLY_DEADLINE)
        // One request, so that nothing waits for a browser that keeps connections.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Err(status) = self.admit(request.method(), request.headers()) {
            return respond(status, None);
        }
        let uri = request.uri();
        match (request.method(), uri.path(), uri.query()) {
            (&Method::GET, "/favicon.ico", None) => respond(StatusCode::NO_CONTENT, None),
            (&Method::GET, "/", None) => respond(StatusCode::OK, Some(&Page::Waiting)),
            (_, "/", Some(_)) => respond(StatusCode::BAD_REQUEST, Some(&Page::NotOurs)),
            (&Method::POST, "/", None) => match form(request).await {
                Ok(form) => self.reply(&form).await,
                Err(status) => respond(status, None),
            },
            _ => respond(StatusCode::NOT_FOUND, None),
        }
    }

    fn admit(&self, method: &Method, headers: &HeaderMap) -> Result<(), StatusCode> {
        // A page elsewhere whose name was made to lead here (DNS rebinding) has another `Host`.
        let host = one(headers, header::HOST).ok_or(StatusCode::MISDIRECTED_REQUEST)?;
        if !self.hosts.iter().any(|ours| host == ours.as_str()) {
            return Err(StatusCode::MISDIRECTED_REQUEST);
        }
        if !matches!(*method, Method::GET | Method::POST) {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        // The form comes from the authority's page. `null` is what a browser says for a page with `no-referrer` (Fetch section 3.2).
        match one(headers, header::ORIGIN) {
            Some(origin) if origin == self.authority.as_str() || origin == "null" => Ok(()),
            None if !headers.contains_key(header::ORIGIN) => Ok(()),
            _ => Err(StatusCode::FORBIDDEN),
        }
    }

    /// The answer to our request goes on, and waits for the page; another one is refused, and ours is still awaited.
    async fn reply(&self, form: &[u8]) -> Response<Full<Bytes>> {
        let code = authorize::read(form, &self.authority, &self.state);
        if matches!(code, Err(ReplyError::State)) {
            return respond(StatusCode::BAD_REQUEST, Some(&Page::NotOurs));
        }
        let tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The same answer again, from a second tab or a reload: only the first one has a page to wait for.
        let Some(tell) = tell else { return respond(StatusCode::BAD_REQUEST, Some(&Page::NotOurs)) };
        let (page, shown) = oneshot::channel();
        // Where nobody takes it, the page goes with it, and so does the wait.
        let _ = tell.send(Reply { code, page }).await;
        match shown.await {
            Ok(page) => respond(page.status(), Some(&page)),
            Err(_) => respond(StatusCode::BAD_REQUEST, Some(&Page::NotOurs)),
        }
    }
}

/// The value of a header that has to be there once.
fn one(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

async fn form(request: Request<Incoming>) -> Result<Bytes, StatusCode> {
    let kind =
        one(request.headers(), header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    if request.body().size_hint().lower() > MAX_REPLY_BYTES as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = Limited::new(request.into_body(), MAX_REPLY_BYTES).collect();
    match timeout(REPLY_DEADLINE, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

fn respond(status: StatusCode, page: Option<&Page>) -> Response<Full<Bytes>> {
    let body = page.map(Page::html).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, page::POLICY),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    }
    response
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
