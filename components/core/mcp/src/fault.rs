//! Every reason why a message is answered with a JSON-RPC error, and the one place that maps a reason to its code, its
//! HTTP status and what the caller is told.
//!
//! Failures that a model can act on are not here: they are tool results with `isError`. Refusals before a message is
//! read are in `http`, `bearer` and `challenge`.

use core::fmt;

use crate::json;
use crate::limits;
use crate::message::Id;
use crate::revision::{Revision, SUPPORTED};

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
        header: &'static str,
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
    /// -32602: a cursor. There is one page, so no cursor is ours (MCP `server/utilities/pagination`).
    InvalidCursor,
    /// -32602: `initialize` without a `protocolVersion`.
    NoProtocolVersion,
    /// -32602: no tool of that name, or none that this caller may know of (MCP `server/tools#error-handling`).
    UnknownTool {
        /// The name, cut to [`limits::ECHO`] characters.
        name: String,
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
    /// The JSON-RPC error code. Our own codes lie outside -32768..-32000 (MCP `basic/index#error-codes`) and repeat
    /// the HTTP status of the same refusal.
    #[must_use]
    pub const fn code(&self) -> i32 {
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
            Self::ParamsNotAnObject
            | Self::InvalidMeta { .. }
            | Self::InvalidToolName
            | Self::ArgumentsNotAnObject
            | Self::ArgumentsTooLong { .. }
            | Self::InvalidCursor
            | Self::NoProtocolVersion
            | Self::UnknownTool { .. } => -32602,
            Self::Internal => -32603,
            Self::HeaderMismatch { .. } => -32020,
            Self::UnsupportedVersion { .. } => -32022,
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
            Self::MethodNotFound { .. }
            | Self::InvalidToolName
            | Self::ArgumentsNotAnObject
            | Self::ArgumentsTooLong { .. }
            | Self::InvalidCursor
            | Self::NoProtocolVersion
            | Self::UnknownTool { .. }
            | Self::Internal => 200,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::RateLimited { .. } => 429,
            _ => 400,
        }
    }

    /// Writes the `data` member's value, if there is one.
    pub(crate) fn write_data(&self, out: &mut String) -> bool {
        match self {
            Self::UnsupportedVersion { requested } => {
                out.push_str(r#"{"supported":"#);
                out.push_str(SUPPORTED);
                out.push_str(r#","requested":"#);
                json::push_string(out, requested);
                out.push('}');
                true
            }
            // MCP `basic/versioning`: an error to `initialize` names the versions, for a client without another way
            // to learn of them.
            Self::MethodNotFound { method } if method == "initialize" => {
                out.push_str(r#"{"supported":"#);
                out.push_str(SUPPORTED);
                out.push('}');
                true
            }
            _ => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { valid_up_to } => write!(f, "Parse error: not UTF-8 after byte {valid_up_to}"),
            Self::NotJson { line, column } => {
                write!(f, "Parse error: not JSON at line {line}, column {column}")
            }
            Self::TooDeep => write!(f, "Invalid request: nested deeper than {} levels", limits::DEPTH),
            Self::DuplicateMember { name } => write!(f, "Invalid request: member `{name}` occurs twice"),
            Self::Batch => f.write_str("Invalid request: batches are not supported"),
            Self::NotAnObject => f.write_str("Invalid request: not an object"),
            Self::WrongJsonRpc => f.write_str("Invalid request: `jsonrpc` must be \"2.0\""),
            Self::InvalidId => {
                write!(
                    f,
                    "Invalid request: `id` must be a string or an integer of at most {} bytes",
                    limits::ID
                )
            }
            Self::NoMethod => f.write_str("Invalid request: `method` must be a string"),
            Self::Ambiguous => f.write_str("Invalid request: `method` beside `result` or `error`"),
            Self::UnexpectedResponse => f.write_str("Invalid request: clients must not send responses"),
            Self::ParamsNotAnObject => f.write_str("Invalid params: `params` must be an object"),
            Self::InvalidMeta { keys } => {
                write!(f, "Invalid params: `_meta` lacks or has malformed {}", keys.join(", "))
            }
            Self::UnsupportedVersion { .. } => f.write_str("Unsupported protocol version"),
            Self::HeaderMismatch { header, problem } => match problem {
                HeaderProblem::Missing => write!(f, "Header mismatch: {header} is missing"),
                HeaderProblem::Repeated => write!(f, "Header mismatch: {header} occurs twice"),
                HeaderProblem::Malformed => write!(f, "Header mismatch: {header} is malformed"),
                HeaderProblem::Differs { header: value, body } => write!(
                    f,
                    "Header mismatch: {header} header value '{value}' does not match body value '{body}'"
                ),
            },
            Self::MethodNotFound { method } => write!(f, "Method not found: {method}"),
            Self::InvalidToolName => f.write_str("Invalid params: `name` must be a tool name"),
            Self::ArgumentsNotAnObject => f.write_str("Invalid params: `arguments` must be an object"),
            Self::ArgumentsTooLong { length } => write!(
                f,
                "Invalid params: `arguments` has {length} bytes, at most {} are allowed",
                limits::ARGUMENTS
            ),
            Self::InvalidCursor => f.write_str("Invalid params: unknown `cursor`"),
            Self::NoProtocolVersion => f.write_str("Invalid params: `protocolVersion` must be a string"),
            Self::UnknownTool { name } => write!(f, "Unknown tool: {name}"),
            Self::Unauthenticated => f.write_str("Authentication required"),
            Self::Forbidden => f.write_str("Not permitted"),
            Self::RateLimited { retry_after } => {
                write!(f, "Too many requests, try again in {retry_after} seconds")
            }
            Self::Internal => f.write_str("Internal error"),
        }
    }
}

impl core::error::Error for Fault {}
