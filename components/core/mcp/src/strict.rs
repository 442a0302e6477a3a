//! Reading JSON without its two traps: a member that occurs twice in one object (RFC 8259 section 4 leaves open which
//! one counts, so a proxy and we may disagree) and nesting without end. It knows nothing of MCP; `envelope` does.
//!
//! The grammar is `serde_json`'s business; this is what its visitors do with each member.

use core::fmt;
use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::limits;

/// Why a text that may well be JSON is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trap {
    /// More than [`limits::DEPTH`] levels.
    TooDeep,
    /// The member of that name occurs twice.
    Duplicate(String),
}

/// What one walk over a text remembers.
#[derive(Debug, Default)]
pub(crate) struct Walk<'a> {
    /// Member names of the objects that are open, outermost first.
    names: Vec<Cow<'a, str>>,
    /// The reason for the error that the walk ended with, where it is one of ours.
    pub(crate) trap: Option<Trap>,
}

impl<'a> Walk<'a> {
    /// Enters a level of nesting; `depth` counts from one.
    pub(crate) fn enter<E: Error>(&mut self, depth: usize) -> Result<usize, E> {
        if depth > limits::DEPTH {
            self.trap = Some(Trap::TooDeep);
            return Err(E::custom("too deep"));
        }
        Ok(self.names.len())
    }

    /// The next member's name, to be handed to [`Self::leave`] with the rest of its object.
    pub(crate) fn name(&mut self, name: Cow<'a, str>) {
        self.names.push(name);
    }

    /// Leaves an object whose names begin at `start`.
    pub(crate) fn leave<E: Error>(&mut self, start: usize) -> Result<(), E> {
        let names = self.names.get_mut(start..).unwrap_or_default();
        let duplicate = if names.len() <= 8 {
            // Sorting costs more than comparing each with each.
            names.iter().enumerate().find(|(index, name)| names.iter().skip(index + 1).any(|it| it == *name))
        } else {
            names.sort_unstable();
            names
                .windows(2)
                .find(|pair| pair.first() == pair.last())
                .and_then(|pair| pair.iter().enumerate().next())
        };
        if let Some((_, name)) = duplicate {
            self.trap = Some(Trap::Duplicate(crate::http::clip(name)));
            return Err(E::custom("duplicate member"));
        }
        self.names.truncate(start);
        Ok(())
    }
}

/// Reads any value and keeps nothing of it.
pub(crate) struct Anything<'w, 'a> {
    pub(crate) walk: &'w mut Walk<'a>,
    /// The level that this value is on, should it be an object or an array.
    pub(crate) depth: usize,
}

impl<'a> DeserializeSeed<'a> for Anything<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Anything<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<(), A::Error> {
        self.walk.enter::<A::Error>(self.depth)?;
        while items.next_element_seed(Anything { walk: &mut *self.walk, depth: self.depth + 1 })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        let start = self.walk.enter::<A::Error>(self.depth)?;
        while let Some(name) = members.next_key_seed(Name)? {
            self.walk.name(name);
            members.next_value_seed(Anything { walk: &mut *self.walk, depth: self.depth + 1 })?;
        }
        self.walk.leave(start)
    }
}

/// Reads a member's name, borrowed unless it is written with escapes (`"a"` and `"\u0061"` are one name).
pub(crate) struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Self::Value, E> {
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
    fn check(json: &str, expected: Option<Trap>) {
        let mut walk = Walk::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let result = Anything { walk: &mut walk, depth: 1 }.deserialize(&mut deserializer);
        assert_eq!(result.is_err(), expected.is_some(), "{result:?}");
        assert_eq!(walk.trap, expected);
    }

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn a_member_counts_once_per_object_however_it_is_written() {
        check(r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}"#, None);
        check(r#"{"a":1,"b":2,"a":3}"#, Some(Trap::Duplicate("a".into())));
        check(r#"{"a":1,"\u0061":2}"#, Some(Trap::Duplicate("a".into())));
        check(r#"{"x":[{"y":{"k":1,"k":1}}]}"#, Some(Trap::Duplicate("k".into())));
        check(r#"{"":1,"":1}"#, Some(Trap::Duplicate(String::new())));
        check(r#"{"a":{"b":1},"b":2}"#, None);
    }

    #[test]
    fn large_objects_are_checked_as_well() {
        let members = |last: &str| {
            let mut members: Vec<_> = (0..20_000).map(|index| format!("\"m{index}\":0")).collect();
            members.push(format!("\"{last}\":0"));
            format!("{{{}}}", members.join(","))
        };
        check(&members("m20000"), None);
        check(&members("m777"), Some(Trap::Duplicate("m777".into())));
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        check(&nested(limits::DEPTH), None);
        check(&nested(limits::DEPTH + 1), Some(Trap::TooDeep));
        check(&nested(100_000), Some(Trap::TooDeep));
        check(&"{\"a\":".repeat(100_000), Some(Trap::TooDeep));
    }
}
