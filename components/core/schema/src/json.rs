//! JSON as schemas and instances have it: borrowed from its text, members sorted and none twice. It knows nothing of
//! schemas; what a number is, `number` says.
//!
//! `serde_json::Value` would do, but it takes the last of two equal members, copies every string, and is read as deep
//! as the reader likes.

use core::cell::Cell;
use core::fmt;
use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::fault::JsonFault;
use crate::limits;
use crate::number::Number;
use crate::text::clip;

/// A JSON value (RFC 8259) within the limits of this crate.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'t> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number. `1.0` is the same as `1`.
    Number(Number),
    /// A string, borrowed where it is written without escapes.
    String(Cow<'t, str>),
    /// An array.
    Array(Vec<Json<'t>>),
    /// An object.
    Object(Members<'t>),
}

/// The members of an object, sorted by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Members<'t>(Vec<(Cow<'t, str>, Json<'t>)>);

impl<'t> Json<'t> {
    /// Reads one JSON text.
    ///
    /// # Errors
    ///
    /// [`JsonFault`] for what is not JSON, has a member twice in one object, or exceeds a limit.
    pub fn parse(text: &'t str) -> Result<Self, JsonFault> {
        if text.len() > limits::TEXT {
            return Err(JsonFault::TooLong { length: text.len() });
        }
        let reading = Reading { left: Cell::new(limits::VALUES), fault: Cell::new(None) };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = (Value { reading: &reading, depth: 1 }).deserialize(&mut deserializer);
        value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| {
            let not_json = JsonFault::NotJson { line: error.line(), column: error.column() };
            reading.fault.take().unwrap_or(not_json)
        })
    }

    pub(crate) fn as_object(&self) -> Option<&Members<'t>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number of things: an integer from zero up. What no length can reach is as good as the largest.
    pub(crate) fn as_count(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_count(),
            _ => None,
        }
    }

    /// What names this value within its document as long as that is borrowed.
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }
}

impl<'t> Members<'t> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'t>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The member of that name and its index.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &Json<'t>)> {
        let index = self.0.binary_search_by(|(it, _)| it.as_ref().cmp(name)).ok()?;
        self.0.get(index).map(|(_, value)| (index, value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json<'t>> {
        self.find(name).map(|(_, value)| value)
    }

    pub(crate) fn nth(&self, index: usize) -> Option<(&str, &Json<'t>)> {
        self.0.get(index).map(|(name, value)| (name.as_ref(), value))
    }
}

/// What one reading remembers.
struct Reading {
    /// Values that may still come.
    left: Cell<usize>,
    /// The reason for the error that it ended with, where it is one of ours.
    fault: Cell<Option<JsonFault>>,
}

impl Reading {
    fn refuse<E: Error>(&self, fault: JsonFault) -> E {
        self.fault.set(Some(fault));
        E::custom("refused")
    }
}

#[derive(Clone, Copy)]
struct Value<'r> {
    reading: &'r Reading,
    /// The level that this value is on, should it be an object or an array.
    depth: usize,
}

impl Value<'_> {
    /// For the values inside of this one.
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth > limits::DEPTH {
            return Err(self.reading.refuse(JsonFault::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'t> DeserializeSeed<'t> for Value<'_> {
    type Value = Json<'t>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Json<'t>, D::Error> {
        match self.reading.left.get().checked_sub(1) {
            Some(left) => self.reading.left.set(left),
            None => return Err(self.reading.refuse(JsonFault::TooManyValues)),
        }
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Value<'_> {
    type Value = Json<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'t>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'t>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'t>, E> {
        Ok(Json::Number(Number::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'t>, E> {
        Ok(Json::Number(Number::from(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'t>, E> {
        Ok(Json::Number(Number::from(value)))
    }

    fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Json<'t>, E> {
        Ok(Json::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'t>, E> {
        Ok(Json::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> Result<Json<'t>, A::Error> {
        let inside = self.inside()?;
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            all.push(item);
        }
        Ok(Json::Array(all))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> Result<Json<'t>, A::Error> {
        let inside = self.inside()?;
        let mut all = Vec::new();
        while let Some(name) = members.next_key_seed(Name)? {
            all.push((name, members.next_value_seed(inside)?));
        }
        all.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let twice = all.iter().zip(all.iter().skip(1)).find(|((one, _), (other, _))| one == other);
        if let Some(((name, _), _)) = twice {
            return Err(self.reading.refuse(JsonFault::Duplicate { name: clip(name) }));
        }
        Ok(Json::Object(Members(all)))
    }
}

/// Reads a member's name, borrowed unless it is written with escapes (`"a"` and `"\u0061"` are one name).
struct Name;

impl<'t> DeserializeSeed<'t> for Name {
    type Value = Cow<'t, str>;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'t> Visitor<'t> for Name {
    type Value = Cow<'t, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'t str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: JsonFault) {
        assert_eq!(Json::parse(text), Err(expected));
        assert_eq!(Json::parse("true"), Ok(Json::Bool(true)));
    }

    #[test]
    fn only_json_is_read() {
        check("", JsonFault::NotJson { line: 1, column: 0 });
        check("{} {}", JsonFault::NotJson { line: 1, column: 4 });
        check("[1e400]", JsonFault::NotJson { line: 1, column: 6 });
        check("[NaN]", JsonFault::NotJson { line: 1, column: 2 });
    }

    #[test]
    fn no_member_occurs_twice() {
        check(r#"{"a":1,"b":2,"\u0061":3}"#, JsonFault::Duplicate { name: "a".into() });
        assert!(Json::parse(r#"[{"a":{"a":1}},{"a":1}]"#).is_ok());
    }

    #[test]
    fn every_limit_holds() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse(&nested(limits::DEPTH)).is_ok());
        check(&nested(limits::DEPTH + 1), JsonFault::TooDeep);
        check(&"{\"a\":".repeat(100_000), JsonFault::TooDeep);
        let wide = |items: usize| format!("[{}0]", "0,".repeat(items - 1));
        assert!(Json::parse(&wide(limits::VALUES - 1)).is_ok());
        check(&wide(limits::VALUES), JsonFault::TooManyValues);
        let long = format!("\"{}\"", "x".repeat(limits::TEXT));
        check(&long, JsonFault::TooLong { length: limits::TEXT + 2 });
    }
}
