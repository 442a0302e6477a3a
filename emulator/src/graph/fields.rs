//! Reading the fields of a body that a client wrote: types, enumerations, people. Wrong ones get Outlook's refusals.

use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::kinds::Kind;
use super::outlook_items::person;

/// How many people one list may name, as in Exchange Online.
const PEOPLE: usize = 1_000;

fn wrong(name: &str) -> GraphError {
    GraphError::Deserialize(name.to_owned())
}

/// The refusal of a property that the type does not have.
pub(super) fn unknown(name: &str, kind: &Kind) -> GraphError {
    GraphError::BodyRead(format!("The property '{name}' does not exist on type '{}'.", kind.name))
}

/// A member of a body; the parameters of actions are written with letters of any case.
pub(super) fn take(body: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = body.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()?;
    body.remove(&key)
}

/// True or false.
pub(super) fn flag(name: &str, value: Value) -> Result<Value, GraphError> {
    if value.is_boolean() { Ok(value) } else { Err(wrong(name)) }
}

/// A text.
pub(super) fn text(name: &str, value: Value) -> Result<String, GraphError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong(name)),
    }
}

/// A list of texts.
pub(super) fn texts(name: &str, value: Value) -> Result<Value, GraphError> {
    let fits = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    if fits { Ok(value) } else { Err(wrong(name)) }
}

/// A member of an enumeration, letters of any case.
pub(super) fn one_of(name: &str, value: Value, allowed: &[&str]) -> Result<Value, GraphError> {
    let given = value.as_str().unwrap_or_default();
    let found = allowed.iter().find(|a| a.eq_ignore_ascii_case(given));
    found.map(|found| json!(found)).ok_or_else(|| wrong(name))
}

/// `body`: content type and content.
pub(super) fn body(value: Value) -> Result<(&'static str, String), GraphError> {
    let content_type = match value["contentType"].as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("html") => "html",
        Some("text") => "text",
        None if value["contentType"].is_null() => "text",
        _ => return Err(wrong("body")),
    };
    match &value["content"] {
        Value::String(content) => Ok((content_type, content.clone())),
        Value::Null if value.is_object() => Ok((content_type, String::new())),
        _ => Err(wrong("body")),
    }
}

/// A list of recipients.
pub(super) fn people(name: &str, value: Value) -> Result<Value, GraphError> {
    let Value::Array(list) = value else { return Err(wrong(name)) };
    if list.len() > PEOPLE {
        return Err(GraphError::Recipients(format!("there are more than {PEOPLE}")));
    }
    list.iter().map(|entry| one_person(name, entry)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// One recipient; without a name the address is the name.
pub(super) fn one_person(name: &str, entry: &Value) -> Result<Value, GraphError> {
    let email = entry["emailAddress"].as_object().ok_or_else(|| wrong(name))?;
    let address = email.get("address").and_then(Value::as_str).unwrap_or_default();
    let well_formed = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !address.contains(char::is_whitespace)
    });
    if !well_formed {
        return Err(GraphError::Recipients(format!("'{address}' is no address")));
    }
    let shown = email.get("name").and_then(Value::as_str).unwrap_or(address);
    Ok(person(shown, address))
}
