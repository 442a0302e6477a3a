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
        vec![get_user_details_from_graph::definition(), whoami::definition()]
    }

    fn call(caller: &Principal, name: String, arguments: String) -> Result<String, Failure> {
        match name.as_str() {
            get_user_details_from_graph::NAME => get_user_details_from_graph::call(caller, &arguments),
            whoami::NAME => whoami::call(caller, &arguments),
            _ => Err(Failure::UnknownTool),
        }
    }
}
