//! The shape of a message: the members that any method of ours looks at, picked out in one walk over the body. What
//! they mean, and which have to be there, is decided in `reader`.
//!
//! A member of the wrong type is no error here: the walk has to go on to the id, which the error must carry.

use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::strict::{Anything, Name, Walk};
use crate::values::{RawSeed, Shape, Text, TextSeed};

/// A JSON-RPC message.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    pub(crate) shape: Shape,
    pub(crate) jsonrpc: Text<'a>,
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) method: Text<'a>,
    pub(crate) params: Params<'a>,
    /// `result` or `error` is there: a response.
    pub(crate) answers: bool,
}

/// The members of `params` that some method of ours reads.
#[derive(Debug, Default)]
pub(crate) struct Params<'a> {
    pub(crate) shape: Shape,
    /// `tools/call`, `prompts/get`.
    pub(crate) name: Text<'a>,
    /// `resources/read`.
    pub(crate) uri: Text<'a>,
    /// The lists.
    pub(crate) cursor: Text<'a>,
    /// `initialize`.
    pub(crate) protocol_version: Text<'a>,
    /// `tools/call`. Walked, and kept as the text that the client sent.
    pub(crate) arguments: Option<&'a RawValue>,
    pub(crate) meta: Meta<'a>,
}

/// The members of `params._meta` that we read.
#[derive(Debug, Default)]
pub(crate) struct Meta<'a> {
    pub(crate) shape: Shape,
    /// `io.modelcontextprotocol/protocolVersion`.
    pub(crate) version: Text<'a>,
    /// `io.modelcontextprotocol/clientCapabilities`.
    pub(crate) capabilities: Shape,
    /// `progressToken`.
    pub(crate) progress_token: Option<&'a RawValue>,
}

/// Reads a whole text. The error is `serde_json`'s; `walk.trap` tells whether it was ours.
pub(crate) fn envelope<'a>(text: &'a str, walk: &mut Walk<'a>) -> Result<Envelope<'a>, serde_json::Error> {
    let mut envelope = Envelope::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Object { members: &mut envelope, walk, depth: 1 };
    let shape = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    envelope.shape = shape;
    Ok(envelope)
}

/// A structure that takes its members one by one.
trait Members<'a> {
    /// Takes the value of the member `name`, which is on level `depth`.
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &str,
        members: &mut A,
        walk: &mut Walk<'a>,
        depth: usize,
    ) -> Result<(), A::Error>;
}

impl<'a> Members<'a> for Envelope<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &str,
        members: &mut A,
        walk: &mut Walk<'a>,
        depth: usize,
    ) -> Result<(), A::Error> {
        match name {
            "jsonrpc" => self.jsonrpc = members.next_value_seed(TextSeed { walk, depth })?,
            "id" => self.id = Some(members.next_value_seed(RawSeed { walk, depth })?),
            "method" => self.method = members.next_value_seed(TextSeed { walk, depth })?,
            "params" => {
                let mut params = Params::default();
                params.shape = members.next_value_seed(Object { members: &mut params, walk, depth })?;
                self.params = params;
            }
            "result" | "error" => {
                self.answers = true;
                members.next_value_seed(Anything { walk, depth })?;
            }
            _ => members.next_value_seed(Anything { walk, depth })?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Params<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &str,
        members: &mut A,
        walk: &mut Walk<'a>,
        depth: usize,
    ) -> Result<(), A::Error> {
        match name {
            "name" => self.name = members.next_value_seed(TextSeed { walk, depth })?,
            "uri" => self.uri = members.next_value_seed(TextSeed { walk, depth })?,
            "cursor" => self.cursor = members.next_value_seed(TextSeed { walk, depth })?,
            "protocolVersion" => self.protocol_version = members.next_value_seed(TextSeed { walk, depth })?,
            "arguments" => self.arguments = Some(members.next_value_seed(RawSeed { walk, depth })?),
            "_meta" => {
                let mut meta = Meta::default();
                meta.shape = members.next_value_seed(Object { members: &mut meta, walk, depth })?;
                self.meta = meta;
            }
            _ => members.next_value_seed(Anything { walk, depth })?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Meta<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &str,
        members: &mut A,
        walk: &mut Walk<'a>,
        depth: usize,
    ) -> Result<(), A::Error> {
        match name {
            "io.modelcontextprotocol/protocolVersion" => {
                self.version = members.next_value_seed(TextSeed { walk, depth })?;
            }
            "io.modelcontextprotocol/clientCapabilities" => {
                self.capabilities = members.next_value_seed(Object { members: &mut Nothing, walk, depth })?;
            }
            "progressToken" => self.progress_token = Some(members.next_value_seed(RawSeed { walk, depth })?),
            _ => members.next_value_seed(Anything { walk, depth })?,
        }
        Ok(())
    }
}

/// An object of which only the shape matters.
struct Nothing;

impl<'a> Members<'a> for Nothing {
    fn member<A: MapAccess<'a>>(
        &mut self,
        _: &str,
        members: &mut A,
        walk: &mut Walk<'a>,
        depth: usize,
    ) -> Result<(), A::Error> {
        members.next_value_seed(Anything { walk, depth })
    }
}

/// Reads an object into `members`, and anything else into its [`Shape`].
struct Object<'m, 'w, 'a, M> {
    members: &'m mut M,
    walk: &'w mut Walk<'a>,
    depth: usize,
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
            self.members.member(&name, &mut members, self.walk, self.depth + 1)?;
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
