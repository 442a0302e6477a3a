//! Asking the client, and reading what it answered (MCP `basic/patterns/mrtr`).
//!
//! An answer is hostile input: one that does not have the shape of its method's result counts as not given, and is asked for again.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::bindings::exports::valet::mcp::interaction::{Context, Failure, InputRequest, NeededInput};

/// Asks for a form to be filled in. `schema` is the `requestedSchema` of MCP `client/elicitation`.
pub(crate) fn form(key: &str, message: &str, schema: &Value) -> InputRequest {
    request(key, "elicitation/create", &json!({ "message": message, "requestedSchema": schema }))
}

/// The schema of a form with these fields, a text each.
pub(crate) fn texts(fields: &[&str]) -> Value {
    let properties: Map<_, _> =
        fields.iter().map(|field| ((*field).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "type": "object", "properties": properties, "required": fields })
}

/// Asks for the user to be sent to a page.
pub(crate) fn page(key: &str, message: &str, url: &str) -> InputRequest {
    request(key, "elicitation/create", &json!({ "mode": "url", "message": message, "url": url }))
}

/// Asks for a message by the client's model.
pub(crate) fn message(key: &str, prompt: &str, max_tokens: u32) -> InputRequest {
    let messages = json!([{ "role": "user", "content": { "type": "text", "text": prompt } }]);
    request(key, "sampling/createMessage", &json!({ "messages": messages, "maxTokens": max_tokens }))
}

/// Asks for the client's folders.
pub(crate) fn roots(key: &str) -> InputRequest {
    request(key, "roots/list", &json!({}))
}

fn request(key: &str, method: &str, params: &Value) -> InputRequest {
    InputRequest { key: key.to_owned(), method: method.to_owned(), params: params.to_string() }
}

/// Asks for `requests`, with nothing to remember.
pub(crate) fn needed<const N: usize>(requests: [InputRequest; N]) -> NeededInput {
    NeededInput { requests: requests.into(), state: Vec::new() }
}

/// Asks for `requests` and remembers `state`.
pub(crate) fn remembering(
    requests: Vec<InputRequest>,
    state: &impl Serialize,
) -> Result<NeededInput, Failure> {
    let state = serde_json::to_vec(state).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(NeededInput { requests, state })
}

/// What a user did with a form or a link.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub(crate) enum Elicited {
    /// Sent it; a link has no content.
    Accept {
        #[serde(default)]
        content: Map<String, Value>,
    },
    Decline,
    Cancel,
}

impl Elicited {
    /// The text in `field`.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        match self {
            Self::Accept { content } => content.get(field).and_then(Value::as_str),
            Self::Decline | Self::Cancel => None,
        }
    }
}

/// The answers that came with a request.
pub(crate) struct Answers<'a>(pub(crate) &'a Context);

impl Answers<'_> {
    pub(crate) fn elicited(&self, key: &str) -> Option<Elicited> {
        self.read(key)
    }

    /// The text that the client's model wrote.
    pub(crate) fn sampled(&self, key: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Message {
            content: Text,
        }
        #[derive(Deserialize)]
        struct Text {
            text: String,
        }
        self.read(key).map(|message: Message| message.content.text)
    }

    /// The URIs of the client's folders.
    pub(crate) fn roots(&self, key: &str) -> Option<Vec<String>> {
        #[derive(Deserialize)]
        struct Listed {
            roots: Vec<Root>,
        }
        #[derive(Deserialize)]
        struct Root {
            uri: String,
        }
        self.read(key).map(|listed: Listed| listed.roots.into_iter().map(|root| root.uri).collect())
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let responses = &self.0.input.as_ref()?.responses;
        let (_, json) = responses.iter().find(|(name, _)| name == key)?;
        serde_json::from_str(json).ok()
    }

    /// What was to be remembered; none where the client brought nothing.
    pub(crate) fn state<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        match &self.0.input {
            Some(input) if !input.state.is_empty() => serde_json::from_slice(&input.state)
                .map(Some)
                .map_err(|error| Failure::Internal(format!("a state that this pack never made: {error}"))),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::valet::mcp::interaction::{ClientAbilities, GivenInput};

    fn context(responses: &[(&str, &str)], state: &[u8]) -> Context {
        let responses = responses.iter().map(|(key, json)| ((*key).to_owned(), (*json).to_owned())).collect();
        Context {
            client: ClientAbilities::empty(),
            input: Some(GivenInput { responses, state: state.into() }),
        }
    }

    #[test]
    fn answers_of_another_shape_count_as_not_given() {
        let forms = [
            ("accepted", r#"{"action":"accept","content":{"name":"Adele"}}"#),
            ("link", r#"{"action":"accept"}"#),
            ("declined", r#"{"action":"decline"}"#),
            ("number", "12345"),
            ("nonsense", r#"{"action":"perhaps"}"#),
        ];
        let context = context(&forms, b"");
        let answers = Answers(&context);
        assert_eq!(answers.elicited("accepted").unwrap().text("name"), Some("Adele"));
        assert_eq!(answers.elicited("accepted").unwrap().text("age"), None);
        assert_eq!(answers.elicited("link"), Some(Elicited::Accept { content: Map::new() }));
        assert_eq!(answers.elicited("declined"), Some(Elicited::Decline));
        for key in ["number", "nonsense", "not there"] {
            assert_eq!(answers.elicited(key), None, "{key}");
        }
    }

    #[test]
    fn a_state_is_ours_or_nobody_brought_one() {
        let state = |state: &[u8]| {
            let context = context(&[], state);
            let found = Answers(&context).state::<u32>();
            found.map_err(|failure| matches!(failure, Failure::Internal(_)))
        };
        assert_eq!(state(b"7"), Ok(Some(7)));
        assert_eq!(state(b""), Ok(None));
        assert_eq!(state(b"seven"), Err(true));
    }
}
