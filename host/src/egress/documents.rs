//! Fetches documents from URLs that strangers choose: public addresses, `GET`, no redirect, no credential, and little of it.

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Uri;
use hyper::header::{ACCEPT, HeaderValue};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use url::Url;

use super::connector::Connector;
use super::sender::{Failure, Response, connect_failure, read};
use crate::limits;

/// Fetches documents.
pub struct Documents {
    client: Client<Connector, Empty<Bytes>>,
}

impl Documents {
    /// One that dials what `connector` lets it dial, which has to be public addresses alone.
    #[must_use]
    pub fn new(connector: Connector) -> Self {
        // Nobody is asked twice in a row, so no connection is kept.
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        Self { client }
    }

    /// The document at `url`.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn get(&self, url: &str) -> Result<Response, Failure> {
        let denied = |why: &str| Failure::Denied(why.to_owned());
        let url = Url::parse(url).map_err(|_| denied("not an absolute URL"))?;
        if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
            return Err(denied("not an https URL without user information"));
        }
        let uri: Uri = url.as_str().parse().map_err(|_| denied("not a URL that HTTP can carry"))?;
        let mut request = hyper::Request::new(Empty::new());
        *request.uri_mut() = uri;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        tokio::time::timeout(limits::DOCUMENT_TIME, self.exchange(request))
            .await
            .map_err(|_| Failure::TimedOut)?
    }

    async fn exchange(&self, request: hyper::Request<Empty<Bytes>>) -> Result<Response, Failure> {
        let setting = "oauth.client_documents_at_private_addresses";
        let response =
            self.client.request(request).await.map_err(|error| connect_failure(&error, setting))?;
        read(response, limits::DOCUMENT_BYTES).await
    }
}
