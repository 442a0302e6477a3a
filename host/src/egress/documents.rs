//! Fetches documents from URLs that strangers choose: public addresses, `GET`, no redirect, no credential, and little of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// Fetches documents, a few at a time.
pub struct Documents {
    client: Client<Connector, Empty<Bytes>>,
    places: Places,
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
        Self { client, places: Places::default() }
    }

    /// The document at `url`; none where as many are being fetched as may be.
    pub async fn get(&self, url: &str) -> Option<Result<Response, Failure>> {
        let url = match checked(url) {
            Ok(url) => url,
            Err(failure) => return Some(Err(failure)),
        };
        let _place = self.places.take(url.host_str().unwrap_or_default())?;
        Some(self.fetch(&url).await)
    }

    async fn fetch(&self, url: &Url) -> Result<Response, Failure> {
        let denied = |why: &str| Failure::Denied(why.to_owned());
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

fn checked(url: &str) -> Result<Url, Failure> {
    let denied = |why: &str| Failure::Denied(why.to_owned());
    let url = Url::parse(url).map_err(|_| denied("not an absolute URL"))?;
    match url.scheme() == "https" && !super::has_user_information(&url) {
        true => Ok(url),
        false => Err(denied("not an https URL without user information")),
    }
}

/// The fetches that are open, by host.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<HashMap<String, usize>>>);

/// A place for one fetch, given back when it is dropped.
struct Place {
    places: Places,
    host: String,
}

impl Places {
    fn take(&self, host: &str) -> Option<Place> {
        // No code under the lock can leave the map half-changed.
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let here = open.get(host).copied().unwrap_or_default();
        if all >= limits::DOCUMENT_FETCHES || here >= limits::DOCUMENT_FETCHES_OF_HOST {
            tracing::debug!(all, here, host, "as many documents are being fetched as may be");
            return None;
        }
        open.insert(host.to_owned(), here + 1);
        Some(Place { places: self.clone(), host: host.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.host) {
            Some(here) if *here > 1 => *here -= 1,
            _ => drop(open.remove(&self.host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_gets_few_places_and_leaves_others_some() {
        let places = Places::default();
        let held: Vec<_> = (0..limits::DOCUMENT_FETCHES_OF_HOST).map(|_| places.take("a").unwrap()).collect();
        assert!(places.take("a").is_none());
        assert!(places.take("b").is_some(), "and its place is free again");
        drop(held);
        assert!(places.take("a").is_some());
        assert!(places.0.lock().unwrap().is_empty(), "hosts are forgotten");
    }

    #[test]
    fn there_is_an_end_to_places() {
        let places = Places::default();
        let held: Vec<_> =
            (0..limits::DOCUMENT_FETCHES).map(|host| places.take(&host.to_string()).unwrap()).collect();
        assert!(places.take("another").is_none());
        drop(held);
        assert!(places.take("another").is_some());
    }
}
