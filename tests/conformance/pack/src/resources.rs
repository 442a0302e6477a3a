//! The resources, and the template.

use serde_json::json;

use crate::bindings::exports::valet::mcp::interaction::{Completion, Failure, Outcome};
use crate::bindings::exports::valet::mcp::resources::{Context, Guest, Principal};
use crate::content::PNG;
use crate::input::{Answers, Elicited, form, needed, texts};
use crate::{Component, completion, objects};

const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";
const WATCHED: &str = "test://watched-resource";
const INPUT_REQUIRED: &str = "test://input-required";
const TEMPLATE: &str = "test://template/{id}/data";

impl Guest for Component {
    fn definitions() -> Vec<String> {
        objects(include_str!("resources.json"))
    }

    fn templates() -> Vec<String> {
        objects(include_str!("templates.json"))
    }

    fn find(uri: String) -> Option<String> {
        let name = match uri.as_str() {
            TEXT => "test_static_text",
            BINARY => "test_static_binary",
            WATCHED => "test_watched_resource",
            INPUT_REQUIRED => "test_input_required",
            other => template_id(other).map(|_| "test_template")?,
        };
        Some(name.to_owned())
    }

    fn read(_: &Principal, uri: String, context: Context) -> Result<Outcome, Failure> {
        match uri.as_str() {
            TEXT => Ok(text(&uri, "This is the content of the static text resource.")),
            WATCHED => Ok(text(&uri, "This is the content of the watched resource.")),
            BINARY => Ok(contents(&json!({ "uri": uri, "mimeType": "image/png", "blob": PNG }))),
            INPUT_REQUIRED => Ok(after_a_question(&uri, &context)),
            other => {
                let id = template_id(other).ok_or(Failure::NotFound)?;
                let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
                let data = data.to_string();
                Ok(contents(&json!({ "uri": uri, "mimeType": "application/json", "text": data })))
            }
        }
    }

    fn complete(
        _: &Principal,
        uri_template: String,
        argument: String,
        value: String,
        _: Vec<(String, String)>,
    ) -> Result<Completion, Failure> {
        match (uri_template.as_str(), argument.as_str()) {
            (TEMPLATE, "id") => Ok(completion((1..=150).map(|id| id.to_string()), &value)),
            (TEMPLATE, _) => {
                Err(Failure::InvalidArguments(format!("the template has no variable {argument:?}")))
            }
            _ => Err(Failure::NotFound),
        }
    }
}

/// The `id` of a URI of the template: RFC 6570's simple expansion gives neither nothing nor a slash here.
fn template_id(uri: &str) -> Option<&str> {
    let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

fn after_a_question(uri: &str, context: &Context) -> Outcome {
    match Answers(context).elicited("reason") {
        Some(form) if form.text("reason").is_some() => {
            text(uri, &format!("Read because of {}.", form.text("reason").unwrap_or_default()))
        }
        Some(Elicited::Decline | Elicited::Cancel) => text(uri, "Read for no reason."),
        Some(Elicited::Accept { .. }) | None => Outcome::InputRequired(needed([form(
            "reason",
            "Why do you want to read this?",
            &texts(&["reason"]),
        )])),
    }
}

fn text(uri: &str, text: &str) -> Outcome {
    contents(&json!({ "uri": uri, "mimeType": "text/plain", "text": text }))
}

fn contents(contents: &serde_json::Value) -> Outcome {
    Outcome::Complete(json!({ "contents": [contents] }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_found_under_its_name() {
        for definition in Component::definitions() {
            let definition: serde_json::Value = serde_json::from_str(&definition).unwrap();
            let uri = definition["uri"].as_str().unwrap();
            assert_eq!(Component::find(uri.to_owned()).as_deref(), definition["name"].as_str(), "{uri}");
        }
        let found = |uri: &str| Component::find(uri.to_owned());
        assert_eq!(found("test://template/123/data").as_deref(), Some("test_template"));
        for uri in ["test://template//data", "test://template/1/2/data", "test://static-text/", ""] {
            assert_eq!(found(uri), None, "{uri}");
        }
    }
}
