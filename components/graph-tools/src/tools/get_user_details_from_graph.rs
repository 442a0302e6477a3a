//! `GetUserDetailsFromGraph`: the signed-in user's profile.

use super::{NoArguments, arguments, error, result};
use crate::bindings::exports::valet::mcp::interaction::Failure;
use crate::bindings::exports::valet::mcp::tools::Principal;
use crate::graph::{self, Problem};
use crate::minified::definition;

pub(crate) const NAME: &str = "GetUserDetailsFromGraph";

/// The MCP `Tool` object. Serialised once, when this file was compiled.
pub(crate) const DEFINITION: &str = definition!("get_user_details_from_graph.json");

pub(crate) fn call(caller: &Principal, json: &str) -> Result<String, Failure> {
    let NoArguments {} = arguments(json)?;
    match graph::profile(caller) {
        Ok(profile) => result(&profile, &profile.text()),
        Err(Problem::Words(words)) => error(&words),
        Err(Problem::Failure(failure)) => Err(failure),
    }
}
