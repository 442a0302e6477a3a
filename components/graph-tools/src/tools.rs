//! The tools, one file each, and what they share: arguments in, results out.

pub(crate) mod get_user_details_from_graph;
pub(crate) mod whoami;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bindings::exports::valet::mcp::tools::Failure;

/// The arguments of a tool that takes none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// Reads `arguments` as a `T`.
fn arguments<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, Failure> {
    serde_json::from_str(arguments).map_err(|error| Failure::InvalidArguments(error.to_string()))
}

/// A `CallToolResult` with the structured content and, for clients that show text only, the same in words.
fn result(structured: &impl Serialize, text: &str) -> Result<String, Failure> {
    let result = json!({ "content": [{ "type": "text", "text": text }], "structuredContent": structured, "isError": false });
    Ok(result.to_string())
}

/// A `CallToolResult` that says what went wrong in words that a model can act on.
fn error(text: &str) -> Result<String, Failure> {
    Ok(json!({ "content": [{ "type": "text", "text": text }], "isError": true }).to_string())
}
