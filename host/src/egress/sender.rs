//! A sender: one origin, one pool of connections.

use std::error::Error as _;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use url::{Origin, Url};

use super::connector::{ConnectError, Connector};
use crate::limits;

/// Fields that describe the connection or the framing: the sender's own business (RFC 9110 sections 7.2, 7.6.1 and 8.6).
const OWN_FIELDS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A request, complete before it is sent.
#[derive(Debug)]
pub struct Request {
    /// Method, in upper case.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Fields.
    pub headers: Vec<(String, String)>,
    /// Body, empty for none.
    pub body: Vec<u8>,
}

/// A response, read to its end.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Fields with visible ASCII values, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// Why there is no response. The texts are for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The sender does not cover this request.
    #[error("denied: {0}")]
    Denied(String),
    /// No connection.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// A deadline passed.
    #[error("timed out")]
    TimedOut,
    /// The response is too large.
    #[error("the response is too large")]
    TooLarge,
    /// The peer broke off or did not speak HTTP.
    #[error("broken off: {0}")]
    Protocol(String),
}

/// Sends requests to one origin.
pub struct Sender {
    origin: Origin,
    /// The setting that names the origin, for messages.
    setting: &'static str,
    client: Client<Connector, Full<Bytes>>,
}

impl Sender {
    /// A sender to the origin of `base`, which `setting` names.
    #[must_use]
    pub fn new(base: &Url, setting: &'static str, connector: Connector) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(limits::EGRESS_IDLE_CONNECTIONS)
            .build(connector);
        Self { origin: base.origin(), setting, client }
    }

    /// Sends `request` and reads the whole response.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn send(&self, request: Request) -> Result<Response, Failure> {
        let outgoing = self.check(request)?;
        tokio::time::timeout(limits::EGRESS_TOTAL_TIME, self.exchange(outgoing))
            .await
            .map_err(|_| Failure::TimedOut)?
    }

    /// The request for hyper, if it is for our origin and sets nothing that is ours to set.
    fn check(&self, request: Request) -> Result<hyper::Request<Full<Bytes>>, Failure> {
        let denied =
            |why: &str| Failure::Denied(format!("{why} (this capability is bound to {})", self.setting));
        let url = Url::parse(&request.url).map_err(|_| denied("not an absolute URL"))?;
        if url.scheme() != "https" || url.origin() != self.origin {
            return Err(denied("another scheme, host or port"));
        }
        if super::has_user_information(&url) {
            return Err(denied("a URL with user information"));
        }
        let uri: Uri = url.as_str().parse().map_err(|_| denied("not a URL that HTTP can carry"))?;
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|_| denied("not an HTTP method"))?;
        // RFC 9110 sections 9.3.6 and 9.3.8: the one makes a tunnel, the other gives our own fields back.
        if matches!(method, Method::CONNECT | Method::TRACE) {
            return Err(denied("a method that asks for no resource"));
        }
        let mut outgoing = hyper::Request::new(Full::new(Bytes::from(request.body)));
        *outgoing.method_mut() = method;
        *outgoing.uri_mut() = uri;
        for (name, value) in request.headers {
            let name = HeaderName::try_from(name).map_err(|_| denied("a field name that is none"))?;
            let mut value = HeaderValue::try_from(value).map_err(|_| denied("a field value that is none"))?;
            if OWN_FIELDS.contains(&name.as_str()) {
                return Err(denied("a field that the sender sets itself"));
            }
            value.set_sensitive(name == "authorization");
            outgoing.headers_mut().append(name, value);
        }
        Ok(outgoing)
    }

    async fn exchange(&self, request: hyper::Request<Full<Bytes>>) -> Result<Response, Failure> {
        let head = tokio::time::timeout(limits::EGRESS_FIRST_BYTE_TIME, self.client.request(request));
        let response = head
            .await
            .map_err(|_| Failure::TimedOut)?
            .map_err(|error| connect_failure(&error, "egress.allow_private_addresses"))?;
        read(response, limits::EGRESS_BODY_BYTES).await
    }
}

/// The response, read to its end, if that is not beyond `most` bytes of body.
pub(super) async fn read(response: hyper::Response<Incoming>, most: usize) -> Result<Response, Failure> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, most).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { Failure::TooLarge } else { Failure::Protocol(error.to_string()) }
    })?;
    Ok(Response {
        status: head.status.as_u16(),
        headers: visible(&head.headers),
        body: body.to_bytes().into(),
    })
}

/// The fields as plain values. A value that is not visible ASCII is left out: no component has a use for it.
fn visible(headers: &HeaderMap) -> Vec<(String, String)> {
    let fields = headers.iter();
    fields
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// Why there is no response; `setting` would allow private addresses.
pub(super) fn connect_failure(error: &hyper_util::client::legacy::Error, setting: &str) -> Failure {
    let mut cause = error.source();
    while let Some(error) = cause {
        match error.downcast_ref::<ConnectError>() {
            Some(ConnectError::TimedOut) => return Failure::TimedOut,
            Some(refused @ ConnectError::Address { .. }) => {
                return Failure::Denied(format!("{refused}; set {setting} to allow them"));
            }
            Some(other) => return Failure::Unreachable(other.to_string()),
            None => cause = error.source(),
        }
    }
    Failure::Protocol(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}
