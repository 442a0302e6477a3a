//! `params._meta`: what a request says of itself and of its client (MCP `basic/index#_meta`). Which of it has to be
//! there is decided in `reader`.

use std::borrow::Cow;

use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::message::Abilities;
use crate::object::{Members, Value};
use crate::values::{Shape, Text};

/// The members of `params._meta` that we read.
#[derive(Debug, Default)]
pub(crate) struct Meta<'a> {
    pub(crate) shape: Shape,
    /// `io.modelcontextprotocol/protocolVersion`.
    pub(crate) version: Text<'a>,
    /// `io.modelcontextprotocol/clientCapabilities`.
    pub(crate) capabilities: Capabilities,
    /// `io.modelcontextprotocol/logLevel`.
    pub(crate) log_level: Text<'a>,
    /// `progressToken`.
    pub(crate) progress_token: Option<&'a RawValue>,
}

/// `ClientCapabilities`, as far as a server can ask for them. Each is declared by an object; anything else in its place
/// declares nothing.
#[derive(Debug, Default)]
pub(crate) struct Capabilities {
    pub(crate) shape: Shape,
    elicitation: Elicitation,
    sampling: Shape,
    roots: Shape,
}

#[derive(Debug, Default)]
struct Elicitation {
    shape: Shape,
    form: Shape,
    url: Shape,
}

impl Capabilities {
    /// What the client can be asked for. `elicitation` without a mode means forms (MCP `client/elicitation`).
    pub(crate) fn abilities(&self) -> Abilities {
        let Elicitation { shape, form, url } = self.elicitation;
        let elicitation = shape == Shape::Object;
        Abilities {
            elicitation_form: elicitation
                && (form == Shape::Object || (form == Shape::Absent && url == Shape::Absent)),
            elicitation_url: elicitation && url == Shape::Object,
            sampling: self.sampling == Shape::Object,
            roots: self.roots == Shape::Object,
        }
    }
}

impl<'a> Members<'a> for Meta<'a> {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "io.modelcontextprotocol/protocolVersion" => self.version = value.text()?,
            "io.modelcontextprotocol/clientCapabilities" => {
                self.capabilities.shape = value.object(&mut self.capabilities)?;
            }
            "io.modelcontextprotocol/logLevel" => self.log_level = value.text()?,
            "progressToken" => self.progress_token = Some(value.raw()?),
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Capabilities {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "elicitation" => self.elicitation.shape = value.object(&mut self.elicitation)?,
            "sampling" => self.sampling = value.shape()?,
            "roots" => self.roots = value.shape()?,
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'a> Members<'a> for Elicitation {
    fn member<A: MapAccess<'a>>(
        &mut self,
        name: &Cow<'a, str>,
        value: Value<'_, 'a, A>,
    ) -> Result<(), A::Error> {
        match name.as_ref() {
            "form" => self.form = value.shape()?,
            "url" => self.url = value.shape()?,
            _ => value.skip()?,
        }
        Ok(())
    }
}
