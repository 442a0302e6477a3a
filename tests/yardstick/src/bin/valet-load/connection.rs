//! One connection and the requests that go over it.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;

use crate::Arguments;

/// The first revision whose requests describe themselves.
const MODERN: &str = "2026-07-28";

/// A request, ready but for the token.
pub(crate) struct Template {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

/// What came back.
#[derive(PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Template {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self> {
        let modern = arguments.revision == MODERN;
        let mut params = json!({});
        let mut headers = HeaderMap::new();
        if modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            headers.insert(HeaderName::from_static("mcp-method"), arguments.method.parse()?);
        }
        if let Some(tool) = &arguments.tool {
            params["name"] = tool.as_str().into();
            params["arguments"] = json!({});
            if modern {
                headers.insert(HeaderName::from_static("mcp-name"), tool.parse()?);
            }
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": arguments.method, "params": params });
        headers.insert(HeaderName::from_static("mcp-protocol-version"), arguments.revision.parse()?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        headers.insert(HOST, format!("localhost:{}", arguments.server.port()).parse()?);
        Ok(Self { uri: arguments.path.parse()?, headers, body: Bytes::from(body.to_string()) })
    }

    /// `Authorization` for `token`.
    pub(crate) fn bearer(token: &str) -> Result<HeaderValue> {
        HeaderValue::try_from(format!("Bearer {token}")).context("a token that is none")
    }
}

/// A connection that is kept alive.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(arguments: &Arguments) -> Result<Self> {
        let stream = TcpStream::connect(arguments.server).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends when the sender is dropped; what goes wrong with it shows at the sender.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends the request with `bearer` and reads the answer to its end.
    pub(crate) async fn ask(&mut self, template: &Template, bearer: &HeaderValue) -> Result<Answer> {
        let mut request = Request::new(Full::new(template.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = template.uri.clone();
        *request.headers_mut() = template.headers.clone();
        request.headers_mut().insert(AUTHORIZATION, bearer.clone());
        self.0.ready().await?;
        let response = self.0.send_request(request).await?;
        let status = response.status().as_u16();
        Ok(Answer { status, body: response.into_body().collect().await?.to_bytes() })
    }
}

impl Answer {
    /// Fails unless this is what `arguments` call right.
    pub(crate) fn check(&self, arguments: &Arguments) -> Result<()> {
        let text = String::from_utf8_lossy(&self.body);
        ensure!(
            self.status == arguments.status,
            "status {} instead of {}: {text}",
            self.status,
            arguments.status
        );
        for wanted in &arguments.contains {
            ensure!(text.contains(wanted), "the answer lacks {wanted}: {text}");
        }
        Ok(())
    }
}
