//! JSON objects whose members are known to be unique before any is read.
//!
//! RFC 8259 section 4 leaves duplicate names to the parser, so two parsers can read two different tokens out of the
//! same bytes. RFC 7515 section 4 and RFC 7519 section 4 allow refusing them, and this module does, also for names that
//! differ in case only: a reader that ignores case would see a duplicate.
//!
//! How deep a text is nested is counted before anything is read, in a loop: whoever reads it after that cannot be made to recurse.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{TokenError, shown};
use crate::limits::{MAX_DEPTH, MAX_MEMBERS};

/// The members of one JSON object, in order, values still as text.
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads `bytes` as exactly one JSON object, with few members and none of them twice. Of what is no object, `what` says so.
    pub(crate) fn parse(bytes: &'a [u8], what: &'static str) -> Result<Self, TokenError> {
        let levels = depth(bytes);
        if levels > MAX_DEPTH {
            return Err(TokenError::TooDeep { levels, limit: MAX_DEPTH });
        }
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let members = reader.deserialize_map(Members).and_then(|members| reader.end().map(|()| members));
        members.map_err(|_| TokenError::Malformed { what })?.map(Self)
    }

    /// Whether there is a member `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// The member `name` as a `T`: `Ok(None)` if it is absent, `Err` if it is something else.
    pub(crate) fn optional<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, WrongType> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| WrongType)
    }

    /// The member `name` as it is written, cut to what a log line can carry; none if it is absent. Of an object, or of a list with one, no more
    /// than that it is there: nothing that is read here is an object, and a `jwk` may hold a key.
    pub(crate) fn shown(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?.get();
        let text = raw.starts_with('"');
        Some(if !text && raw.contains('{') { "{...}".to_owned() } else { shown(raw) })
    }

    fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, raw)| *raw)
    }
}

/// How many objects and arrays are open at the same time, at most. Exact for JSON; of what is none, a number that means nothing.
fn depth(bytes: &[u8]) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Goes on to behind the quotation mark that ends a string (RFC 8259 section 7). Brackets in a string nest nothing.
fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

/// A member that is there and has another JSON type than its specification says.
pub(crate) struct WrongType;

/// Reads the members of an object. A serde error is left for what is no JSON; an object that is refused is read to its end, so that it is one.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Result<Vec<(Cow<'de, str>, &'de RawValue)>, TokenError>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::with_capacity(32);
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            let refused = if members.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                TokenError::DuplicateMember { member: shown(&name) }
            } else if members.len() == MAX_MEMBERS {
                TokenError::TooManyMembers { limit: MAX_MEMBERS }
            } else {
                members.push((name, value));
                continue;
            };
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Err(refused));
        }
        Ok(Ok(members))
    }
}

/// A member name, borrowed from the input unless it was written with escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
