//! Every reason why a message is answered with a JSON-RPC error, and the one place that maps a reason to its code and its
//! HTTP status. What the caller is told is in `wording`.
//!
//! Failures that a model can act on are not here: they are tool results with `isError`. Refusals before a message is
//! read are in `http`, `bearer` and `challenge`.

mod wording;

use std::borrow::Cow;

#[cfg(doc)]
use crate::limits;
use crate::message::{Abilities, Id};
use crate::revision::Revision;

/// A message that is answered with an error.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcError<'a> {
    /// The id to echo: absent for a notification, and where the message had none that could be read.
    pub id: Option<Id<'a>>,
    /// The revision in use, as far as it was known when the fault was found.
    pub revision: Option<Revision>,
    /// What is wrong.
    pub fault: Fault,
}

impl RpcError<'_> {
    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.fault.status(self.revision)
    }
}

/// What is wrong with a message, or with us. `Display` gives the text for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// -32700: the body is not UTF-8 (RFC 8259 section 8.1).
    NotUtf8 {
        /// Bytes that are.
        valid_up_to: usize,
    },
    /// -32700: the body is not one JSON text.
    NotJson {
        /// Where reading stopped, from one.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// -32600: more than [`limits::DEPTH`] levels of nesting.
    TooDeep,
    /// -32600: an object has a member twice.
    DuplicateMember {
        /// Its name.
        name: String,
    },
    /// -32600: an array of messages. Batches exist in one revision only, and nobody sends them.
    Batch,
    /// -32600: JSON, but no object.
    NotAnObject,
    /// -32600: `jsonrpc` is not `"2.0"`.
    WrongJsonRpc,
    /// -32600: the id is not a string or an integer (MCP `basic/index#requests`), or not below [`limits::ID`] bytes.
    InvalidId,
    /// -32600: no `method`, or not a string.
    NoMethod,
    /// -32600: a request and a response in one.
    Ambiguous,
    /// -32600: a response, which a modern client must not send (MCP `basic/transports/streamable-http`).
    UnexpectedResponse,
    /// -32602: `params` is there and no object.
    ParamsNotAnObject,
    /// -32602: a modern request without these `_meta` keys, or with one of the wrong type (MCP `basic/index#_meta`).
    InvalidMeta {
        /// The keys, in the order of the specification.
        keys: Vec<&'static str>,
    },
    /// -32022: a revision that we do not implement (MCP `basic/versioning`).
    UnsupportedVersion {
        /// What was asked for; at most [`limits::VERSION`] bytes.
        requested: String,
    },
    /// -32020: a header and the body disagree (MCP `basic/transports/streamable-http#server-validation`).
    HeaderMismatch {
        /// The header, as the specification writes it.
        header: Cow<'static, str>,
        /// How.
        problem: HeaderProblem,
    },
    /// -32601: a method that this server does not have in this revision.
    MethodNotFound {
        /// The method, cut to [`limits::ECHO`] characters.
        method: String,
    },
    /// -32602: a call without the tool's `name`, or with one that is no tool name.
    InvalidToolName,
    /// -32602: `arguments` is there and no object.
    ArgumentsNotAnObject,
    /// -32602: `arguments` is longer than [`limits::ARGUMENTS`].
    ArgumentsTooLong {
        /// Their length in bytes.
        length: usize,
    },
    /// -32602: a cursor that is not ours, or leads nowhere (MCP `server/utilities/pagination`).
    InvalidCursor,
    /// -32602: `prompts/get` without the prompt's `name`, or with one that is no name.
    InvalidPromptName,
    /// -32602: no `uri`, an empty one, or one longer than [`limits::URI`].
    InvalidUri,
    /// -32602: `ref` of a completion is neither a prompt nor a resource template.
    InvalidReference,
    /// -32602: `argument` of a completion lacks its name or its value, or one is too long.
    InvalidArgument,
    /// -32602: `context` of a completion is no object with an object of strings, or has too many of them.
    InvalidContext,
    /// -32602: a log level that RFC 5424 does not have (MCP `server/utilities/logging`).
    InvalidLogLevel,
    /// -32602: `inputResponses` is no object of at most [`limits::INPUT_RESPONSES`] objects (MCP `basic/patterns/mrtr`).
    InvalidInputResponses,
    /// -32602: `requestState` is no string, is too long, was altered, is of another request or another caller, or too old.
    /// The caller is not told which.
    InvalidRequestState,
    /// -32602: an argument that the prompt requires is not there (MCP `server/prompts#error-handling`).
    MissingPromptArgument {
        /// Its name.
        name: String,
    },
    /// -32602: an argument of a prompt that is no string.
    PromptArgumentNotText {
        /// Its name, cut to [`limits::ECHO`] characters.
        name: String,
    },
    /// -32602: arguments that the prompt or the resource itself does not take. The text is the pack's, for the caller.
    InvalidArguments {
        /// Why.
        reason: String,
    },
    /// -32602: `initialize` without a `protocolVersion`.
    NoProtocolVersion,
    /// -32602: no tool of that name, or none that this caller may know of (MCP `server/tools#error-handling`).
    UnknownTool {
        /// The name, cut to [`limits::ECHO`] characters.
        name: String,
    },
    /// -32602, legacy -32002: no resource of that URI, or none that this caller may know of (MCP
    /// `server/resources#error-handling`, 2025-11-25 the same).
    UnknownResource {
        /// The URI, at most [`limits::URI`] bytes.
        uri: String,
    },
    /// -32602: no prompt of that name, or none that this caller may know of (MCP `server/prompts#error-handling`).
    UnknownPrompt {
        /// The name, cut to [`limits::ECHO`] characters.
        name: String,
    },
    /// -32021: an answer needs what the client did not declare (MCP `basic/index#_meta`).
    MissingCapabilities {
        /// All that is missing.
        missing: Abilities,
    },
    /// -32042, 2025-11-25 only: the user has to go to a page first, and the client to try again (MCP 2025-11-25
    /// `client/elicitation#url-elicitation-required-error`).
    UrlElicitationRequired {
        /// `ElicitRequestURLParams` objects, as JSON text.
        elicitations: Vec<String>,
    },
    /// 401, a code of our own: the token was refused. For transports without `WWW-Authenticate`.
    Unauthenticated,
    /// 403, a code of our own: the caller lacks a permission. For transports without `WWW-Authenticate`.
    Forbidden,
    /// 429, a code of our own: too many calls.
    RateLimited {
        /// When to try again, in seconds.
        retry_after: u32,
    },
    /// -32603: what was asked for cannot be had now, or not by this user. The text is the pack's, for the caller.
    Unavailable {
        /// Why.
        reason: String,
    },
    /// -32603: our fault. The reason is in the log only.
    Internal,
}

/// How a header and the body disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderProblem {
    /// It has to be there.
    Missing,
    /// It is there more than once.
    Repeated,
    /// Characters that no header value has, too many of them, or a Base64 form that does not decode.
    Malformed,
    /// It says something else. Both values cut to [`limits::ECHO`] characters.
    Differs {
        /// What the header says, decoded.
        header: String,
        /// What the body says.
        body: String,
    },
}

impl Fault {
    /// The JSON-RPC error code, in the revision in use. Our own codes lie outside -32768..-32000 (MCP
    /// `basic/index#error-codes`) and repeat the HTTP status of the same refusal.
    #[must_use]
    pub fn code(&self, revision: Option<Revision>) -> i32 {
        match self {
            Self::NotUtf8 { .. } | Self::NotJson { .. } => -32700,
            Self::TooDeep
            | Self::DuplicateMember { .. }
            | Self::Batch
            | Self::NotAnObject
            | Self::WrongJsonRpc
            | Self::InvalidId
            | Self::NoMethod
            | Self::Ambiguous
            | Self::UnexpectedResponse => -32600,
            Self::MethodNotFound { .. } => -32601,
            Self::UnknownResource { .. } if revision.is_some_and(|revision| !revision.is_modern()) => -32002,
            Self::ParamsNotAnObject
            | Self::InvalidMeta { .. }
            | Self::InvalidToolName
            | Self::InvalidPromptName
            | Self::InvalidUri
            | Self::InvalidReference
            | Self::InvalidArgument
            | Self::InvalidContext
            | Self::InvalidLogLevel
            | Self::InvalidInputResponses
            | Self::InvalidRequestState
            | Self::MissingPromptArgument { .. }
            | Self::PromptArgumentNotText { .. }
            | Self::InvalidArguments { .. }
            | Self::ArgumentsNotAnObject
            | Self::ArgumentsTooLong { .. }
            | Self::InvalidCursor
            | Self::NoProtocolVersion
            | Self::UnknownTool { .. }
            | Self::UnknownResource { .. }
            | Self::UnknownPrompt { .. } => -32602,
            Self::Unavailable { .. } | Self::Internal => -32603,
            Self::HeaderMismatch { .. } => -32020,
            Self::MissingCapabilities { .. } => -32021,
            Self::UnsupportedVersion { .. } => -32022,
            Self::UrlElicitationRequired { .. } => -32042,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::RateLimited { .. } => 429,
        }
    }

    /// The HTTP status. A message that is no valid request is 400; a valid one whose answer is an error is 200, but
    /// an unknown method is 404 for a modern client (MCP `basic/transports/streamable-http#protocol-version-header`).
    /// A legacy client would read 404 as the end of its session.
    #[must_use]
    pub fn status(&self, revision: Option<Revision>) -> u16 {
        match self {
            Self::MethodNotFound { .. } if revision.is_some_and(Revision::is_modern) => 404,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::RateLimited { .. } => 429,
            Self::NotUtf8 { .. }
            | Self::NotJson { .. }
            | Self::TooDeep
            | Self::DuplicateMember { .. }
            | Self::Batch
            | Self::NotAnObject
            | Self::WrongJsonRpc
            | Self::InvalidId
            | Self::NoMethod
            | Self::Ambiguous
            | Self::UnexpectedResponse
            | Self::ParamsNotAnObject
            | Self::InvalidMeta { .. }
            | Self::UnsupportedVersion { .. }
            | Self::HeaderMismatch { .. }
            | Self::MissingCapabilities { .. } => 400,
            _ => 200,
        }
    }
}
