//! What a pack hands over as JSON text: the objects that results and definitions are made of. They are checked here before
//! they are spliced into an answer, since a pack may be anybody's. Nothing is re-written.

use core::fmt;
use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::limits;
use crate::strict::Name;

/// The members of a result, ready to be spliced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultMembers<'a> {
    /// The text between the braces.
    pub(crate) text: &'a str,
    /// `structuredContent` of a tool's result.
    structured: Option<&'a str>,
    /// `isError` of a tool's result.
    is_error: bool,
}

impl<'a> ResultMembers<'a> {
    /// A `CallToolResult`: `content` must be there and a list.
    ///
    /// `resultType` and `_meta` must not: they speak for the server, and a pack that sets them could ask the client for
    /// input in our name. The same for the other results.
    ///
    /// # Errors
    ///
    /// [`PackFault`]; a fault of the pack, not of the caller.
    pub fn tool(json: &'a str) -> Result<Self, PackFault> {
        let members = Members::parse(json)?;
        members.without(&["resultType", "_meta"])?;
        members.list("content")?;
        let is_error = match members.find("isError") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(PackFault::WrongType { member: "isError", expected: "a boolean" }),
        };
        let structured = members.find("structuredContent");
        Ok(Self { text: between_braces(json)?, structured, is_error })
    }

    /// A `ReadResourceResult`: `contents` must be there and a list. How long it may be kept is the server's to say.
    ///
    /// # Errors
    ///
    /// As [`Self::tool`].
    pub fn resource(json: &'a str) -> Result<Self, PackFault> {
        let members = Members::parse(json)?;
        members.without(&["resultType", "_meta", "ttlMs", "cacheScope"])?;
        members.list("contents")?;
        Ok(Self { text: between_braces(json)?, structured: None, is_error: false })
    }

    /// A `GetPromptResult`: `messages` must be there and a list.
    ///
    /// # Errors
    ///
    /// As [`Self::tool`].
    pub fn prompt(json: &'a str) -> Result<Self, PackFault> {
        let members = Members::parse(json)?;
        members.without(&["resultType", "_meta"])?;
        members.list("messages")?;
        Ok(Self { text: between_braces(json)?, structured: None, is_error: false })
    }

    /// What has to fit the output schema of the tool (MCP `server/tools#output-schema`): `structuredContent`, which a tool
    /// with such a schema owes, except where the result says what went wrong.
    ///
    /// # Errors
    ///
    /// [`PackFault::Missing`].
    pub fn to_validate(&self) -> Result<Option<&'a str>, PackFault> {
        match (self.structured, self.is_error) {
            (Some(content), _) => Ok(Some(content)),
            (None, true) => Ok(None),
            (None, false) => Err(PackFault::Missing { member: "structuredContent" }),
        }
    }
}

fn between_braces(json: &str) -> Result<&str, PackFault> {
    json.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or(PackFault::NotAnObject)
}

/// Why a definition or a result of a tool pack cannot be used. For the log; the caller is told of an internal error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackFault {
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
    /// Something else, in words.
    Unusable {
        /// What is wrong.
        reason: String,
    },
    /// The name is no name.
    InvalidName {
        /// The name, cut to [`limits::ECHO`] characters.
        name: String,
    },
}

impl fmt::Display for PackFault {
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
            Self::Unusable { reason } => f.write_str(reason),
            Self::InvalidName { name } => write!(f, "`{name}` is no name"),
        }
    }
}

impl core::error::Error for PackFault {}

/// The members of an object; values as text, grammar checked.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    pub(crate) fn parse(json: &'a str) -> Result<Self, PackFault> {
        let members: Self = serde_json::from_str(json).map_err(|_| PackFault::NotAnObject)?;
        // A handful of members: comparing each with each is the cheap way, and the limit keeps it cheap.
        if members.0.len() > limits::TOOL_MEMBERS {
            return Err(PackFault::TooManyMembers { count: members.0.len() });
        }
        for (index, (name, _)) in members.0.iter().enumerate() {
            if members.0.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(PackFault::Duplicate { member: crate::http::clip(name) });
            }
        }
        Ok(members)
    }

    /// The value of a member, as JSON text.
    pub(crate) fn find(&self, member: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| name == member).map(|(_, value)| value.get())
    }

    /// The value of a member that has to be there.
    pub(crate) fn get(&self, member: &'static str) -> Result<&'a str, PackFault> {
        self.find(member).ok_or(PackFault::Missing { member })
    }

    /// A member that is there and an object.
    pub(crate) fn object(&self, member: &'static str) -> Result<&'a str, PackFault> {
        self.starting(member, '{', "an object")
    }

    /// A member that is there and a list.
    pub(crate) fn list(&self, member: &'static str) -> Result<&'a str, PackFault> {
        self.starting(member, '[', "a list")
    }

    fn starting(
        &self,
        member: &'static str,
        first: char,
        expected: &'static str,
    ) -> Result<&'a str, PackFault> {
        // The grammar was checked, so that the first character tells the type.
        let value = self.get(member)?;
        if value.starts_with(first) { Ok(value) } else { Err(PackFault::WrongType { member, expected }) }
    }

    /// A member that is there and a string.
    pub(crate) fn text(&self, member: &'static str) -> Result<Cow<'a, str>, PackFault> {
        serde_json::from_str::<Plain<'a>>(self.get(member)?)
            .map(|text| text.0)
            .map_err(|_| PackFault::WrongType { member, expected: "a string" })
    }

    /// The first member that is no string.
    pub(crate) fn first_not_text(&self) -> Option<&str> {
        self.0.iter().find(|(_, value)| !value.get().starts_with('"')).map(|(name, _)| name.as_ref())
    }

    /// Refuses the first of `members` that is there.
    fn without(&self, members: &[&'static str]) -> Result<(), PackFault> {
        match members.iter().find(|member| self.find(member).is_some()) {
            None => Ok(()),
            Some(member) => Err(PackFault::Reserved { member }),
        }
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
pub(crate) struct Plain<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Plain<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::DeserializeSeed::deserialize(Name, deserializer).map(Self)
    }
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
