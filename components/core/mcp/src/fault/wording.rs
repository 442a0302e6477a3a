//! What the caller is told of a fault: the message and its `data`. Which code goes with it is in `fault`.

use core::fmt;

use super::{Fault, HeaderProblem};
use crate::json;
use crate::limits;
use crate::message::Abilities;
use crate::revision::SUPPORTED;

impl Fault {
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
            Self::UnknownResource { uri } => {
                out.push_str(r#"{"uri":"#);
                json::push_string(out, uri);
                out.push('}');
                true
            }
            Self::MissingCapabilities { missing } => {
                out.push_str(r#"{"requiredCapabilities":"#);
                push_capabilities(out, *missing);
                out.push('}');
                true
            }
            Self::UrlElicitationRequired { elicitations } => {
                out.push_str(r#"{"elicitations":["#);
                for (index, elicitation) in elicitations.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    json::push_raw(out, elicitation);
                }
                out.push_str("]}");
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

/// A `ClientCapabilities` object that declares these.
fn push_capabilities(out: &mut String, abilities: Abilities) {
    let Abilities { elicitation_form, elicitation_url, sampling, roots } = abilities;
    let elicitation = match (elicitation_form, elicitation_url) {
        (false, false) => None,
        (true, false) => Some(r#""elicitation":{"form":{}}"#),
        (false, true) => Some(r#""elicitation":{"url":{}}"#),
        (true, true) => Some(r#""elicitation":{"form":{},"url":{}}"#),
    };
    let members = [elicitation, sampling.then_some(r#""sampling":{}"#), roots.then_some(r#""roots":{}"#)];
    out.push('{');
    for (index, member) in members.into_iter().flatten().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(member);
    }
    out.push('}');
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
            Self::InvalidPromptName => f.write_str("Invalid params: `name` must be a prompt name"),
            Self::InvalidUri => write!(f, "Invalid params: `uri` must be a string of 1 to {} bytes", limits::URI),
            Self::InvalidReference => f.write_str("Invalid params: `ref` must name a prompt or a resource template"),
            Self::InvalidArgument => f.write_str("Invalid params: `argument` must have a `name` and a `value`"),
            Self::InvalidContext => {
                f.write_str("Invalid params: `context` must hold `arguments`, an object of strings")
            }
            Self::InvalidLogLevel => f.write_str("Invalid params: unknown log level"),
            Self::InvalidInputResponses => {
                write!(
                    f,
                    "Invalid params: `inputResponses` must be an object of at most {} objects",
                    limits::INPUT_RESPONSES
                )
            }
            Self::InvalidRequestState => f.write_str(
                "Invalid params: `requestState` is not of this request or no longer valid, start again without it",
            ),
            Self::MissingPromptArgument { name } => write!(f, "Invalid params: the prompt needs the argument `{name}`"),
            Self::PromptArgumentNotText { name } => {
                write!(f, "Invalid params: the prompt's argument `{name}` must be a string")
            }
            Self::InvalidArguments { reason } => write!(f, "Invalid params: {reason}"),
            Self::NoProtocolVersion => f.write_str("Invalid params: `protocolVersion` must be a string"),
            Self::UnknownTool { name } => write!(f, "Unknown tool: {name}"),
            Self::UnknownResource { .. } => f.write_str("Resource not found"),
            Self::UnknownPrompt { name } => write!(f, "Unknown prompt: {name}"),
            Self::MissingCapabilities { .. } => f.write_str("Missing required client capability"),
            Self::UrlElicitationRequired { .. } => {
                f.write_str("The user has to finish something on a page first")
            }
            Self::Unauthenticated => f.write_str("Authentication required"),
            Self::Forbidden => f.write_str("Not permitted"),
            Self::RateLimited { retry_after } => {
                write!(f, "Too many requests, try again in {retry_after} seconds")
            }
            Self::Unavailable { reason } => f.write_str(reason),
            Self::Internal => f.write_str("Internal error"),
        }
    }
}

impl core::error::Error for Fault {}
