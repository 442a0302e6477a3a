//! Objects whose members are taken one by one while a text is walked: the machinery under `envelope` and `meta`, which
//! say what the members are.

use core::fmt;
use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::strict::{Anything, Name, Walk};
use crate::values::{RawSeed, Shape, Text, TextSeed};

/// A structure that takes its members one by one.
pub(crate) trait Members<'a> {
    /// Takes the value of the member `name`.
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error>;
}

/// The value of a member, to be read in one of these ways.
pub(crate) struct Value<'v, 'a, A> {
    members: &'v mut A,
    walk: &'v mut Walk<'a>,
    /// The level that it is on, should it be an object or an array.
    depth: usize,
}

impl<'a, A: MapAccess<'a>> Value<'_, 'a, A> {
    /// As a string, or as what it is instead.
    pub(crate) fn text(self) -> Result<Text<'a>, A::Error> {
        self.members.next_value_seed(TextSeed { walk: self.walk, depth: self.depth })
    }

    /// As the text that was sent.
    pub(crate) fn raw(self) -> Result<&'a RawValue, A::Error> {
        self.members.next_value_seed(RawSeed { walk: self.walk, depth: self.depth })
    }

    /// As an object with these members, or as what it is instead.
    pub(crate) fn object(self, members: &mut impl Members<'a>) -> Result<Shape, A::Error> {
        self.members.next_value_seed(Object { members, walk: self.walk, depth: self.depth })
    }

    /// As an object of which only the shape matters.
    pub(crate) fn shape(self) -> Result<Shape, A::Error> {
        self.object(&mut Nothing)
    }

    /// Not at all, but walked.
    pub(crate) fn skip(self) -> Result<(), A::Error> {
        self.members.next_value_seed(Anything { walk: self.walk, depth: self.depth })
    }
}

/// An object of which only the shape matters.
struct Nothing;

impl<'a> Members<'a> for Nothing {
    fn member<A: MapAccess<'a>>(
        &mut self,
        _: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        value.skip()
    }
}

/// A member that should be an object with members of any name.
#[derive(Debug, Default, Clone)]
pub(crate) struct Entries<'a> {
    pub(crate) shape: Shape,
    /// In the order sent; a name occurs once.
    pub(crate) entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Members<'a> for Entries<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        self.entries.push((name.clone(), value.raw()?));
        Ok(())
    }
}

/// Reads an object into `members`, and anything else into its [`Shape`].
pub(crate) struct Object<'m, 'w, 'a, M> {
    pub(crate) members: &'m mut M,
    pub(crate) walk: &'w mut Walk<'a>,
    pub(crate) depth: usize,
}

impl<'a, M: Members<'a>> DeserializeSeed<'a> for Object<'_, '_, 'a, M> {
    type Value = Shape;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, M: Members<'a>> Visitor<'a> for Object<'_, '_, 'a, M> {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<Shape, A::Error> {
        let start = self.walk.enter::<A::Error>(self.depth)?;
        while let Some(name) = members.next_key_seed(Name)? {
            let value = Value { members: &mut members, walk: &mut *self.walk, depth: self.depth + 1 };
            self.members.member(&name, value)?;
            self.walk.name(name);
        }
        self.walk.leave(start)?;
        Ok(Shape::Object)
    }

    fn visit_seq<A: SeqAccess<'a>>(self, items: A) -> Result<Shape, A::Error> {
        Anything { walk: self.walk, depth: self.depth }.visit_seq(items)?;
        Ok(Shape::Array)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Other)
    }
}
