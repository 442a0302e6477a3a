//! Requests that are perfect until a test changes one thing, and their answers.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::config::ENDPOINT;

/// The modern revision.
pub const MODERN: &str = "2026-07-28";
/// The newest legacy revision.
pub const LEGACY: &str = "2025-11-25";

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub(crate) verb: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    /// A GET of a path of the server under test.
    #[must_use]
    pub fn get(path: &str) -> Self {
        let url = format!("{}{path}", ENDPOINT.trim_end_matches("/mcp"));
        Self { verb: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// A POST of `body` as an MCP client sends it.
    #[must_use]
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        Self { verb: Method::POST, body: body.into(), ..Self::get("/mcp") }
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
    }

    /// A request of the modern revision, described in header and body.
    #[must_use]
    pub fn modern(method: &str, params: Value) -> Self {
        let ask = Self::post(modern(method, params.clone()).to_string())
            .header("mcp-protocol-version", MODERN)
            .header("mcp-method", method);
        match params["name"].as_str().or(params["uri"].as_str()) {
            Some(name) => ask.header("mcp-name", name),
            None => ask,
        }
    }

    /// A request of a legacy revision.
    #[must_use]
    pub fn legacy(version: &str, method: &str, params: Value) -> Self {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Self::post(body.to_string()).header("mcp-protocol-version", version)
    }

    /// A call of a tool without arguments, in the modern revision.
    #[must_use]
    pub fn tool(name: &str) -> Self {
        Self::modern("tools/call", json!({ "name": name, "arguments": {} }))
    }

    /// The same with a token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The same with a field set.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        self
    }

    /// The same with one more field, which may repeat one and hold any bytes that HTTP can carry.
    #[must_use]
    pub fn and(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_bytes(value).unwrap());
        self
    }

    /// The same without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        assert!(self.headers.remove(name).is_some(), "{name} was not there");
        self
    }

    /// The same with another body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with a member of `_meta` set; the body has to be an object.
    #[must_use]
    pub fn meta(self, name: &str, value: impl Into<Value>) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).unwrap();
        body["params"]["_meta"][name] = value.into();
        self.body(body.to_string())
    }

    /// The same to another path and query.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        Self { url: Self::get(path).url, ..self }
    }

    /// The same to another server.
    #[must_use]
    pub fn at(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    /// The same with another method.
    #[must_use]
    pub fn verb(self, verb: &str) -> Self {
        Self { verb: verb.parse().unwrap(), ..self }
    }
}

/// The body of a modern request.
#[must_use]
pub fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": { "name": "suite", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
    /// Of HTTP.
    pub version: reqwest::Version,
}

impl Answer {
    /// Reads a response.
    pub async fn read(response: reqwest::Response) -> Self {
        let (status, headers, version) =
            (response.status().as_u16(), response.headers().clone(), response.version());
        Self { status, headers, body: response.text().await.unwrap(), version }
    }

    /// A field; empty if it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The messages of an event stream, in the one form that we write: an event is a line of data and an empty one. Panics at anything else.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        assert!(self.status == 200 && self.field("content-type") == "text/event-stream", "{self:?}");
        let events = self.body.strip_suffix("\n\n").unwrap_or_else(|| panic!("{self:?}")).split("\n\n");
        events.map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()).collect()
    }

    /// The `result` of a 200; panics at anything else.
    pub fn result(&self) -> Value {
        let json = self.json();
        assert!(self.status == 200 && json["error"].is_null(), "{self:?}");
        json["result"].clone()
    }
}
