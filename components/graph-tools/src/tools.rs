//! The tools, one file each, and what they share: arguments in, results out.

pub(crate) mod get_user_details_from_graph;
pub(crate) mod whoami;

use serde::{Deserialize, Serialize};

use crate::bindings::exports::valet::mcp::interaction::Failure;

/// The arguments of a tool that takes none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// Reads `arguments` as a `T`.
fn arguments<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, Failure> {
    serde_json::from_str(arguments).map_err(|error| Failure::InvalidArguments(error.to_string()))
}

/// MCP's `CallToolResult`, serialised once and straight to text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallToolResult<'a, T> {
    content: [TextContent<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<&'a T>,
    is_error: bool,
}

#[derive(Serialize)]
struct TextContent<'a> {
    r#type: &'static str,
    text: &'a str,
}

/// A result with structured content and, for clients that show text only, the same in words.
fn result(structured: &impl Serialize, text: &str) -> Result<String, Failure> {
    written(&CallToolResult {
        content: [text_content(text)],
        structured_content: Some(structured),
        is_error: false,
    })
}

/// A result that says what went wrong in words that a model can act on.
fn error(text: &str) -> Result<String, Failure> {
    written(&CallToolResult::<()> { content: [text_content(text)], structured_content: None, is_error: true })
}

fn text_content(text: &str) -> TextContent<'_> {
    TextContent { r#type: "text", text }
}

fn written(result: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(result).map_err(|error| Failure::Internal(error.to_string()))
}
