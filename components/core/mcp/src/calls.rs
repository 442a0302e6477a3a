//! From the members of a request to a typed call: which methods there are in which era, and what each needs. Headers and
//! versions are `reader`'s; whether there is such a tool, resource or prompt is not known here.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::envelope::{self, Envelope, Params};
use crate::fault::Fault;
use crate::http::clip;
use crate::limits;
use crate::log::LogLevel;
use crate::message::{
    Call, CallTool, Complete, GetPrompt, Id, Initialize, Input, Known, ReadResource, Reference,
};
use crate::meta::Meta;
use crate::object::Entries;
use crate::page::{Cursor, List};
use crate::revision::Revision;
use crate::values::{Shape, Text};

/// The call that a request makes.
pub(crate) fn call(revision: Revision, envelope: Envelope<'_>) -> Result<Call<'_>, Fault> {
    let Text::Is(method) = &envelope.method else {
        return Err(Fault::NoMethod);
    };
    let params = envelope.params;
    let modern = revision.is_modern();
    match (method.as_ref(), modern) {
        ("tools/call", _) => call_tool(modern, params),
        ("tools/list", _) => list(List::Tools, &params),
        ("resources/list", _) => list(List::Resources, &params),
        ("resources/templates/list", _) => list(List::Templates, &params),
        ("prompts/list", _) => list(List::Prompts, &params),
        ("resources/read", _) => {
            let (uri, input) = (
                uri(params.uri)?,
                input(modern, &params.meta, params.input_responses, params.request_state)?,
            );
            Ok(Call::ReadResource(ReadResource { uri, input }))
        }
        ("prompts/get", _) => get_prompt(modern, params),
        ("completion/complete", _) => complete(params),
        ("server/discover", true) => Ok(Call::Discover),
        ("initialize", false) => match params.protocol_version {
            Text::Is(requested) if requested.len() <= limits::VERSION => {
                Ok(Call::Initialize(Initialize { requested }))
            }
            _ => Err(Fault::NoProtocolVersion),
        },
        ("ping", false) => Ok(Call::Ping),
        ("logging/setLevel", false) => level(&params.level).map(|_| Call::SetLogLevel),
        ("resources/subscribe", false) => uri(params.uri).map(Call::Subscribe),
        ("resources/unsubscribe", false) => uri(params.uri).map(Call::Unsubscribe),
        (method, _) => Err(Fault::MethodNotFound { method: clip(method) }),
    }
}

fn list<'a>(list: List, params: &Params<'a>) -> Result<Call<'a>, Fault> {
    match &params.cursor {
        Text::Absent | Text::Null => Ok(Call::List(list, None)),
        Text::Is(cursor) => Ok(Call::List(list, Some(Cursor::parse(list, cursor)?))),
        Text::Other => Err(Fault::InvalidCursor),
    }
}

fn call_tool(modern: bool, params: Params<'_>) -> Result<Call<'_>, Fault> {
    let name = match params.name {
        Text::Is(name) if crate::definition::is_name(&name) => name,
        _ => return Err(Fault::InvalidToolName),
    };
    check_arguments(params.arguments)?;
    // What a legacy client gets is fixed; a modern one asks in each request.
    let log_level = match (modern, &params.meta.log_level) {
        (false, _) => Some(LogLevel::LEGACY),
        (true, Text::Absent) => None,
        (true, text) => Some(level(text)?),
    };
    Ok(Call::CallTool(CallTool {
        name,
        arguments: params.arguments,
        progress_token: params.meta.progress_token.and_then(Id::new),
        log_level,
        input: input(modern, &params.meta, params.input_responses, params.request_state)?,
    }))
}

fn get_prompt(modern: bool, params: Params<'_>) -> Result<Call<'_>, Fault> {
    let name = match params.name {
        Text::Is(name) if crate::definition::is_name(&name) => name,
        _ => return Err(Fault::InvalidPromptName),
    };
    check_arguments(params.arguments)?;
    let input = input(modern, &params.meta, params.input_responses, params.request_state)?;
    Ok(Call::GetPrompt(GetPrompt { name, arguments: params.arguments, input }))
}

fn check_arguments(arguments: Option<&RawValue>) -> Result<(), Fault> {
    match arguments.map(RawValue::get) {
        Some(text) if !text.starts_with('{') => Err(Fault::ArgumentsNotAnObject),
        Some(text) if text.len() > limits::ARGUMENTS => Err(Fault::ArgumentsTooLong { length: text.len() }),
        _ => Ok(()),
    }
}

fn uri(uri: Text<'_>) -> Result<Cow<'_, str>, Fault> {
    match uri {
        Text::Is(uri) if (1..=limits::URI).contains(&uri.len()) => Ok(uri),
        _ => Err(Fault::InvalidUri),
    }
}

fn level(level: &Text<'_>) -> Result<LogLevel, Fault> {
    match level {
        Text::Is(name) => LogLevel::parse(name).ok_or(Fault::InvalidLogLevel),
        _ => Err(Fault::InvalidLogLevel),
    }
}

/// The answers of a round, each an object (MCP `basic/patterns/mrtr#error-handling`). Rounds exist in the modern era only;
/// elsewhere these members mean nothing.
fn input<'a>(
    modern: bool,
    meta: &Meta<'_>,
    responses: Entries<'a>,
    state: Text<'a>,
) -> Result<Input<'a>, Fault> {
    if !modern {
        return Ok(Input::default());
    }
    let responses = match responses.shape {
        Shape::Absent => None,
        Shape::Array | Shape::Other => return Err(Fault::InvalidInputResponses),
        Shape::Object if responses.entries.len() > limits::INPUT_RESPONSES => {
            return Err(Fault::InvalidInputResponses);
        }
        Shape::Object if responses.entries.iter().any(|(_, answer)| !answer.get().starts_with('{')) => {
            return Err(Fault::InvalidInputResponses);
        }
        Shape::Object => Some(responses.entries),
    };
    let state = match state {
        Text::Absent => None,
        Text::Is(state) if state.len() <= limits::REQUEST_STATE => Some(state),
        Text::Is(_) | Text::Null | Text::Other => return Err(Fault::InvalidRequestState),
    };
    Ok(Input { abilities: meta.capabilities.abilities(), responses, state })
}

/// MCP `server/utilities/completion`.
fn complete(params: Params<'_>) -> Result<Call<'_>, Fault> {
    let envelope::Reference { kind, name, uri } = params.reference;
    let reference = match (kind, name, uri) {
        (Text::Is(kind), Text::Is(name), _) if kind == "ref/prompt" && crate::definition::is_name(&name) => {
            Reference::Prompt(name)
        }
        (Text::Is(kind), _, Text::Is(uri))
            if kind == "ref/resource" && (1..=limits::URI).contains(&uri.len()) =>
        {
            Reference::Template(uri)
        }
        _ => return Err(Fault::InvalidReference),
    };
    let (argument, value) = match (params.argument.name, params.argument.value) {
        (Text::Is(name), Text::Is(value))
            if (1..=limits::TOOL_NAME).contains(&name.len()) && value.len() <= limits::COMPLETION_VALUE =>
        {
            (name, value)
        }
        _ => return Err(Fault::InvalidArgument),
    };
    let known = known(params.known)?;
    Ok(Call::Complete(Complete { reference, argument, value, known }))
}

/// `context.arguments`: an object of strings, or nothing.
fn known(context: envelope::Known<'_>) -> Result<Known<'_>, Fault> {
    let Entries { shape, entries } = context.arguments;
    match (context.shape, shape) {
        (Shape::Absent, _) | (Shape::Object, Shape::Absent | Shape::Object) => {}
        _ => return Err(Fault::InvalidContext),
    }
    if entries.len() > limits::COMPLETION_KNOWN {
        return Err(Fault::InvalidContext);
    }
    let text = |raw: &RawValue| match serde_json::from_str::<String>(raw.get()) {
        Ok(text) if text.len() <= limits::COMPLETION_VALUE => Ok(Cow::Owned(text)),
        _ => Err(Fault::InvalidContext),
    };
    entries.into_iter().map(|(name, value)| Ok((name, text(value)?))).collect()
}
