//! A client's message as types: what was asked, in which revision, and what an answer needs. Borrowed from the body.
//!
//! Only [`read`](crate::read()) and [`read_message`](crate::read_message) make them, so that whoever holds one need not
//! check anything again. What the members have to look like is decided there.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json;
use crate::limits;
use crate::log::LogLevel;
use crate::page::{Cursor, List};
use crate::revision::Revision;

/// A message that was read.
#[derive(Debug, Clone)]
pub enum Message<'a> {
    /// Wants an answer.
    Request(Request<'a>),
    /// Wants none: 202 without a body, or nothing at all on stdio.
    Notification(Notification),
    /// A response to a request. We send none, so it is answered like a notification.
    Response,
}

/// A request: what is asked, and how to answer.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What an answer needs.
    pub context: Context<'a>,
    /// What is asked.
    pub call: Call<'a>,
}

/// What an answer needs to know of its request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Context<'a> {
    /// The id to echo.
    pub id: Id<'a>,
    /// The revision to answer in.
    pub revision: Revision,
}

/// A request id: a string or an integer, at most [`limits::ID`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    /// A string or an integer. The text is JSON already, so that its first byte tells those apart from the rest.
    pub(crate) fn new(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        let well_formed = match text.as_bytes() {
            [b'"', ..] => true,
            [b'-' | b'0'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
            _ => false,
        };
        (well_formed && text.len() <= limits::ID).then_some(Self(text))
    }

    /// The one way of writing this id as JSON text, so that two messages about one request can be matched: `"\u0061"` and
    /// `"a"` are the same id, and so are `-0` and `0`.
    #[must_use]
    pub fn canonical(self) -> String {
        if self.0 == "-0" {
            return "0".to_owned();
        }
        match serde_json::from_str::<String>(self.0) {
            Ok(text) => {
                let mut out = String::with_capacity(self.0.len());
                json::push_string(&mut out, &text);
                out
            }
            Err(_) => self.0.to_owned(),
        }
    }

    /// The JSON text exactly as the client sent it. Ids are echoed, never interpreted, so that an integer beyond any
    /// machine's range comes back as it was.
    #[must_use]
    pub const fn as_json(self) -> &'a str {
        self.0
    }
}

/// A [`Context`] that outlives its message, for an answer that comes piece by piece.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedContext {
    id: String,
    revision: Revision,
}

impl OwnedContext {
    /// The context.
    #[must_use]
    pub fn borrow(&self) -> Context<'_> {
        Context { id: Id(&self.id), revision: self.revision }
    }
}

impl Context<'_> {
    /// A copy that borrows nothing.
    #[must_use]
    pub fn to_owned(self) -> OwnedContext {
        OwnedContext { id: self.id.0.to_owned(), revision: self.revision }
    }
}

/// A method that this server has.
#[derive(Debug, Clone)]
pub enum Call<'a> {
    /// `server/discover` (modern).
    Discover,
    /// `initialize` (legacy).
    Initialize(Initialize<'a>),
    /// `ping` (legacy).
    Ping,
    /// `logging/setLevel` (legacy). The level was read and is forgotten: nothing is remembered.
    SetLogLevel,
    /// One of the lists, from the cursor on.
    List(List, Option<Cursor>),
    /// `tools/call`.
    CallTool(CallTool<'a>),
    /// `resources/read`.
    ReadResource(ReadResource<'a>),
    /// `resources/subscribe` (legacy), of this URI.
    Subscribe(Cow<'a, str>),
    /// `resources/unsubscribe` (legacy), of this URI.
    Unsubscribe(Cow<'a, str>),
    /// `prompts/get`.
    GetPrompt(GetPrompt<'a>),
    /// `completion/complete`.
    Complete(Complete<'a>),
}

impl Call<'_> {
    /// The method's name on the wire, for audit records.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Initialize(_) => "initialize",
            Self::Ping => "ping",
            Self::SetLogLevel => "logging/setLevel",
            Self::List(list, _) => list.method(),
            Self::CallTool(_) => "tools/call",
            Self::ReadResource(_) => "resources/read",
            Self::Subscribe(_) => "resources/subscribe",
            Self::Unsubscribe(_) => "resources/unsubscribe",
            Self::GetPrompt(_) => "prompts/get",
            Self::Complete(_) => "completion/complete",
        }
    }
}

/// The parameters of `initialize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initialize<'a> {
    /// The version that the client asks for, known or not; at most [`limits::VERSION`] bytes.
    pub requested: Cow<'a, str>,
}

impl Initialize<'_> {
    /// The version to answer with (MCP 2025-11-25 `basic/lifecycle#version-negotiation`): the requested one if we have
    /// it, else the newest that has a handshake. The client decides whether it goes on.
    #[must_use]
    pub fn negotiated(&self) -> Revision {
        Revision::parse(&self.requested).filter(|found| !found.is_modern()).unwrap_or(Revision::NEWEST_LEGACY)
    }
}

/// The parameters of `tools/call`.
#[derive(Debug, Clone)]
pub struct CallTool<'a> {
    /// 1 to [`limits::TOOL_NAME`] characters of `A-Z a-z 0-9 _ . -`. Whether there is such a tool is not known here.
    pub name: Cow<'a, str>,
    /// A JSON object of at most [`limits::ARGUMENTS`] bytes, as sent, checked for doubled members and depth.
    pub arguments: Option<&'a RawValue>,
    /// The client would like progress notifications under this token; one that is no string or integer is ignored.
    pub progress_token: Option<Id<'a>>,
    /// The client would like log messages from this level on.
    pub log_level: Option<LogLevel>,
    /// What the client can give, and what it gives.
    pub input: Input<'a>,
}

impl<'a> CallTool<'a> {
    /// The arguments as JSON text; `{}` where there are none.
    #[must_use]
    pub fn arguments_json(&self) -> &'a str {
        self.arguments.map_or("{}", RawValue::get)
    }
}

/// The parameters of `resources/read`.
#[derive(Debug, Clone)]
pub struct ReadResource<'a> {
    /// 1 to [`limits::URI`] bytes. Not known to be a URI, nor one of ours.
    pub uri: Cow<'a, str>,
    /// What the client can give, and what it gives.
    pub input: Input<'a>,
}

/// The parameters of `prompts/get`.
#[derive(Debug, Clone)]
pub struct GetPrompt<'a> {
    /// As the name of a tool.
    pub name: Cow<'a, str>,
    /// A JSON object as in a tool call. Whether its members are strings is for [`Definition::check_arguments`](crate::definition::Definition::check_arguments).
    pub arguments: Option<&'a RawValue>,
    /// What the client can give, and what it gives.
    pub input: Input<'a>,
}

impl<'a> GetPrompt<'a> {
    /// The arguments as JSON text; `{}` where there are none.
    #[must_use]
    pub fn arguments_json(&self) -> &'a str {
        self.arguments.map_or("{}", RawValue::get)
    }
}

/// The parameters of `completion/complete`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete<'a> {
    /// What has the argument.
    pub reference: Reference<'a>,
    /// The argument's name, at most [`limits::TOOL_NAME`] bytes.
    pub argument: Cow<'a, str>,
    /// What was typed of it, at most [`limits::COMPLETION_VALUE`] bytes.
    pub value: Cow<'a, str>,
    /// The other arguments that are known: at most [`limits::COMPLETION_KNOWN`].
    pub known: Known<'a>,
}

/// Arguments with their values.
pub type Known<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// What `completion/complete` completes an argument of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference<'a> {
    /// `ref/prompt`: the prompt of that name.
    Prompt(Cow<'a, str>),
    /// `ref/resource`: the resource template with that text.
    Template(Cow<'a, str>),
}

/// What a client can be asked for (MCP `ClientCapabilities`). Nothing, for a legacy client: it would have to be asked in
/// a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four independent declarations of the client")]
pub struct Abilities {
    /// `elicitation` by form.
    pub elicitation_form: bool,
    /// `elicitation` by URL.
    pub elicitation_url: bool,
    /// `sampling`.
    pub sampling: bool,
    /// `roots`.
    pub roots: bool,
}

/// What a request brings for a call that may need several rounds (MCP `basic/patterns/mrtr`).
#[derive(Debug, Clone, Default)]
pub struct Input<'a> {
    /// What the client can be asked for.
    pub abilities: Abilities,
    /// The client's answers by key, each a JSON object as sent; at most [`limits::INPUT_RESPONSES`]. None where the
    /// client sent none.
    pub responses: Option<Vec<(Cow<'a, str>, &'a RawValue)>>,
    /// `requestState` of the round before, at most [`limits::REQUEST_STATE`] bytes of anything.
    pub state: Option<Cow<'a, str>>,
}

/// A notification. None changes anything here: nothing is remembered, and over HTTP a client cancels by closing its
/// connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// `notifications/initialized`.
    Initialized,
    /// `notifications/cancelled`.
    Cancelled,
    /// Any other. Accepted: a receiver may ignore what it does not know.
    Other,
}
