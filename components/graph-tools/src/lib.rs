//! The graph-tools pack: what an assistant can do with a user's Microsoft 365 account.
//!
//! One file a tool in `tools/`, and the list of them here. A tool reads who its caller is and calls Graph through `downstream`; it holds no
//! token and imports nothing of WASI.

mod bindings;
mod failure;
mod tools;

use bindings::exports::valet::mcp::tools::{Failure, Guest, Principal};
use tools::{get_user_details_from_graph, whoami};

struct Component;

impl Guest for Component {
    fn definitions() -> Vec<String> {
        [get_user_details_from_graph::DEFINITION, whoami::DEFINITION].map(str::to_owned).into()
    }

    fn call(caller: &Principal, name: String, arguments: String) -> Result<String, Failure> {
        match name.as_str() {
            get_user_details_from_graph::NAME => get_user_details_from_graph::call(caller, &arguments),
            whoami::NAME => whoami::call(caller, &arguments),
            _ => Err(Failure::UnknownTool),
        }
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
