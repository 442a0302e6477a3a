//! Answers, written by splicing text: results in the form of the client's revision, errors, refusals.
//!
//! It decides nothing. What a fault means in codes and statuses is in `fault`, what a challenge says in `challenge`.

use std::borrow::Cow;

use crate::challenge::Challenge;
use crate::fault::{Fault, RpcError};
use crate::http::TransportFault;
use crate::json::{push_raw, push_string};
use crate::message::{Context, Id, Initialize};
use crate::revision::SUPPORTED;
use crate::tool::{self, Definition, ToolFault};

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
        Self::fault(error.id, error.status(), &error.fault)
    }

    /// The answer to a request that was read, and then failed.
    #[must_use]
    pub fn failure(context: Context<'_>, fault: &Fault) -> Self {
        Self::fault(Some(context.id), fault.status(Some(context.revision)), fault)
    }

    fn fault(id: Option<Id<'_>>, status: u16, fault: &Fault) -> Self {
        let mut out = String::with_capacity(256);
        push_error(&mut out, id, fault.code(), &fault.to_string(), |out| fault.write_data(out));
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

    /// 200 with JSON that the caller wrote, for example RFC 9728 metadata.
    #[must_use]
    pub fn document(json: String) -> Self {
        Self::json(200, json)
    }

    fn json(status: u16, body: String) -> Self {
        let headers = vec![("content-type", Cow::Borrowed("application/json"))];
        Self { status, headers, body: body.into_bytes() }
    }
}

/// Who answers. From configuration and the build; the same for each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server<'a> {
    /// The programmatic name, for example `valet`.
    pub name: &'a str,
    /// The name for people.
    pub title: Option<&'a str>,
    /// The version of this server.
    pub version: &'a str,
    /// What a model should know about the tools as a whole.
    pub instructions: Option<&'a str>,
    /// How long a client may keep the tool list and the answer to `server/discover`, in milliseconds. Zero: not at all.
    pub ttl_ms: u64,
}

impl Server<'_> {
    /// The answer to `server/discover` (MCP `server/discover`): the same for everyone, and still marked `private`, for
    /// instructions may name things of the operator that only callers should see.
    #[must_use]
    pub fn discover(&self, context: Context<'_>) -> Reply {
        self.result(context, |out| {
            out.push_str(r#""supportedVersions":"#);
            out.push_str(SUPPORTED);
            out.push_str(r#","capabilities":{"tools":{}}"#);
            self.push_instructions(out);
            self.push_cache_hints(out);
        })
    }

    /// The answer to `initialize` (MCP 2025-11-25 `basic/lifecycle`). No session id: nothing is remembered.
    #[must_use]
    pub fn initialize(&self, context: Context<'_>, initialize: &Initialize<'_>) -> Reply {
        self.result(context, |out| {
            out.push_str(r#""protocolVersion":"#);
            push_string(out, initialize.negotiated().as_str());
            out.push_str(r#","capabilities":{"tools":{}},"serverInfo":"#);
            self.push_info(out);
            self.push_instructions(out);
        })
    }

    /// The answer to `ping`: an empty result.
    #[must_use]
    pub fn pong(&self, context: Context<'_>) -> Reply {
        self.result(context, |_| {})
    }

    /// The answer to `tools/list`: the tools that this caller may use, in the order given, which should be the same
    /// each time (MCP `server/tools`). One page. The cache scope is `private`, for the list depends on the caller
    /// (MCP `server/utilities/caching`).
    #[must_use]
    pub fn tools<'d>(
        &self,
        context: Context<'_>,
        tools: impl IntoIterator<Item = &'d Definition<'d>>,
    ) -> Reply {
        self.result(context, |out| {
            out.push_str(r#""tools":["#);
            for (index, tool) in tools.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_raw(out, tool.as_json());
            }
            out.push(']');
            if context.revision.is_modern() {
                self.push_cache_hints(out);
            }
        })
    }

    /// The answer to `tools/call`, from the members of a `CallToolResult` as a JSON object.
    ///
    /// # Errors
    ///
    /// [`ToolFault`] if the text is not an object, has no `content` list, or sets `resultType` or `_meta`. Log it and
    /// answer with [`Reply::failure`] and [`Fault::Internal`].
    pub fn tool_result(&self, context: Context<'_>, members: &str) -> Result<Reply, ToolFault> {
        let members = tool::result_members(members)?;
        Ok(self.result(context, |out| push_raw(out, members)))
    }

    /// A tool result that says what went wrong, for the model (MCP `server/tools#error-handling`): arguments that do not
    /// fit, an upstream that refuses.
    #[must_use]
    pub fn tool_error(&self, context: Context<'_>, text: &str) -> Reply {
        self.result(context, |out| {
            out.push_str(r#""content":[{"type":"text","text":"#);
            push_string(out, text);
            out.push_str(r#"}],"isError":true"#);
        })
    }

    /// A result with `members`, which writes either nothing or members separated by commas. Modern results also say
    /// their type and their server (MCP `basic/index#resulttype`, `#_meta`).
    fn result(&self, context: Context<'_>, members: impl FnOnce(&mut String)) -> Reply {
        let mut out = String::with_capacity(512);
        out.push_str(r#"{"jsonrpc":"2.0","id":"#);
        out.push_str(context.id.as_json());
        out.push_str(r#","result":{"#);
        if context.revision.is_modern() {
            out.push_str(r#""resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":"#);
            self.push_info(&mut out);
            out.push_str("},");
        }
        let start = out.len();
        members(&mut out);
        if out.len() == start && out.ends_with(',') {
            out.pop();
        }
        out.push_str("}}");
        Reply::json(200, out)
    }

    /// An `Implementation` object.
    fn push_info(&self, out: &mut String) {
        out.push_str(r#"{"name":"#);
        push_string(out, self.name);
        if let Some(title) = self.title {
            out.push_str(r#","title":"#);
            push_string(out, title);
        }
        out.push_str(r#","version":"#);
        push_string(out, self.version);
        out.push('}');
    }

    fn push_instructions(&self, out: &mut String) {
        if let Some(instructions) = self.instructions {
            out.push_str(r#","instructions":"#);
            push_string(out, instructions);
        }
    }

    fn push_cache_hints(&self, out: &mut String) {
        out.push_str(r#","ttlMs":"#);
        out.push_str(&self.ttl_ms.to_string());
        out.push_str(r#","cacheScope":"private""#);
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
