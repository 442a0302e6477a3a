//! `whoami`: what this server knows about its caller from the access token. Calls nobody.

use serde::Serialize;

use super::{NoArguments, arguments, result};
use crate::bindings::exports::valet::mcp::interaction::Failure;
use crate::bindings::exports::valet::mcp::tools::Principal;
use crate::bindings::valet::identity::principal::Kind;
use crate::minified::definition;

pub(crate) const NAME: &str = "whoami";

/// The MCP `Tool` object. Serialised once, when this file was compiled.
pub(crate) const DEFINITION: &str = definition!("whoami.json");

/// The structured content.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct About {
    kind: &'static str,
    tenant_id: String,
    object_id: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    scopes: Vec<String>,
    roles: Vec<String>,
}

pub(crate) fn call(caller: &Principal, json: &str) -> Result<String, Failure> {
    let NoArguments {} = arguments(json)?;
    let caller = caller.caller();
    let about = About {
        kind: match caller.kind {
            Kind::User => "user",
            Kind::Application => "application",
        },
        tenant_id: caller.tenant_id,
        object_id: caller.object_id,
        client_id: caller.client_id,
        name: caller.display_name,
        scopes: caller.scopes,
        roles: caller.roles,
    };
    let text = serde_json::to_string_pretty(&about).map_err(|error| Failure::Internal(error.to_string()))?;
    result(&about, &text)
}
