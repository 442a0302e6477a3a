//! `GetUserDetailsFromGraph`: the signed-in user's profile.

use serde_json::{Value, json};
use valet_core_graph::profile::{self, Profile};

use super::{NoArguments, arguments, error, result};
use crate::bindings::exports::valet::mcp::tools::{Failure, Principal};
use crate::bindings::valet::downstream::requests::{self, Request};
use crate::bindings::valet::identity::principal::Kind;
use crate::failure;

pub(crate) const NAME: &str = "GetUserDetailsFromGraph";

pub(crate) fn definition() -> String {
    json!({
        "name": NAME,
        "title": "Your Microsoft 365 profile",
        "description": "Returns the profile of the signed-in user from Microsoft Graph: name, mail address, job title, department, office, \
                        phone numbers and preferred language. It always describes the person who is signed in, takes no arguments \
                        and changes nothing.",
        "inputSchema": { "type": "object", "properties": {}, "additionalProperties": false },
        "outputSchema": output_schema(),
        "annotations": {
            "title": "Your Microsoft 365 profile",
            "readOnlyHint": true,
            "destructiveHint": false,
            "idempotentHint": true,
            "openWorldHint": true
        }
    })
    .to_string()
}

fn output_schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "properties": {
            "id": text("Object id of the user in their tenant"),
            "displayName": text("Full name"),
            "givenName": text("First name"),
            "surname": text("Last name"),
            "userPrincipalName": text("Sign-in name"),
            "mail": text("Primary mail address"),
            "jobTitle": text("Job title"),
            "department": text("Department"),
            "officeLocation": text("Office"),
            "mobilePhone": text("Mobile phone number"),
            "businessPhones": { "type": "array", "items": { "type": "string" }, "description": "Business phone numbers" },
            "preferredLanguage": text("Preferred language, as a BCP 47 tag")
        },
        "required": ["id"],
        "additionalProperties": false
    })
}

pub(crate) fn call(caller: &Principal, json: &str) -> Result<String, Failure> {
    let NoArguments {} = arguments(json)?;
    if caller.caller().kind == Kind::Application {
        return error("This tool describes the signed-in user, and an application is calling without one.");
    }
    let request = Request {
        method: "GET".to_owned(),
        path: profile::PATH.to_owned(),
        query: vec![("$select".to_owned(), profile::SELECT.to_owned())],
        scopes: vec![valet_core_graph::USER_READ.to_owned()],
    };
    let response = match requests::send(caller, &request) {
        Ok(response) => response,
        Err(failure) => return error(&failure::explain(failure)?),
    };
    match Profile::read(response.status, &response.body) {
        Ok(profile) => result(&profile, &profile.text()),
        Err(problem) => error(&problem.message()),
    }
}
