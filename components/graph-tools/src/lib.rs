//! The graph-tools pack: what an assistant can do with a user's Microsoft 365 account.
//!
//! One file a tool in `tools/`, and the list of them here. A tool reads who its caller is and calls Graph through `downstream`; it holds no
//! token and imports nothing of WASI.

mod bindings;
mod failure;
mod tools;

use bindings::exports::valet::mcp::tools as tools_exports;
use bindings::exports::valet::mcp::tools::{Answer, Guest, Principal};
use bindings::exports::valet::mcp::{prompts, resources};
use bindings::valet::mcp::interaction::{Completion, Context, Failure, Outcome};
use tools::{get_user_details_from_graph, whoami};

struct Component;

/// No tool of this pack takes long enough to be cut into steps.
impl tools_exports::GuestRunning for std::convert::Infallible {
    fn next(&self, _: &Principal) -> tools_exports::Step {
        match *self {}
    }
}

impl Guest for Component {
    type Running = std::convert::Infallible;

    fn definitions() -> Vec<String> {
        [get_user_details_from_graph::DEFINITION, whoami::DEFINITION].map(str::to_owned).into()
    }

    fn call(caller: &Principal, name: String, arguments: String, _: Context) -> Result<Answer, Failure> {
        let result = match name.as_str() {
            get_user_details_from_graph::NAME => get_user_details_from_graph::call(caller, &arguments),
            whoami::NAME => whoami::call(caller, &arguments),
            _ => Err(Failure::NotFound),
        };
        result.map(Answer::Complete)
    }
}

impl resources::Guest for Component {
    fn definitions() -> Vec<String> {
        Vec::new()
    }

    fn templates() -> Vec<String> {
        Vec::new()
    }

    fn find(_: String) -> Option<String> {
        None
    }

    fn read(_: &Principal, _: String, _: Context) -> Result<Outcome, Failure> {
        Err(Failure::NotFound)
    }

    fn complete(
        _: &Principal,
        _: String,
        _: String,
        _: String,
        _: Vec<(String, String)>,
    ) -> Result<Completion, Failure> {
        Err(Failure::NotFound)
    }
}

impl prompts::Guest for Component {
    fn definitions() -> Vec<String> {
        Vec::new()
    }

    fn get(_: &Principal, _: String, _: String, _: Context) -> Result<Outcome, Failure> {
        Err(Failure::NotFound)
    }

    fn complete(
        _: &Principal,
        _: String,
        _: String,
        _: String,
        _: Vec<(String, String)>,
    ) -> Result<Completion, Failure> {
        Err(Failure::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_json_objects_named_like_their_tools() {
        for (name, definition) in [
            (get_user_details_from_graph::NAME, get_user_details_from_graph::DEFINITION),
            (whoami::NAME, whoami::DEFINITION),
        ] {
            let definition: serde_json::Value = serde_json::from_str(definition).unwrap();
            assert_eq!(definition["name"], name);
        }
    }
}
