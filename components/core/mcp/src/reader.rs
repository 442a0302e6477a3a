//! One JSON-RPC message in, one typed call out (`calls`): the only reader of a client's body.
//!
//! It decides which revision a message speaks and whether header and body agree (MCP `basic/versioning`,
//! `basic/transports/streamable-http`). It does not know which tools there are, who is asking, or what to answer.
//!
//! Which revision? Alice's client is new: each of its requests says `2026-07-28` in `_meta` and in the header. Bob's
//! is a year old: it sends `initialize` first and later only the header. Carol's is older still and sends no header at
//! all. All three use the same endpoint, and each request is judged by itself, since nothing is remembered.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::agreement::{self, Headers};
use crate::calls::call;
use crate::envelope::{self, Envelope, Params};
use crate::fault::{Fault, RpcError};
use crate::input::{OWN_PAGE, declined};
use crate::limits;
use crate::message::{Abilities, Context, Id, Message, Notification, Request};
use crate::meta::Meta;
use crate::revision::Revision;
use crate::strict::{Trap, Walk};
use crate::values::{Shape, Text};

/// Reads a message of a POST to the MCP endpoint, after authentication. `headers` with names in lower case.
///
/// # Errors
///
/// [`RpcError`] with the id, as far as it could be read. A faulty notification has none.
pub fn read<'a>(headers: &[(String, String)], body: &'a [u8]) -> Result<Message<'a>, RpcError<'a>> {
    read_with(Headers::Http(headers), body)
}

/// Reads a message of a transport without headers: the version is that of `_meta`, or else the newest legacy one.
///
/// # Errors
///
/// As [`read`]; never [`Fault::HeaderMismatch`].
pub fn read_message(message: &[u8]) -> Result<Message<'_>, RpcError<'_>> {
    read_with(Headers::None, message)
}

fn read_with<'a>(headers: Headers<'_>, body: &'a [u8]) -> Result<Message<'a>, RpcError<'a>> {
    let envelope = parse(body).map_err(|fault| RpcError { id: None, revision: None, fault })?;
    let id = match envelope.id.map(Id::new) {
        None => None,
        Some(Some(id)) => Some(id),
        Some(None) => return Err(RpcError { id: None, revision: None, fault: Fault::InvalidId }),
    };
    let mut revision = None;
    interpret(headers, envelope, id, &mut revision).map_err(|fault| RpcError { id, revision, fault })
}

/// The text as an object with the members we know.
fn parse(body: &[u8]) -> Result<Envelope<'_>, Fault> {
    let text = str::from_utf8(body).map_err(|error| Fault::NotUtf8 { valid_up_to: error.valid_up_to() })?;
    let mut walk = Walk::default();
    let envelope = envelope::envelope(text, &mut walk).map_err(|error| match walk.trap.take() {
        Some(Trap::TooDeep) => Fault::TooDeep,
        Some(Trap::Duplicate(name)) => Fault::DuplicateMember { name },
        None => Fault::NotJson { line: error.line(), column: error.column() },
    })?;
    match envelope.shape {
        Shape::Object => Ok(envelope),
        Shape::Array => Err(Fault::Batch),
        Shape::Absent | Shape::Other => Err(Fault::NotAnObject),
    }
}

/// What the message is. `revision` is set as soon as it is known, for the error.
fn interpret<'a>(
    headers: Headers<'_>,
    envelope: Envelope<'a>,
    id: Option<Id<'a>>,
    revision: &mut Option<Revision>,
) -> Result<Message<'a>, Fault> {
    if envelope.jsonrpc != Text::Is(Cow::Borrowed("2.0")) {
        return Err(Fault::WrongJsonRpc);
    }
    let method = match (&envelope.method, envelope.answers) {
        (Text::Is(method), false) => method.as_ref(),
        (Text::Absent, true) => "",
        (Text::Absent, false) | (Text::Null | Text::Other, _) => return Err(Fault::NoMethod),
        (Text::Is(_), true) => return Err(Fault::Ambiguous),
    };
    let found = decide(headers, &envelope.params.meta, method)?;
    *revision = Some(found);
    if envelope.answers {
        return if found.is_modern() { Err(Fault::UnexpectedResponse) } else { Ok(Message::Response) };
    }
    if matches!(envelope.params.shape, Shape::Array | Shape::Other) {
        return Err(Fault::ParamsNotAnObject);
    }
    let Some(id) = id else {
        return notification(headers, found, method);
    };
    if found.is_modern() {
        check_modern(headers, &envelope, method)?;
    }
    let call = call(found, envelope)?;
    Ok(Message::Request(Request { context: Context { id, revision: found }, call }))
}

/// The revision of a message, by what it says of itself.
fn decide(headers: Headers<'_>, meta: &Meta<'_>, method: &str) -> Result<Revision, Fault> {
    let header = match headers {
        Headers::Http(headers) => agreement::version(headers)?,
        Headers::None => None,
    };
    let known = |name: &str| {
        Revision::parse(name).ok_or_else(|| Fault::UnsupportedVersion { requested: name.to_owned() })
    };
    match &meta.version {
        // It describes itself. Agreement comes before support: a wrong header is the graver fault, and which of the
        // two versions was meant is not known.
        Text::Is(version) if version.len() <= limits::VERSION => {
            if let Headers::Http(_) = headers {
                agreement::same_version(header, version)?;
            }
            known(version)
        }
        Text::Is(_) | Text::Null | Text::Other => Err(Fault::InvalidMeta { keys: vec![VERSION] }),
        Text::Absent => {
            let declared = header.map(known).transpose()?;
            Ok(match (method, declared) {
                // `initialize` without `_meta` opens a legacy conversation, whatever version it names.
                ("initialize", declared) => {
                    declared.filter(|found| !found.is_modern()).unwrap_or(Revision::NEWEST_LEGACY)
                }
                // Only modern clients know it; they are told what is missing.
                ("server/discover", _) => Revision::V2026_07_28,
                (_, Some(declared)) => declared,
                // MCP 2025-11-25 `basic/transports#protocol-version-header`: without the header, 2025-03-26. A
                // transport without headers has no such rule.
                (_, None) => match headers {
                    Headers::Http(_) => Revision::V2025_03_26,
                    Headers::None => Revision::NEWEST_LEGACY,
                },
            })
        }
    }
}

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// What each modern request owes besides its version: the required `_meta` keys and headers that agree. `clientInfo`
/// is not required (MCP `basic/index#_meta`).
fn check_modern(headers: Headers<'_>, envelope: &Envelope<'_>, method: &str) -> Result<(), Fault> {
    let meta = &envelope.params.meta;
    let mut keys = Vec::new();
    if !matches!(meta.version, Text::Is(_)) {
        keys.push(VERSION);
    }
    if meta.capabilities.shape != Shape::Object {
        keys.push(CAPABILITIES);
    }
    if !keys.is_empty() {
        return Err(Fault::InvalidMeta { keys });
    }
    let Headers::Http(headers) = headers else {
        return Ok(());
    };
    agreement::same_method(headers, method)?;
    let name = match method {
        "tools/call" | "prompts/get" => &envelope.params.name,
        "resources/read" => &envelope.params.uri,
        _ => return Ok(()),
    };
    match name {
        Text::Is(name) => agreement::same_name(headers, name),
        // Nothing to agree with; the missing name is a fault of its own.
        _ => Ok(()),
    }
}

fn notification<'a>(headers: Headers<'_>, revision: Revision, method: &str) -> Result<Message<'a>, Fault> {
    if let (Headers::Http(headers), true) = (headers, revision.is_modern()) {
        agreement::same_method_if_any(headers, method)?;
    }
    Ok(Message::Notification(match method {
        "notifications/initialized" => Notification::Initialized,
        "notifications/cancelled" => Notification::Cancelled,
        _ => Notification::Other,
    }))
}

/// What a message is, for those who carry messages and nothing else: which request it is, or which it ends. Anything that
/// [`read_message`] would refuse is [`Kind::Other`].
#[must_use]
pub fn inspect(message: &[u8]) -> Kind {
    let Ok(envelope) = parse(message) else {
        return Kind::Other;
    };
    let id = |raw: Option<&RawValue>| raw.and_then(Id::new).map(Id::canonical);
    match (&envelope.method, envelope.answers, envelope.id) {
        (Text::Is(method), false, Some(_)) => match id(envelope.id) {
            Some(id) if method == "initialize" => Kind::Opening(id, envelope.params.capabilities.abilities()),
            Some(id) if declines(&envelope.params) => Kind::Declining(id),
            id => id.map_or(Kind::Other, Kind::Request),
        },
        (Text::Is(method), false, None) if method == "notifications/cancelled" => {
            id(envelope.params.request_id).map_or(Kind::Other, Kind::Cancellation)
        }
        _ => Kind::Other,
    }
}

/// Whether the user does not go to the page that we sent them to. Rounds exist in the modern era only, and no state goes with that page.
fn declines(params: &Params<'_>) -> bool {
    let [(key, answer)] = params.input_responses.entries.as_slice() else { return false };
    let is_ours = key == OWN_PAGE && matches!(params.request_state, Text::Absent);
    is_ours && matches!(params.meta.version, Text::Is(_)) && declined(answer.get())
}

/// See [`inspect`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A request, with its id in one spelling ([`Id::canonical`]).
    Request(String),
    /// `initialize`, with its id, spelt the same way, and what the client declares for all that follows.
    Opening(String, Abilities),
    /// A request, with its id, spelt the same way, whose user does not go to the page of ours ([`OWN_PAGE`]).
    Declining(String),
    /// `notifications/cancelled`, with the id of the request that it ends, spelt the same way.
    Cancellation(String),
    /// Anything else.
    Other,
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
