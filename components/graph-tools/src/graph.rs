//! Asking Graph for a caller: the request and what can go wrong, which the tools, resources and prompts have in common.

use valet_core_graph::profile::{self, Profile};

use crate::bindings::exports::valet::mcp::interaction::Failure;
use crate::bindings::exports::valet::mcp::tools::Principal;
use crate::bindings::valet::downstream::requests::{self, Request};
use crate::bindings::valet::identity::principal::Kind;
use crate::failure;

/// Why there is no answer.
pub(crate) enum Problem {
    /// In words, for the model and the person behind it.
    Words(String),
    /// For the gateway.
    Failure(Failure),
}

impl From<Problem> for Failure {
    /// For what has no place for words of its own.
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Words(words) => Self::Unavailable(words),
            Problem::Failure(failure) => failure,
        }
    }
}

/// The signed-in user's profile.
pub(crate) fn profile(caller: &Principal) -> Result<Profile, Problem> {
    if caller.caller().kind == Kind::Application {
        let words = "This describes the signed-in user, and an application is calling without one.";
        return Err(Problem::Words(words.to_owned()));
    }
    let request = Request {
        method: "GET".to_owned(),
        path: profile::PATH.to_owned(),
        query: vec![("$select".to_owned(), profile::SELECT.to_owned())],
        scopes: vec![valet_core_graph::USER_READ.to_owned()],
    };
    match requests::send(caller, &request) {
        Ok(response) => Profile::read(response.status, &response.body)
            .map_err(|problem| Problem::Words(problem.message())),
        Err(failure) => Err(match failure::explain(failure) {
            Ok(words) => Problem::Words(words),
            Err(failure) => Problem::Failure(failure),
        }),
    }
}
