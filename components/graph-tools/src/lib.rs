//! The graph-tools pack: what an assistant can do with a user's Microsoft 365 account.
//!
//! One file a tool in `tools/`, a resource in `resources/`, a prompt in `prompts/`, and the lists of them here. Each reads who its caller is
//! and calls Graph through `downstream`; it holds no token and imports nothing of WASI.

mod bindings;
mod failure;
mod graph;
mod minified;
mod prompts;
mod resources;
mod tools;

use bindings::exports::valet::mcp::interaction::{Completion, Context, Failure, Outcome};
use bindings::exports::valet::mcp::tools as tools_exports;
use bindings::exports::valet::mcp::tools::{Answer, Guest, Principal};
use bindings::exports::valet::mcp::{prompts as prompts_exports, resources as resources_exports};
use prompts::introduce_me;
use resources::profile;
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

impl resources_exports::Guest for Component {
    fn definitions() -> Vec<String> {
        vec![profile::DEFINITION.to_owned()]
    }

    fn templates() -> Vec<String> {
        Vec::new()
    }

    fn find(uri: String) -> Option<String> {
        (uri == profile::URI).then(|| profile::NAME.to_owned())
    }

    fn read(caller: &Principal, uri: String, _: Context) -> Result<Outcome, Failure> {
        match uri.as_str() {
            profile::URI => profile::read(caller).map(Outcome::Complete),
            _ => Err(Failure::NotFound),
        }
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

impl prompts_exports::Guest for Component {
    fn definitions() -> Vec<String> {
        vec![introduce_me::DEFINITION.to_owned()]
    }

    fn get(caller: &Principal, name: String, arguments: String, _: Context) -> Result<Outcome, Failure> {
        match name.as_str() {
            introduce_me::NAME => introduce_me::get(caller, &arguments).map(Outcome::Complete),
            _ => Err(Failure::NotFound),
        }
    }

    fn complete(
        _: &Principal,
        name: String,
        argument: String,
        value: String,
        _: Vec<(String, String)>,
    ) -> Result<Completion, Failure> {
        match name.as_str() {
            introduce_me::NAME => introduce_me::complete(&argument, &value),
            _ => Err(Failure::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_json_objects_named_like_what_they_define() {
        for (name, definition) in [
            (get_user_details_from_graph::NAME, get_user_details_from_graph::DEFINITION),
            (whoami::NAME, whoami::DEFINITION),
            (profile::NAME, profile::DEFINITION),
            (introduce_me::NAME, introduce_me::DEFINITION),
        ] {
            let parsed: serde_json::Value = serde_json::from_str(definition).unwrap();
            assert_eq!(parsed["name"], name);
            assert!(definition.starts_with(r#"{"name":"#), "found by its name without reading the rest");
            assert!(parsed["title"].is_string() && parsed["description"].is_string(), "{name}");
            let icon = parsed["icons"][0]["src"].as_str().unwrap();
            assert!(icon.starts_with("data:image/svg+xml;base64,") && icon.len() < 400, "{name}");
        }
        let resource: serde_json::Value = serde_json::from_str(profile::DEFINITION).unwrap();
        assert_eq!(resource["uri"], profile::URI);
    }
}
