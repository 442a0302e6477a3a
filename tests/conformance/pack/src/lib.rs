//! A tool pack for tests: what the conformance suite of MCP calls by name, and what our own tests need to see of the gateway that no real
//! tool shows. It is composed in the place of `graph-tools`, so that everything around it is what ships.
//!
//! What a client sees of each tool, resource and prompt is in the JSON files, what they do is here. The suite's own descriptions are the
//! specification of its fixtures; names that begin with `test_` and are not among them are ours.

mod bindings;
mod content;
mod failing;
mod input;
mod inquiries;
mod prompts;
mod resources;
mod steps;
mod tools;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use bindings::exports::valet::mcp::interaction::{Completion, Failure};

struct Component;

/// The objects of a JSON list, each as it is written there.
fn objects(list: &'static str) -> Vec<String> {
    let objects: Vec<&RawValue> = serde_json::from_str(list).expect("a list, as a test checks");
    objects.into_iter().map(|object| object.get().to_owned()).collect()
}

/// Reads `arguments` as a `T`.
fn arguments<T: DeserializeOwned>(arguments: &str) -> Result<T, Failure> {
    serde_json::from_str(arguments).map_err(|error| Failure::InvalidArguments(error.to_string()))
}

/// Those of `candidates` that begin with what was typed, as many of them as fit.
fn completion(candidates: impl Iterator<Item = String>, typed: &str) -> Completion {
    /// MCP `server/utilities/completion`.
    const MOST: usize = 100;
    let mut values: Vec<String> = candidates.filter(|candidate| candidate.starts_with(typed)).collect();
    let total = u32::try_from(values.len()).ok();
    let has_more = values.len() > MOST;
    values.truncate(MOST);
    Completion { values, total, has_more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_begins_as_typed_and_says_what_was_left_out() {
        let numbers = || (1..=150).map(|number| number.to_string());
        let found = completion(numbers(), "14");
        let expected = ["14", "140", "141", "142", "143", "144", "145", "146", "147", "148", "149"];
        assert_eq!(
            (found.values, found.total, found.has_more),
            (expected.map(str::to_owned).into(), Some(11), false)
        );
        let all = completion(numbers(), "");
        assert_eq!((all.values.len(), all.total, all.has_more), (100, Some(150), true));
    }
}
