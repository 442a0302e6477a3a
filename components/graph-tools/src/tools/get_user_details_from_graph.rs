//! `GetUserDetailsFromGraph`: the signed-in user's profile.

use valet_core_graph::profile::{self, Profile};

use super::{NoArguments, arguments, error, result};
use crate::bindings::exports::valet::mcp::tools::Principal;
use crate::bindings::valet::downstream::requests::{self, Request};
use crate::bindings::valet::identity::principal::Kind;
use crate::bindings::valet::mcp::interaction::Failure;
use crate::failure;

pub(crate) const NAME: &str = "GetUserDetailsFromGraph";

/// The MCP `Tool` object. Serialised once, when this file was compiled.
pub(crate) const DEFINITION: &str = include_str!("get_user_details_from_graph.json");

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
