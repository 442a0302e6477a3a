//! Results, written by splicing text, in the form of the client's revision. Errors and refusals are in `reply`.

use crate::definition::Definition;
use crate::input::InputRequests;
use crate::json::{push_raw, push_string, push_strings};
use crate::limits;
use crate::message::{Context, Initialize};
use crate::pack::ResultMembers;
use crate::page::List;
use crate::reply::Reply;
use crate::revision::SUPPORTED;

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
    /// Its icons, a JSON list of `Icon` objects. Only where clients look for them: in the answers to `server/discover` and
    /// `initialize`.
    pub icons: Option<&'a str>,
    /// How long a client may keep the lists and the answer to `server/discover`, in milliseconds. Zero: not at all.
    pub ttl_ms: u64,
}

/// What a server has beside tools: the capabilities that it announces, and the methods that it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// A resource or a resource template.
    pub resources: bool,
    /// A prompt.
    pub prompts: bool,
}

impl Offers {
    /// `ServerCapabilities`. Nothing changes while a server runs and nothing is remembered, so that no list announces its
    /// changes and no resource can be subscribed to. Modern clients ask for log messages in each request, where there is
    /// no capability to look for.
    fn push(self, out: &mut String, modern: bool) {
        out.push_str(r#""capabilities":{"tools":{}"#);
        if self.resources {
            out.push_str(r#","resources":{}"#);
        }
        if self.prompts {
            out.push_str(r#","prompts":{}"#);
        }
        if self.resources || self.prompts {
            out.push_str(r#","completions":{}"#);
        }
        if !modern {
            out.push_str(r#","logging":{}"#);
        }
        out.push('}');
    }
}

impl Server<'_> {
    /// The answer to `server/discover` (MCP `server/discover`): the same for everyone, and still marked `private`, for
    /// instructions may name things of the operator that only callers should see.
    #[must_use]
    pub fn discover(&self, context: Context<'_>, offers: Offers) -> Reply {
        self.result_from(context, "complete", self.icons, |out| {
            out.push_str(r#""supportedVersions":"#);
            out.push_str(SUPPORTED);
            out.push(',');
            offers.push(out, true);
            self.push_instructions(out);
            Self::push_cache_hints(out, self.ttl_ms);
        })
    }

    /// The answer to `initialize` (MCP 2025-11-25 `basic/lifecycle`). No session id: nothing is remembered.
    #[must_use]
    pub fn initialize(&self, context: Context<'_>, initialize: &Initialize<'_>, offers: Offers) -> Reply {
        self.result(context, |out| {
            out.push_str(r#""protocolVersion":"#);
            push_string(out, initialize.negotiated().as_str());
            out.push(',');
            offers.push(out, false);
            out.push_str(r#","serverInfo":"#);
            self.push_info(out, self.icons);
            self.push_instructions(out);
        })
    }

    /// An empty result: the answer to `ping`, `logging/setLevel` and to subscriptions that have nothing to tell.
    #[must_use]
    pub fn empty(&self, context: Context<'_>) -> Reply {
        self.result(context, |_| {})
    }

    /// A page of a list: the entries that this caller may use, in the order given, which should be the same each time (MCP
    /// `server/tools`), and the cursor of the next page. The cache scope is `private`, for the lists depend on the caller
    /// (MCP `server/utilities/caching`).
    #[must_use]
    pub fn list(
        &self,
        context: Context<'_>,
        list: List,
        page: &[&Definition<'_>],
        next: Option<&str>,
    ) -> Reply {
        self.result(context, |out| {
            out.push('"');
            out.push_str(list.member());
            out.push_str(r#"":["#);
            for (index, definition) in page.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_raw(out, definition.as_json());
            }
            out.push(']');
            if let Some(next) = next {
                out.push_str(r#","nextCursor":"#);
                push_string(out, next);
            }
            if context.revision.is_modern() {
                Self::push_cache_hints(out, self.ttl_ms);
            }
        })
    }

    /// The answer to `tools/call` or `prompts/get`.
    #[must_use]
    pub fn complete(&self, context: Context<'_>, members: ResultMembers<'_>) -> Reply {
        self.result(context, |out| push_raw(out, members.text))
    }

    /// The answer to `resources/read`. It holds a user's data, so that no client should keep it.
    #[must_use]
    pub fn resource(&self, context: Context<'_>, members: ResultMembers<'_>) -> Reply {
        self.result(context, |out| {
            push_raw(out, members.text);
            if context.revision.is_modern() {
                Self::push_cache_hints(out, 0);
            }
        })
    }

    /// The answer to a request that needs input first (MCP `basic/patterns/mrtr`), for modern clients that have what is
    /// asked for. `state` is sealed; there is one unless something is asked for.
    #[must_use]
    pub fn input_required(
        &self,
        context: Context<'_>,
        requests: &InputRequests<'_>,
        state: Option<&str>,
    ) -> Reply {
        self.result_from(context, "input_required", None, |out| requests.push(out, state))
    }

    /// The answer to `completion/complete` (MCP `server/utilities/completion`): at most [`limits::COMPLETIONS`] of
    /// `values`.
    #[must_use]
    pub fn completion(
        &self,
        context: Context<'_>,
        values: &[String],
        total: Option<u32>,
        has_more: bool,
    ) -> Reply {
        let shown = values.get(..limits::COMPLETIONS).unwrap_or(values);
        self.result(context, |out| {
            out.push_str(r#""completion":{"values":"#);
            push_strings(out, shown.iter().map(String::as_str));
            if let Some(total) = total {
                out.push_str(r#","total":"#);
                out.push_str(&total.to_string());
            }
            out.push_str(r#","hasMore":"#);
            out.push_str(if has_more || shown.len() < values.len() { "true}" } else { "false}" });
        })
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

    /// A complete result; see [`Self::result_from`].
    fn result(&self, context: Context<'_>, members: impl FnOnce(&mut String)) -> Reply {
        self.result_from(context, "complete", None, members)
    }

    /// A result with `members`, which writes either nothing or members separated by commas. Modern results also say
    /// their type and their server (MCP `basic/index#resulttype`, `#_meta`).
    fn result_from(
        &self,
        context: Context<'_>,
        result_type: &str,
        icons: Option<&str>,
        members: impl FnOnce(&mut String),
    ) -> Reply {
        let mut out = String::with_capacity(512);
        out.push_str(r#"{"jsonrpc":"2.0","id":"#);
        out.push_str(context.id.as_json());
        out.push_str(r#","result":{"#);
        if context.revision.is_modern() {
            out.push_str(r#""resultType":""#);
            out.push_str(result_type);
            out.push_str(r#"","_meta":{"io.modelcontextprotocol/serverInfo":"#);
            self.push_info(&mut out, icons);
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
    fn push_info(&self, out: &mut String, icons: Option<&str>) {
        out.push_str(r#"{"name":"#);
        push_string(out, self.name);
        if let Some(title) = self.title {
            out.push_str(r#","title":"#);
            push_string(out, title);
        }
        out.push_str(r#","version":"#);
        push_string(out, self.version);
        if let Some(icons) = icons {
            out.push_str(r#","icons":"#);
            push_raw(out, icons);
        }
        out.push('}');
    }

    fn push_instructions(&self, out: &mut String) {
        if let Some(instructions) = self.instructions {
            out.push_str(r#","instructions":"#);
            push_string(out, instructions);
        }
    }

    fn push_cache_hints(out: &mut String, ttl_ms: u64) {
        out.push_str(r#","ttlMs":"#);
        out.push_str(&ttl_ms.to_string());
        out.push_str(r#","cacheScope":"private""#);
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
