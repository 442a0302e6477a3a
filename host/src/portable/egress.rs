//! Outbound `wasi:http` for the portable layouts: listed origins, through our senders.
//!
//! A sender has the policy: `https` only, the address behind the name is checked and is the one that is dialled, no redirects, deadlines, bounded
//! answers. So what a component asks for in `request-options` is not used, and requests and answers are complete before they are passed on;
//! those of the portable layouts are small.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::CONTENT_LENGTH;
use hyper::{Request, Response};
use url::{Origin, Url};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::egress::{self, Connector, Failure, Sender};
use crate::limits;

/// Where one component may send requests to.
pub struct Egress {
    senders: Vec<(Origin, Sender)>,
}

impl Egress {
    /// Leave to reach the origins of `allowed`, and nothing else. None is a fine list.
    #[must_use]
    pub fn new(allowed: &[Url], connector: &Connector) -> Self {
        let sender =
            |url: &Url| (url.origin(), Sender::new(url, "the list of allowed origins", connector.clone()));
        Self { senders: allowed.iter().map(sender).collect() }
    }

    /// Sends `request` if an origin on the list covers it.
    ///
    /// # Errors
    /// The `wasi:http` error code; the log has the details.
    pub async fn send(&self, request: Request<WasiBody>) -> Result<Response<WasiBody>, Error> {
        let url = request.uri().to_string();
        let origin = Url::parse(&url).map_err(|_| Error::HttpRequestUriInvalid)?.origin();
        let Some((_, sender)) = self.senders.iter().find(|(allowed, _)| *allowed == origin) else {
            tracing::warn!(
                origin = origin.ascii_serialization(),
                "a component asked for an origin that is not on its list"
            );
            return Err(Error::HttpRequestDenied);
        };
        let collected = tokio::time::timeout(limits::EGRESS_TOTAL_TIME, collect(url, request));
        let request = collected.await.map_err(|_| Error::ConnectionWriteTimeout)??;
        let answer = sender.send(request).await.map_err(|failure| code(&failure))?;
        respond(answer)
    }
}

/// The whole request as plain values.
async fn collect(url: String, request: Request<WasiBody>) -> Result<egress::Request, Error> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, limits::REQUEST_BODY_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Error::HttpRequestBodySize(Some(limits::REQUEST_BODY_BYTES as u64))
        } else {
            Error::HttpProtocolError
        }
    })?;
    // The sender counts for itself.
    let fields = head.headers.iter().filter(|(name, _)| **name != CONTENT_LENGTH);
    let headers = fields.map(|(name, value)| match value.to_str() {
        Ok(value) => Ok((name.as_str().to_owned(), value.to_owned())),
        Err(_) => Err(Error::HttpRequestDenied),
    });
    Ok(egress::Request {
        method: head.method.as_str().to_owned(),
        url,
        headers: headers.collect::<Result<_, _>>()?,
        body: body.to_bytes().into(),
    })
}

fn respond(answer: egress::Response) -> Result<Response<WasiBody>, Error> {
    let body = Full::from(answer.body).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(body).map_err(|_| Error::HttpProtocolError)
}

fn code(failure: &Failure) -> Error {
    tracing::warn!(%failure, "a component's request was not answered");
    match failure {
        Failure::Denied(_) => Error::HttpRequestDenied,
        Failure::Unreachable(_) => Error::DestinationUnavailable,
        Failure::TimedOut => Error::HttpResponseTimeout,
        Failure::TooLarge => Error::HttpResponseBodySize(None),
        Failure::Protocol(_) => Error::HttpProtocolError,
    }
}

/// The hooks of `wasmtime-wasi-http` that send by [`Egress`]. One for each instance.
#[derive(Clone)]
pub struct EgressHooks(Arc<Egress>);

impl EgressHooks {
    /// Hooks of a component that may reach what `egress` allows.
    #[must_use]
    pub fn new(egress: Arc<Egress>) -> Self {
        Self(egress)
    }
}

/// What `wasmtime-wasi-http` waits for: the answer, and what goes on after its head. Nothing does here.
type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for EgressHooks {
    /// The sender sets it from the URL that was checked.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let egress = Arc::clone(&self.0);
        Box::new(async move {
            let answer = egress.send(request).await?;
            Ok((answer, Box::new(async { Ok(()) }) as Box<dyn Future<Output = _> + Send>))
        })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::Empty;

    use super::*;
    use crate::egress::{AddressPolicy, trust};

    fn check(allowed: &[&str], addresses: AddressPolicy, url: &str, expected: fn(&Error) -> bool) {
        // Fails if another test was first, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let allowed: Vec<Url> = allowed.iter().map(|url| Url::parse(url).unwrap()).collect();
        let egress = Egress::new(&allowed, &Connector::new(trust(None).unwrap(), addresses));
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let request = Request::get(url).body(body).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let refused = runtime.block_on(egress.send(request)).unwrap_err();
        assert!(expected(&refused), "{url}: {refused:?}");
    }

    #[test]
    fn only_listed_origins_are_reached() {
        let denied = |error: &Error| matches!(error, Error::HttpRequestDenied);
        let listed = ["https://a.example:8443"];
        for url in [
            "https://b.example:8443/",
            "https://a.example/",
            "http://a.example:8443/",
            "https://a.example.b.example:8443/",
            "https://a.example:8443@b.example/",
        ] {
            check(&listed, AddressPolicy::PublicOnly, url, denied);
        }
        check(&[], AddressPolicy::PublicOnly, "https://a.example/", denied);
        // Clear text is never sent, listed or not.
        check(&["http://a.example"], AddressPolicy::PublicOnly, "http://a.example/", denied);
    }

    #[test]
    fn a_listed_name_with_a_private_address_is_refused() {
        let origin = "https://127.0.0.1:1";
        check(&[origin], AddressPolicy::PublicOnly, origin, |error| {
            matches!(error, Error::HttpRequestDenied)
        });
        let dialled = |error: &Error| matches!(error, Error::DestinationUnavailable);
        check(&[origin], AddressPolicy::PrivateToo, origin, dialled);
    }
}
