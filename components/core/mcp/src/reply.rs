//! Answers, written by splicing text: errors and refusals. Results are written by `server`.
//!
//! It decides nothing. What a fault means in codes and statuses is in `fault`, what a challenge says in `challenge`.

use std::borrow::Cow;

use crate::challenge::Challenge;
use crate::fault::{Fault, RpcError};
use crate::http::TransportFault;
use crate::json::push_string;
use crate::message::{Context, Id};
use crate::revision::Revision;

/// An HTTP answer. On stdio only the body counts, and an empty one means no answer; a body is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Header fields, names in lower case. `Content-Length` is the host's business.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// UTF-8.
    pub body: Vec<u8>,
}

impl Reply {
    /// 202 without a body: a notification (or a stray response) was taken (MCP
    /// `basic/transports/streamable-http#sending-messages`).
    #[must_use]
    pub const fn accepted() -> Self {
        Self { status: 202, headers: Vec::new(), body: Vec::new() }
    }

    /// The answer to a message that [`read`](crate::read()) refused.
    #[must_use]
    pub fn error(error: &RpcError<'_>) -> Self {
        Self::fault(error.id, error.revision, &error.fault)
    }

    /// The answer to a request that was read, and then failed.
    #[must_use]
    pub fn failure(context: Context<'_>, fault: &Fault) -> Self {
        Self::fault(Some(context.id), Some(context.revision), fault)
    }

    fn fault(id: Option<Id<'_>>, revision: Option<Revision>, fault: &Fault) -> Self {
        let (status, code) = (fault.status(revision), fault.code(revision));
        let mut out = String::with_capacity(256);
        push_error(&mut out, id, code, &fault.to_string(), |out| fault.write_data(out));
        let mut reply = Self::json(status, out);
        if let Fault::RateLimited { retry_after } = fault {
            reply.headers.push(("retry-after", Cow::Owned(retry_after.to_string())));
        }
        reply
    }

    /// The answer to a request that broke a rule of the transport: a JSON-RPC error without an id, as the
    /// specification allows.
    #[must_use]
    pub fn transport(fault: &TransportFault) -> Self {
        let mut out = String::with_capacity(128);
        push_error(&mut out, None, -32600, fault.message(), |_| false);
        let mut reply = Self::json(fault.status(), out);
        if let TransportFault::MethodNotAllowed { .. } = fault {
            // RFC 9110 section 15.5.6.
            reply.headers.push(("allow", Cow::Borrowed("POST")));
        }
        reply
    }

    /// 400, 401 or 403 with a challenge. The body repeats its error for people who read with curl.
    #[must_use]
    pub fn challenge(challenge: &Challenge<'_>) -> Self {
        let mut out = String::with_capacity(128);
        out.push_str(r#"{"error":"#);
        push_string(&mut out, challenge.error().unwrap_or("unauthorized"));
        if let Some(description) = challenge.description() {
            out.push_str(r#","error_description":"#);
            push_string(&mut out, description);
        }
        out.push('}');
        let mut reply = Self::json(challenge.status(), out);
        reply.headers.push(("www-authenticate", Cow::Owned(challenge.header_value())));
        reply
    }

    /// The head of an answer that comes as server-sent events, which go behind [`Self::body`] (MCP
    /// `basic/transports/streamable-http#receiving-messages`). No cache and no proxy may hold any of it back.
    #[must_use]
    pub fn event_stream() -> Self {
        let headers = vec![
            ("content-type", Cow::Borrowed("text/event-stream")),
            ("cache-control", Cow::Borrowed("no-store")),
            ("x-accel-buffering", Cow::Borrowed("no")),
        ];
        Self { status: 200, headers, body: Vec::new() }
    }

    /// 200 with JSON that the caller wrote, for example RFC 9728 metadata.
    #[must_use]
    pub fn document(json: String) -> Self {
        Self::json(200, json)
    }

    pub(crate) fn json(status: u16, body: String) -> Self {
        let headers = vec![("content-type", Cow::Borrowed("application/json"))];
        Self { status, headers, body: body.into_bytes() }
    }
}

/// An error response. Without an id the member is left out: MCP ids are never null (MCP `basic/index#error-responses`).
fn push_error(
    out: &mut String,
    id: Option<Id<'_>>,
    code: i32,
    message: &str,
    data: impl FnOnce(&mut String) -> bool,
) {
    out.push_str(r#"{"jsonrpc":"2.0""#);
    if let Some(id) = id {
        out.push_str(r#","id":"#);
        out.push_str(id.as_json());
    }
    out.push_str(r#","error":{"code":"#);
    out.push_str(&code.to_string());
    out.push_str(r#","message":"#);
    push_string(out, message);
    let before = out.len();
    out.push_str(r#","data":"#);
    if !data(out) {
        out.truncate(before);
    }
    out.push_str("}}");
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
