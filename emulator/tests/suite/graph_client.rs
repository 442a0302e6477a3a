//! A client of Graph for the tests: one token, requests as JSON.

use entra_emulator::{GRAPH_APP_ID, ids};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::bench::Bench;

/// Every delegated permission of the emulated Graph that the tests of resources need.
pub(crate) const ALL: [&str; 7] = [
    "User.Read",
    "User.Read.All",
    "GroupMember.Read.All",
    "Mail.ReadWrite",
    "Mail.Send",
    "Calendars.ReadWrite",
    "Files.ReadWrite",
];

pub(crate) struct Client<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) token: String,
}

impl<'a> Client<'a> {
    /// Signed in as `upn` with these scopes.
    pub(crate) fn user(bench: &'a Bench, upn: &str, scopes: &[&str]) -> Self {
        let token = bench.emulator.access_token(upn, ids::VALET, GRAPH_APP_ID, scopes).unwrap();
        Self { bench, token }
    }

    /// An application with these roles.
    pub(crate) fn app(bench: &'a Bench, roles: &[&str]) -> Self {
        Self { bench, token: bench.emulator.app_token(ids::DAEMON, GRAPH_APP_ID, roles).unwrap() }
    }

    /// A request to a path, or to an absolute link.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = match path.starts_with("https://") {
            true => path.to_owned(),
            false => format!("{}/v1.0{path}", self.bench.emulator.graph_url()),
        };
        self.bench.http.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path)).await.0
    }

    /// A GET that must succeed.
    pub(crate) async fn ok(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A GET of a directory list as an advanced query.
    pub(crate) async fn eventual(&self, path: &str) -> (u16, Value) {
        read(self.request(Method::GET, path).header("ConsistencyLevel", "eventual")).await.0
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        read(self.request(method, path).json(body)).await.0
    }

    /// A GET that must be refused so.
    pub(crate) async fn refused(&self, path: &str, status: u16, code: &str) {
        let (got, body) = self.get(path).await;
        assert_eq!((got, body["error"]["code"].as_str()), (status, Some(code)), "{path}: {body}");
    }

    /// Every page of a list, following links; each must lie on Graph's origin.
    pub(crate) async fn pages(&self, path: &str) -> Vec<Vec<Value>> {
        let mut pages = vec![];
        let mut next = path.to_owned();
        loop {
            let body = self.ok(&next).await;
            pages.push(body["value"].as_array().unwrap().clone());
            assert!(pages.len() < 200, "the pages of {path} do not end");
            let Some(link) = body["@odata.nextLink"].as_str() else { return pages };
            assert!(link.starts_with(&format!("{}/v1.0/", self.bench.emulator.graph_url())), "{link}");
            next = link.to_owned();
        }
    }
}

/// Status, body as JSON (null where it is none), headers.
pub(crate) async fn read(request: reqwest::RequestBuilder) -> ((u16, Value), HeaderMap) {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    ((status, serde_json::from_slice(&bytes).unwrap_or_default()), headers)
}

/// The values of one property in a list.
pub(crate) fn column<'a>(list: &'a [Value], name: &str) -> Vec<&'a Value> {
    list.iter().map(|row| &row[name]).collect()
}
