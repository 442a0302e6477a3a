//! A client's message as types: what was asked, in which revision, and what an answer needs. Borrowed from the body.
//!
//! Only [`read`](crate::read()) and [`read_message`](crate::read_message) make them, so that whoever holds one need not
//! check anything again. What the members have to look like is decided there.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::limits;
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

    /// The JSON text exactly as the client sent it. Ids are echoed, never interpreted, so that an integer beyond any
    /// machine's range comes back as it was.
    #[must_use]
    pub const fn as_json(self) -> &'a str {
        self.0
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
    /// `tools/list`. There is one page: a request with a cursor does not get here.
    ListTools,
    /// `tools/call`.
    CallTool(CallTool<'a>),
}

impl Call<'_> {
    /// The method's name on the wire, for audit records.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Discover => "server/discover",
            Self::Initialize(_) => "initialize",
            Self::Ping => "ping",
            Self::ListTools => "tools/list",
            Self::CallTool(_) => "tools/call",
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
}

impl<'a> CallTool<'a> {
    /// The arguments as JSON text; `{}` where there are none.
    #[must_use]
    pub fn arguments_json(&self) -> &'a str {
        self.arguments.map_or("{}", RawValue::get)
    }
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
