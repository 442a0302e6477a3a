//! From hyper's request to the components' and back, with everything bounded.
//!
//! Health checks are answered here. Every other answer is the components'; where they fail, the caller learns only that.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::body::AnswerBody;
use super::connections::Open;
use crate::limits;
use crate::runtime::{self, Runtime};

type Answer = Response<AnswerBody>;

/// The components and the number of requests that may be in them.
pub(super) struct Front {
    runtime: Runtime,
    places: Arc<Semaphore>,
    /// Room for request bodies, a permit a byte.
    buffer: Semaphore,
}

impl Front {
    pub(super) fn new(runtime: Runtime, concurrent_requests: u32) -> Self {
        Self {
            runtime,
            places: Arc::new(Semaphore::new(concurrent_requests as usize)),
            buffer: Semaphore::new(limits::BUFFERED_BODY_BYTES),
        }
    }

    /// Answers a request. Never fails and never panics: a fault in here costs this request only.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: IpAddr, open: Open) -> Answer {
        let head_only = request.method() == Method::HEAD;
        let mut answer = match AssertUnwindSafe(self.route(request, peer)).catch_unwind().await {
            Ok(answer) => answer,
            Err(_) => {
                tracing::error!("a request panicked in the host");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
            }
        };
        // RFC 9110 section 9.3.2. hyper leaves the body out for HTTP/1.1 only; over HTTP/2 it would be a protocol error.
        if head_only {
            *answer.body_mut() = AnswerBody::default();
        }
        answer.map(|body| body.for_request(open))
    }

    async fn route(&self, request: Request<Incoming>, peer: IpAddr) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/healthz") => plain(StatusCode::OK, "ok\n"),
            (&Method::GET, "/readyz") => self.ready().await,
            _ => match self.components(request, peer).await {
                Ok(answer) => answer,
                Err((status, why)) => plain(status, why),
            },
        }
    }

    async fn ready(&self) -> Answer {
        match self.runtime.ready().await {
            Ok(Ok(())) => plain(StatusCode::OK, "ready\n"),
            Ok(Err(why)) => {
                tracing::warn!(why, "not ready");
                plain(StatusCode::SERVICE_UNAVAILABLE, "not ready; the log says why\n")
            }
            Err(error) => {
                tracing::error!(%error, "not ready");
                plain(StatusCode::SERVICE_UNAVAILABLE, "not ready; the log says why\n")
            }
        }
    }

    async fn components(&self, request: Request<Incoming>, peer: IpAddr) -> Result<Answer, Refused> {
        let (request, _room) = read(request, &self.buffer).await?;
        let request_id = request.request_id.clone();
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Ok(overloaded());
        };
        match self.runtime.handle(request, peer).await {
            Ok(answer) => Ok(write(answer, place, request_id)),
            Err(error @ runtime::RunError::TimedOut) => {
                tracing::error!(request = request_id, %error);
                Err((StatusCode::GATEWAY_TIMEOUT, "the request took too long\n"))
            }
            Err(error) => {
                tracing::error!(request = request_id, %error);
                Err((StatusCode::INTERNAL_SERVER_ERROR, "internal error\n"))
            }
        }
    }
}

/// A status and a line for the person who reads it.
type Refused = (StatusCode, &'static str);

/// The request as plain values, read to its end, and the room that its body takes while it is held.
async fn read<'b>(
    request: Request<Incoming>,
    buffer: &'b Semaphore,
) -> Result<(runtime::Request, Option<SemaphorePermit<'b>>), Refused> {
    let (head, body) = request.into_parts();
    let mut headers = Vec::with_capacity(head.headers.len() + 1);
    for (name, value) in &head.headers {
        let value =
            value.to_str().map_err(|_| (StatusCode::BAD_REQUEST, "a field value is not visible ASCII\n"))?;
        headers.push((name.as_str().to_owned(), value.to_owned()));
    }
    // HTTP/2 carries the host as `:authority` (RFC 9113 section 8.3.1), the absolute form of HTTP/1.1 in the target (RFC 9112 section 3.2.2).
    // A `Host` beside it that differs makes two hosts, which the components refuse.
    if let Some(authority) = head.uri.authority()
        && head.headers.get(HOST).is_none_or(|host| host != authority.as_str())
    {
        headers.push((HOST.as_str().to_owned(), authority.to_string()));
    }
    let (body, room) = tokio::time::timeout(limits::REQUEST_BODY_TIME, read_body(body, buffer))
        .await
        .map_err(|_| (StatusCode::REQUEST_TIMEOUT, "the request body took too long\n"))??;
    let request = runtime::Request {
        method: head.method.as_str().to_owned(),
        target: head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        headers,
        body,
        request_id: runtime::request_id(),
    };
    Ok((request, room))
}

/// The body. Room is taken as bytes arrive, so announcing a long body costs a client as much as sending it.
async fn read_body(
    mut body: Incoming,
    buffer: &Semaphore,
) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Refused> {
    const TOO_LONG: Refused = (StatusCode::PAYLOAD_TOO_LARGE, "the request body is longer than 1 MiB\n");
    if body.size_hint().lower() > limits::REQUEST_BODY_BYTES as u64 {
        discard(body).await;
        return Err(TOO_LONG);
    }
    let (mut bytes, mut room) = (Vec::new(), None::<SemaphorePermit<'_>>);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| (StatusCode::BAD_REQUEST, "the request body could not be read\n"))?;
        // Trailers are no part of a body.
        let Ok(chunk) = frame.into_data() else { continue };
        if bytes.len() + chunk.len() > limits::REQUEST_BODY_BYTES {
            discard(body).await;
            return Err(TOO_LONG);
        }
        let length = u32::try_from(chunk.len()).map_err(|_| TOO_LONG)?;
        let more = buffer
            .try_acquire_many(length)
            .map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "too many requests at once\n"))?;
        match &mut room {
            Some(room) => room.merge(more),
            None => room = Some(more),
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, room))
}

/// Reads on for a while and keeps nothing. Who closes while the other side is still sending resets the connection, and with it goes the answer
/// (RFC 9112 section 9.6).
async fn discard(mut body: Incoming) {
    let mut discarded = 0;
    let reading = async {
        while discarded < limits::DISCARDED_BODY_BYTES {
            match body.frame().await {
                Some(Ok(frame)) => discarded += frame.data_ref().map_or(0, Bytes::len),
                Some(Err(_)) | None => return,
            }
        }
    };
    // What has not come by then is answered all the same.
    let _ = tokio::time::timeout(limits::DISCARD_TIME, reading).await;
}

/// The answer for hyper. One that grows keeps its place until it has ended.
fn write(answer: runtime::Response, place: OwnedSemaphorePermit, request_id: String) -> Answer {
    let mut response = Response::new(match answer.body {
        runtime::Body::Whole(body) => AnswerBody::whole(body),
        runtime::Body::Growing(pieces) => AnswerBody::growing(pieces, place, request_id),
    });
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        tracing::error!(status = answer.status, "the components answered with a status that is none");
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n");
    };
    *response.status_mut() = status;
    for (name, value) in answer.headers {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                response.headers_mut().append(name, value);
            }
            _ => {
                tracing::error!("the components answered with a field that is none");
                return plain(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n");
            }
        }
    }
    response
}

fn overloaded() -> Answer {
    tracing::warn!("limits.concurrent_requests is reached; a request was turned away");
    let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once\n");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut response = Response::new(AnswerBody::whole(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
