//! Definitions that a pack hands over as JSON text: tools, resources, resource templates, prompts. Read as far as the server
//! decides by them, and passed on as they are. Schemas are judged elsewhere.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::fault::Fault;
use crate::http::clip;
use crate::limits;
use crate::pack::{Members, PackFault, Plain};
use crate::page::List;
use crate::strict::Name;

/// Whether `name` is what MCP `server/tools` asks of a tool's name: 1 to [`limits::TOOL_NAME`] characters of
/// `A-Z a-z 0-9 _ . -`. The specification says SHOULD, and of tools; ours all stand in policies and audit records, so it is
/// a rule for all.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=limits::TOOL_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// An MCP `Tool`, `Resource`, `ResourceTemplate` or `Prompt` object, as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition<'a> {
    name: Cow<'a, str>,
    json: &'a str,
    /// A tool's.
    input_schema: Option<&'a str>,
    /// A tool's.
    output_schema: Option<&'a str>,
    /// A resource's `uri`, a template's `uriTemplate`.
    uri: Cow<'a, str>,
    /// A prompt's.
    arguments: Option<&'a str>,
}

impl<'a> Definition<'a> {
    /// Reads a definition of the kind that `list` has: an object with a name (see [`is_name`]) and what goes with it, an
    /// `inputSchema`, a `uri` or a `uriTemplate`.
    ///
    /// # Errors
    ///
    /// [`PackFault`]; a fault of the pack, not of the caller.
    pub fn parse(list: List, json: &'a str) -> Result<Self, PackFault> {
        let members = Members::parse(json)?;
        let mut definition = Self {
            name: Cow::Borrowed(""),
            json,
            input_schema: None,
            output_schema: None,
            uri: Cow::Borrowed(""),
            arguments: None,
        };
        match list {
            List::Tools => {
                definition.input_schema = Some(members.object("inputSchema")?);
                if members.find("outputSchema").is_some() {
                    definition.output_schema = Some(members.object("outputSchema")?);
                }
            }
            List::Resources => definition.uri = uri(&members, "uri")?,
            List::Templates => definition.uri = uri(&members, "uriTemplate")?,
            List::Prompts => {
                if members.find("arguments").is_some() {
                    definition.arguments = Some(members.list("arguments")?);
                }
            }
        }
        definition.name = members.text("name")?;
        if is_name(&definition.name) {
            Ok(definition)
        } else {
            Err(PackFault::InvalidName { name: clip(&definition.name) })
        }
    }

    /// The definition named `name` among `definitions`, or none. The others are read no further than to their names.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`], for the one that is found.
    pub fn find(list: List, definitions: &'a [String], name: &str) -> Result<Option<Self>, PackFault> {
        match definitions.iter().find(|json| name_of(json).is_some_and(|found| found == name)) {
            None => Ok(None),
            Some(json) => Self::parse(list, json).map(Some),
        }
    }

    /// The name that policies know it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The object, as handed over.
    #[must_use]
    pub const fn as_json(&self) -> &'a str {
        self.json
    }

    /// A tool's `inputSchema`, an object; empty for what is no tool.
    #[must_use]
    pub fn input_schema(&self) -> &'a str {
        self.input_schema.unwrap_or("{}")
    }

    /// Whether a tool's input schema is one of objects, as MCP `server/tools` asks: `"type": "object"` at its root.
    #[must_use]
    pub fn takes_an_object(&self) -> bool {
        Members::parse(self.input_schema()).is_ok_and(|members| members.find("type") == Some(r#""object""#))
    }

    /// A tool's `outputSchema`, an object.
    #[must_use]
    pub const fn output_schema(&self) -> Option<&'a str> {
        self.output_schema
    }

    /// A resource's `uri`, a template's `uriTemplate`; empty for the rest.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether `arguments`, a JSON object, are what a prompt takes: strings, and all that it requires (MCP
    /// `server/prompts#error-handling`). Those that it does not know are left to the pack.
    ///
    /// # Errors
    ///
    /// A [`Fault`] of the caller; [`Fault::Internal`] where the definition's own list is none.
    pub fn check_arguments(&self, arguments: &str) -> Result<(), Fault> {
        let given = Members::parse(arguments).map_err(|fault| match fault {
            PackFault::NotAnObject => Fault::ArgumentsNotAnObject,
            other => Fault::InvalidArguments { reason: other.to_string() },
        })?;
        if let Some(name) = given.first_not_text() {
            return Err(Fault::PromptArgumentNotText { name: clip(name) });
        }
        let Some(arguments) = self.arguments else {
            return Ok(());
        };
        let arguments: Vec<Value> = serde_json::from_str(arguments).map_err(|_| Fault::Internal)?;
        for argument in &arguments {
            let name = argument.get("name").and_then(Value::as_str).ok_or(Fault::Internal)?;
            let required = argument.get("required").and_then(Value::as_bool).unwrap_or_default();
            if required && given.find(name).is_none() {
                return Err(Fault::MissingPromptArgument { name: name.to_owned() });
            }
        }
        Ok(())
    }
}

fn uri<'a>(members: &Members<'a>, member: &'static str) -> Result<Cow<'a, str>, PackFault> {
    let uri = members.text(member)?;
    if (1..=limits::URI).contains(&uri.len()) {
        Ok(uri)
    } else {
        Err(PackFault::WrongType { member, expected: "of a length that a client may send" })
    }
}

/// The `name` of a definition, read no further than there.
fn name_of(json: &str) -> Option<Cow<'_, str>> {
    let mut found = None;
    // Stopping early is an error to `serde_json`, which is of no interest here.
    let _ = FirstName(&mut found).deserialize(&mut serde_json::Deserializer::from_str(json));
    found
}

struct FirstName<'f, 'a>(&'f mut Option<Cow<'a, str>>);

impl<'de> DeserializeSeed<'de> for FirstName<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FirstName<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            if name == "name" {
                *self.0 = Some(map.next_value::<Plain<'_>>()?.0);
                break;
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "definition_tests.rs"]
mod tests;
