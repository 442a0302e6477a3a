//! The shape of a message: the members that any method of ours looks at, picked out in one walk over the body. What
//! they mean, and which have to be there, is decided in `reader` and `calls`.
//!
//! A member of the wrong type is no error here: the walk has to go on to the id, which the error must carry.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, MapAccess};
use serde_json::value::RawValue;

use crate::meta::{Capabilities, Meta};
use crate::object::{Entries, Members, Object, Value};
use crate::strict::Walk;
use crate::values::{Shape, Text};

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
    /// `resources/read`, `resources/subscribe`, `resources/unsubscribe`.
    pub(crate) uri: Text<'a>,
    /// The lists.
    pub(crate) cursor: Text<'a>,
    /// `initialize`.
    pub(crate) protocol_version: Text<'a>,
    /// `initialize`.
    pub(crate) capabilities: Capabilities,
    /// `logging/setLevel`.
    pub(crate) level: Text<'a>,
    /// `tools/call`, `prompts/get`. Walked, and kept as the text that the client sent.
    pub(crate) arguments: Option<&'a RawValue>,
    /// `completion/complete`: what is completed.
    pub(crate) reference: Reference<'a>,
    /// `completion/complete`: which argument of it.
    pub(crate) argument: Argument<'a>,
    /// `completion/complete`: the arguments that are known, under `context.arguments`.
    pub(crate) known: Known<'a>,
    /// The next round of a call.
    pub(crate) input_responses: Entries<'a>,
    /// The next round of a call.
    pub(crate) request_state: Text<'a>,
    /// `notifications/cancelled`.
    pub(crate) request_id: Option<&'a RawValue>,
    pub(crate) meta: Meta<'a>,
}

/// `ref` of `completion/complete`.
#[derive(Debug, Default)]
pub(crate) struct Reference<'a> {
    pub(crate) kind: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) uri: Text<'a>,
}

/// `argument` of `completion/complete`.
#[derive(Debug, Default)]
pub(crate) struct Argument<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) value: Text<'a>,
}

/// `context` of `completion/complete`.
#[derive(Debug, Default)]
pub(crate) struct Known<'a> {
    pub(crate) shape: Shape,
    pub(crate) arguments: Entries<'a>,
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

impl<'a> Members<'a> for Envelope<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "jsonrpc" => self.jsonrpc = value.text()?,
            "id" => self.id = Some(value.raw()?),
            "method" => self.method = value.text()?,
            "params" => self.params.shape = value.object(&mut self.params)?,
            "result" | "error" => {
                self.answers = true;
                value.skip()?;
            }
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Params<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "name" => self.name = value.text()?,
            "uri" => self.uri = value.text()?,
            "cursor" => self.cursor = value.text()?,
            "protocolVersion" => self.protocol_version = value.text()?,
            "capabilities" => self.capabilities.shape = value.object(&mut self.capabilities)?,
            "level" => self.level = value.text()?,
            "arguments" => self.arguments = Some(value.raw()?),
            "ref" => {
                value.object(&mut self.reference)?;
            }
            "argument" => {
                value.object(&mut self.argument)?;
            }
            "context" => self.known.shape = value.object(&mut self.known)?,
            "inputResponses" => self.input_responses.shape = value.object(&mut self.input_responses)?,
            "requestState" => self.request_state = value.text()?,
            "requestId" => self.request_id = Some(value.raw()?),
            "_meta" => self.meta.shape = value.object(&mut self.meta)?,
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Reference<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "type" => self.kind = value.text()?,
            "name" => self.name = value.text()?,
            "uri" => self.uri = value.text()?,
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Argument<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "name" => self.name = value.text()?,
            "value" => self.value = value.text()?,
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Known<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "arguments" => self.arguments.shape = value.object(&mut self.arguments)?,
            _ => value.skip()?,
        }
        Ok(())
    }
}
