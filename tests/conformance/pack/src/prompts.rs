//! The prompts.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::bindings::exports::valet::mcp::interaction::{Completion, Failure, Outcome};
use crate::bindings::exports::valet::mcp::prompts::{Context, Guest, Principal};
use crate::content::{image, resource, text};
use crate::input::{Answers, Elicited, form, needed, texts};
use crate::{Component, arguments, completion, objects};

const WITH_ARGUMENTS: &str = "test_prompt_with_arguments";

impl Guest for Component {
    fn definitions() -> Vec<String> {
        objects(include_str!("prompts.json"))
    }

    fn get(_: &Principal, name: String, arguments: String, context: Context) -> Result<Outcome, Failure> {
        match name.as_str() {
            "test_simple_prompt" => Ok(messages(&[text("This is a simple prompt for testing.")])),
            WITH_ARGUMENTS => with_arguments(&arguments),
            "test_prompt_with_embedded_resource" => with_resource(&arguments),
            "test_prompt_with_image" => Ok(messages(&[image(), text("Please analyze the image above.")])),
            "test_input_required_result_prompt" => Ok(after_a_question(&context)),
            _ => Err(Failure::NotFound),
        }
    }

    fn complete(
        _: &Principal,
        name: String,
        argument: String,
        value: String,
        known: Vec<(String, String)>,
    ) -> Result<Completion, Failure> {
        match (name.as_str(), argument.as_str()) {
            (WITH_ARGUMENTS, "arg1") => {
                let words = ["paris", "park", "party", "test", "testing"];
                Ok(completion(words.into_iter().map(str::to_owned), &value))
            }
            // The second word depends on the first.
            (WITH_ARGUMENTS, "arg2") => {
                let first = known.into_iter().find(|(name, _)| name == "arg1").map(|(_, value)| value);
                Ok(completion(first.into_iter().map(|first| format!("{first} again")), &value))
            }
            (WITH_ARGUMENTS, _) => {
                Err(Failure::InvalidArguments(format!("the prompt has no argument {argument:?}")))
            }
            _ => Err(Failure::NotFound),
        }
    }
}

fn with_arguments(json: &str) -> Result<Outcome, Failure> {
    #[derive(Deserialize)]
    struct Words {
        arg1: String,
        arg2: String,
    }
    let Words { arg1, arg2 } = arguments(json)?;
    Ok(messages(&[text(&format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))]))
}

fn with_resource(json: &str) -> Result<Outcome, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wanted {
        resource_uri: String,
    }
    let Wanted { resource_uri } = arguments(json)?;
    let resource = resource(&resource_uri, "text/plain", "Embedded resource content for testing.");
    Ok(messages(&[resource, text("Please process the embedded resource above.")]))
}

fn after_a_question(context: &Context) -> Outcome {
    match Answers(context).elicited("user_context") {
        Some(form) if form.text("context").is_some() => {
            messages(&[text(&format!("Think of this: {}", form.text("context").unwrap_or_default()))])
        }
        Some(Elicited::Decline | Elicited::Cancel) => messages(&[text("Think of whatever you like.")]),
        Some(Elicited::Accept { .. }) | None => Outcome::InputRequired(needed([form(
            "user_context",
            "What context should the prompt use?",
            &texts(&["context"]),
        )])),
    }
}

/// One message of the user for each block.
fn messages(blocks: &[Value]) -> Outcome {
    let messages: Vec<_> =
        blocks.iter().map(|content| json!({ "role": "user", "content": content })).collect();
    Outcome::Complete(json!({ "messages": messages }).to_string())
}
