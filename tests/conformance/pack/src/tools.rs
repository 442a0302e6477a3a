//! The tools: `tools.json` has what is listed of them, the table here what they do.

use serde::Deserialize;
use serde_json::json;

use crate::bindings::exports::valet::mcp::tools::{Answer, Context, Failure, Guest, Principal};
use crate::steps::Steps;
use crate::{Component, arguments, content, failing, inquiries, objects, steps};

/// The list of MCP `Tool` objects.
const DEFINITIONS: &str = include_str!("tools.json");

/// A call of a tool.
pub(crate) struct Call<'a> {
    pub(crate) caller: &'a Principal,
    pub(crate) arguments: &'a str,
    pub(crate) context: &'a Context,
}

impl Guest for Component {
    type Running = Steps;

    fn definitions() -> Vec<String> {
        objects(DEFINITIONS)
    }

    fn call(
        caller: &Principal,
        name: String,
        arguments: String,
        context: Context,
    ) -> Result<Answer, Failure> {
        let tool = tool(&name).ok_or(Failure::NotFound)?;
        tool(&Call { caller, arguments: &arguments, context: &context })
    }
}

type Tool = fn(&Call<'_>) -> Result<Answer, Failure>;

fn tool(name: &str) -> Option<Tool> {
    Some(match name {
        "test_simple_text" => |_| answer(&[content::text("This is a simple text response for testing.")]),
        "test_image_content" => |_| answer(&[content::image()]),
        "test_audio_content" => |_| answer(&[content::audio()]),
        "test_embedded_resource" => |_| {
            let text = "This is an embedded resource content.";
            answer(&[content::resource("test://embedded-resource", "text/plain", text)])
        },
        "test_multiple_content_types" => |_| {
            let data = json!({ "test": "data", "value": 123 }).to_string();
            let resource = content::resource("test://mixed-content-resource", "application/json", &data);
            answer(&[content::text("Multiple content types test:"), content::image(), resource])
        },
        "test_error_handling" => {
            |_| Ok(Answer::Complete(content::error("This tool intentionally returns an error for testing")))
        }
        "json_schema_2020_12_tool" | "test_header_parameters" => repeat,
        "test_structured_content" => structured,
        "whoami" => whoami,
        "test_failure" => failing::failure,
        "test_tool_with_progress" => steps::with_progress,
        "test_tool_with_logging" => steps::with_logging,
        "test_logging_tool" => steps::every_level,
        "test_counting" => steps::counting,
        "test_streaming_elicitation" => steps::streaming_elicitation,
        "test_missing_capability" => inquiries::missing_capability,
        "test_sampling" => inquiries::prompted_sampling,
        "test_elicitation" => inquiries::messaged_elicitation,
        "test_elicitation_sep1034_defaults" => inquiries::defaults,
        "test_elicitation_sep1330_enums" => inquiries::enums,
        "test_input_required_result_elicitation" => inquiries::elicitation,
        "test_input_required_result_url" => inquiries::url,
        "test_input_required_result_sampling" => inquiries::sampling,
        "test_input_required_result_list_roots" => inquiries::list_roots,
        "test_input_required_result_request_state" => inquiries::request_state,
        "test_input_required_result_tampered_state" => inquiries::tampered_state,
        "test_input_required_result_multiple_inputs" => inquiries::multiple_inputs,
        "test_input_required_result_multi_round" => inquiries::multi_round,
        "test_input_required_result_capabilities" => inquiries::capabilities,
        _ => return None,
    })
}

fn answer(content: &[serde_json::Value]) -> Result<Answer, Failure> {
    Ok(Answer::Complete(content::result(content)))
}

/// Gives back the arguments as they came.
fn repeat(call: &Call<'_>) -> Result<Answer, Failure> {
    answer(&[content::text(call.arguments)])
}

/// Keeps to its output schema, or breaks it where the test says so.
fn structured(call: &Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    struct Arguments {
        value: i64,
        #[serde(default)]
        broken: bool,
    }
    let Arguments { value, broken } = arguments(call.arguments)?;
    let found = if broken { json!({ "value": value.to_string() }) } else { json!({ "value": value }) };
    Ok(Answer::Complete(content::structured(&found)))
}

/// Who is calling, so that a test sees that packs are told the truth.
fn whoami(call: &Call<'_>) -> Result<Answer, Failure> {
    let caller = call.caller.caller();
    let about = json!({
        "tenantId": caller.tenant_id,
        "objectId": caller.object_id,
        "clientId": caller.client_id,
    });
    Ok(Answer::Complete(content::structured(&about)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_that_is_listed_does_something_and_has_a_description() {
        for definition in objects(DEFINITIONS) {
            let definition: serde_json::Value = serde_json::from_str(&definition).unwrap();
            let name = definition["name"].as_str().unwrap();
            assert!(tool(name).is_some(), "{name}");
            assert!(definition["description"].is_string(), "{name}");
            assert_eq!(definition["inputSchema"]["type"], "object", "{name}");
        }
    }
}
