//! Single members of a message, read whatever they turn out to be: a value of the wrong type is a finding for `reader`,
//! not an error here. Objects with members of interest are in `envelope`.

use core::fmt;
use std::borrow::Cow;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::strict::{Anything, Walk};

/// A member that should be a string.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    /// Not there.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// A string.
    Is(Cow<'a, str>),
    /// A value of another type.
    Other,
}

/// A member that should be an object.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Not there.
    #[default]
    Absent,
    /// An object.
    Object,
    /// An array. At the top level: a batch.
    Array,
    /// A value of another type.
    Other,
}

/// Reads a member that should be a string.
pub(crate) struct TextSeed<'w, 'a> {
    pub(crate) walk: &'w mut Walk<'a>,
    pub(crate) depth: usize,
}

impl<'a> DeserializeSeed<'a> for TextSeed<'_, 'a> {
    type Value = Text<'a>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Text<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for TextSeed<'_, 'a> {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Text<'a>, E> {
        Ok(Text::Is(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Text::Is(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Text<'a>, E> {
        Ok(Text::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'a>, E> {
        Ok(Text::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text<'a>, E> {
        Ok(Text::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text<'a>, E> {
        Ok(Text::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'a>, E> {
        Ok(Text::Other)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, items: A) -> Result<Text<'a>, A::Error> {
        Anything { walk: self.walk, depth: self.depth }.visit_seq(items)?;
        Ok(Text::Other)
    }

    fn visit_map<A: MapAccess<'a>>(self, members: A) -> Result<Text<'a>, A::Error> {
        Anything { walk: self.walk, depth: self.depth }.visit_map(members)?;
        Ok(Text::Other)
    }
}

/// Reads a member as text, after walking it like everything else.
pub(crate) struct RawSeed<'w, 'a> {
    pub(crate) walk: &'w mut Walk<'a>,
    pub(crate) depth: usize,
}

impl<'a> DeserializeSeed<'a> for RawSeed<'_, 'a> {
    type Value = &'a RawValue;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<&'a RawValue, D::Error> {
        let raw = <&'a RawValue>::deserialize(deserializer)?;
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        match (Anything { walk: self.walk, depth: self.depth }).deserialize(&mut inner) {
            Ok(()) => Ok(raw),
            Err(error) => Err(serde::de::Error::custom(error)),
        }
    }
}
