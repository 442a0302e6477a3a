//! `whoami`: what this server knows about its caller from the access token. Calls nobody.

use serde_json::{Map, Value, json};

use super::{NoArguments, arguments, result};
use crate::bindings::exports::valet::mcp::tools::{Failure, Principal};
use crate::bindings::valet::identity::principal::Kind;

pub(crate) const NAME: &str = "whoami";

pub(crate) fn definition() -> String {
    json!({
        "name": NAME,
        "title": "Who am I to this server?",
        "description": "Shows what this server knows about the caller from the verified access token: tenant, object id, scopes, roles and \
                        client application. Takes no arguments, calls no other service and changes nothing.",
        "inputSchema": { "type": "object", "properties": {}, "additionalProperties": false },
        "outputSchema": {
            "type": "object",
            "properties": {
                "kind": { "type": "string", "enum": ["user", "application"], "description": "Whether a user or an application calls" },
                "tenantId": { "type": "string", "description": "Entra tenant of the caller" },
                "objectId": { "type": "string", "description": "Object id of the caller in that tenant" },
                "clientId": { "type": "string", "description": "Client application that obtained the token" },
                "name": { "type": "string", "description": "Name for display; not unique and not proof of identity" },
                "scopes": { "type": "array", "items": { "type": "string" }, "description": "Delegated permissions" },
                "roles": { "type": "array", "items": { "type": "string" }, "description": "App roles" }
            },
            "required": ["kind", "tenantId", "objectId", "clientId", "scopes", "roles"],
            "additionalProperties": false
        },
        "annotations": {
            "title": "Who am I to this server?",
            "readOnlyHint": true,
            "destructiveHint": false,
            "idempotentHint": true,
            "openWorldHint": false
        }
    })
    .to_string()
}

pub(crate) fn call(caller: &Principal, json: &str) -> Result<String, Failure> {
    let NoArguments {} = arguments(json)?;
    let caller = caller.caller();
    let kind = match caller.kind {
        Kind::User => "user",
        Kind::Application => "application",
    };
    let mut about = Map::new();
    about.insert("kind".to_owned(), kind.into());
    about.insert("tenantId".to_owned(), caller.tenant_id.into());
    about.insert("objectId".to_owned(), caller.object_id.into());
    about.insert("clientId".to_owned(), caller.client_id.into());
    if let Some(name) = caller.display_name {
        about.insert("name".to_owned(), name.into());
    }
    about.insert("scopes".to_owned(), caller.scopes.into());
    about.insert("roles".to_owned(), caller.roles.into());
    let about = Value::Object(about);
    let text = serde_json::to_string_pretty(&about).expect("a JSON value serialises");
    result(&about, &text)
}
