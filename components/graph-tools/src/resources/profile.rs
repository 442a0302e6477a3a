//! `profile`: the signed-in user's profile, to be attached to a conversation. The data of `GetUserDetailsFromGraph`.

use serde::Serialize;

use crate::bindings::exports::valet::mcp::interaction::Failure;
use crate::bindings::exports::valet::mcp::tools::Principal;
use crate::graph;
use crate::minified::definition;

pub(crate) const NAME: &str = "profile";
pub(crate) const URI: &str = "valet://me/profile";

/// The MCP `Resource` object.
pub(crate) const DEFINITION: &str = definition!("profile.json");

/// MCP's `TextResourceContents`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contents {
    uri: &'static str,
    mime_type: &'static str,
    text: String,
}

/// MCP's `ReadResourceResult`.
#[derive(Serialize)]
struct ReadResult {
    contents: [Contents; 1],
}

/// The profile as a client gets it, wherever it is put.
pub(crate) fn contents(profile: &valet_core_graph::profile::Profile) -> Result<Contents, Failure> {
    let text = serde_json::to_string(profile).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Contents { uri: URI, mime_type: "application/json", text })
}

pub(crate) fn read(caller: &Principal) -> Result<String, Failure> {
    let contents = [contents(&graph::profile(caller)?)?];
    serde_json::to_string(&ReadResult { contents }).map_err(|error| Failure::Internal(error.to_string()))
}
