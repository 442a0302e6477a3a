//! What a tool pack hands over as JSON text: definitions and results. They are checked here before they are spliced
//! into an answer, since a pack may be anybody's. Schemas are not judged, and nothing is re-written.

use core::fmt;
use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits;
use crate::strict::Name;

/// Whether `name` is what MCP `server/tools` asks of a tool's name: 1 to [`limits::TOOL_NAME`] characters of
/// `A-Z a-z 0-9 _ . -`. The specification says SHOULD; our names stand in policies and audit records, so it is a rule.
#[must_use]
pub fn is_tool_name(name: &str) -> bool {
    (1..=limits::TOOL_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// An MCP `Tool` object, as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition<'a> {
    name: Cow<'a, str>,
    json: &'a str,
}

impl<'a> Definition<'a> {
    /// Reads a definition: an object with a tool name (see [`is_tool_name`]) and an `inputSchema` object.
    ///
    /// # Errors
    ///
    /// [`ToolFault`]; a fault of the pack, not of the caller.
    pub fn parse(json: &'a str) -> Result<Self, ToolFault> {
        let members = Members::parse(json)?;
        if !members.get("inputSchema")?.starts_with('{') {
            return Err(ToolFault::WrongType { member: "inputSchema", expected: "an object" });
        }
        let name = serde_json::from_str::<PlainName<'a>>(members.get("name")?)
            .map_err(|_| ToolFault::WrongType { member: "name", expected: "a string" })?
            .0;
        if !is_tool_name(&name) {
            return Err(ToolFault::InvalidName { name: crate::http::clip(&name) });
        }
        Ok(Self { name, json })
    }

    /// The tool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The object, as handed over.
    #[must_use]
    pub const fn as_json(&self) -> &'a str {
        self.json
    }
}

/// Checks the members of a `CallToolResult` and gives the text between its braces.
///
/// `content` must be there and a list. `resultType` and `_meta` must not: they speak for the server, and a pack that
/// sets them could ask the client for input in our name.
pub(crate) fn result_members(json: &str) -> Result<&str, ToolFault> {
    let members = Members::parse(json)?;
    for member in ["resultType", "_meta"] {
        if members.get(member).is_ok() {
            return Err(ToolFault::Reserved { member });
        }
    }
    if !members.get("content")?.starts_with('[') {
        return Err(ToolFault::WrongType { member: "content", expected: "a list" });
    }
    json.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or(ToolFault::NotAnObject)
}

/// Why a definition or a result of a tool pack cannot be used. For the log; the caller is told of an internal error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolFault {
    /// Not a JSON object.
    NotAnObject,
    /// More than [`limits::TOOL_MEMBERS`] members.
    TooManyMembers {
        /// How many there are.
        count: usize,
    },
    /// A member occurs twice.
    Duplicate {
        /// Its name.
        member: String,
    },
    /// A member is missing.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member has the wrong type.
    WrongType {
        /// Its name.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A member that only the server sets.
    Reserved {
        /// Its name.
        member: &'static str,
    },
    /// The name is not a tool name.
    InvalidName {
        /// The name, cut to [`limits::ECHO`] characters.
        name: String,
    },
}

impl fmt::Display for ToolFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("not a JSON object"),
            Self::TooManyMembers { count } => {
                write!(f, "{count} members, at most {} are allowed", limits::TOOL_MEMBERS)
            }
            Self::Duplicate { member } => write!(f, "member `{member}` occurs twice"),
            Self::Missing { member } => write!(f, "member `{member}` is missing"),
            Self::WrongType { member, expected } => write!(f, "member `{member}` is not {expected}"),
            Self::Reserved { member } => write!(f, "member `{member}` is the server's to set"),
            Self::InvalidName { name } => write!(f, "`{name}` is not a tool name"),
        }
    }
}

impl core::error::Error for ToolFault {}

/// The members of an object; values as text, grammar checked.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    fn parse(json: &'a str) -> Result<Self, ToolFault> {
        let members: Self = serde_json::from_str(json).map_err(|_| ToolFault::NotAnObject)?;
        // A handful of members: comparing each with each is the cheap way, and the limit keeps it cheap.
        if members.0.len() > limits::TOOL_MEMBERS {
            return Err(ToolFault::TooManyMembers { count: members.0.len() });
        }
        for (index, (name, _)) in members.0.iter().enumerate() {
            if members.0.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(ToolFault::Duplicate { member: crate::http::clip(name) });
            }
        }
        Ok(members)
    }

    fn get(&self, member: &'static str) -> Result<&'a str, ToolFault> {
        let found = self.0.iter().find(|(name, _)| name == member);
        found.map(|(_, value)| value.get()).ok_or(ToolFault::Missing { member })
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value::<&RawValue>()?));
        }
        Ok(Members(members))
    }
}

/// A string, borrowed where it can be.
struct PlainName<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for PlainName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::DeserializeSeed::deserialize(Name, deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type":"object"}"#;

    #[test]
    fn a_definition_is_kept_as_it_is() {
        let json = format!(r#" {{"name" : "m\u0065", "inputSchema":{SCHEMA},"title":"T"}} "#);
        let definition = Definition::parse(&json).unwrap();
        assert_eq!((definition.name(), definition.as_json()), ("me", json.as_str()));
    }

    #[test]
    fn a_definition_without_name_or_schema_is_refused() {
        let check = |json: &str, expected| assert_eq!(Definition::parse(json), Err(expected), "{json}");
        check("[]", ToolFault::NotAnObject);
        check("", ToolFault::NotAnObject);
        check(r#"{"name":"a","inputSchema":{}} x"#, ToolFault::NotAnObject);
        check(r#"{"name":"a"}"#, ToolFault::Missing { member: "inputSchema" });
        check(r#"{"inputSchema":{}}"#, ToolFault::Missing { member: "name" });
        let expected = ToolFault::WrongType { member: "inputSchema", expected: "an object" };
        check(r#"{"name":"a","inputSchema":true}"#, expected);
        check(
            r#"{"name":1,"inputSchema":{}}"#,
            ToolFault::WrongType { member: "name", expected: "a string" },
        );
        check(r#"{"name":"a b","inputSchema":{}}"#, ToolFault::InvalidName { name: "a b".into() });
        check(r#"{"name":"a","name":"b","inputSchema":{}}"#, ToolFault::Duplicate { member: "name".into() });
    }

    #[test]
    fn a_result_gives_the_text_between_its_braces() {
        assert_eq!(result_members(" {\"content\":[]}\n"), Ok("\"content\":[]"));
        assert_eq!(
            result_members(r#"{"isError":true,"content":[{}]}"#),
            Ok(r#""isError":true,"content":[{}]"#)
        );
    }

    #[test]
    fn a_result_must_not_speak_for_the_server() {
        let check = |json: &str, expected| assert_eq!(result_members(json), Err(expected), "{json}");
        check("null", ToolFault::NotAnObject);
        check("{", ToolFault::NotAnObject);
        check("{}", ToolFault::Missing { member: "content" });
        check(r#"{"content":{}}"#, ToolFault::WrongType { member: "content", expected: "a list" });
        check(r#"{"content":[],"_meta":{}}"#, ToolFault::Reserved { member: "_meta" });
        let input = r#"{"content":[],"result\u0054ype":"input_required"}"#;
        check(input, ToolFault::Reserved { member: "resultType" });
        check(r#"{"content":[],"content":[]}"#, ToolFault::Duplicate { member: "content".into() });
        check(r#"{"content":[]},"error":{"a":1}"#, ToolFault::NotAnObject);
    }

    #[test]
    fn tool_names_are_short_and_plain() {
        for name in ["a", "get_me", "A.b-c_9", &"x".repeat(limits::TOOL_NAME)] {
            assert!(is_tool_name(name), "{name}");
        }
        for name in ["", "a b", "a/b", "../x", "é", "a\n", &"x".repeat(limits::TOOL_NAME + 1)] {
            assert!(!is_tool_name(name), "{name}");
        }
    }
}
