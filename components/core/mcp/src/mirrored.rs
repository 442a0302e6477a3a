//! Parameters of a tool that clients repeat in `Mcp-Param-*` headers, because the tool's input schema says so
//! (`x-mcp-header`, MCP `basic/transports/streamable-http#custom-headers-from-tool-parameters`).
//!
//! Whether the arguments fit the schema otherwise is not judged here: a value of another type than the schema's is left to
//! that check.

use core::fmt;
use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::agreement::{self, Header};
use crate::fault::{Fault, HeaderProblem};
use crate::http::clip;

/// The keyword.
const KEYWORD: &str = "x-mcp-header";

/// Keywords that hold values and not schemas, so that the word has no meaning in them.
const VALUES: [&str; 4] = ["const", "default", "enum", "examples"];

/// The largest integer up to which `f64` has them all, and to which such parameters are restricted.
const SAFE: f64 = 9_007_199_254_740_991.0;

/// One parameter with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    /// The members that lead to the value.
    path: Vec<String>,
    /// What stands behind `Mcp-Param-`.
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Boolean,
}

/// Why a schema's annotations cannot be used: clients are told to hide such a tool. A fault of the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorFault {
    /// The schema is not JSON.
    NotJson,
    /// Not one or more `tchar` of RFC 9110 section 5.6.2.
    InvalidName {
        /// What it is, as JSON.
        name: String,
    },
    /// Two parameters have one header, case aside.
    Repeated {
        /// The name.
        name: String,
    },
    /// On a parameter that is no string, integer or boolean.
    NotPrimitive {
        /// The name.
        name: String,
    },
    /// Where not all clients would find it: not reached by `properties` alone.
    Unreachable,
}

impl fmt::Display for MirrorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the schema is not JSON"),
            Self::InvalidName { name } => write!(f, "`{KEYWORD}` {name} is no header name"),
            Self::Repeated { name } => write!(f, "`{KEYWORD}` \"{name}\" stands on two parameters"),
            Self::NotPrimitive { name } => {
                write!(
                    f,
                    "`{KEYWORD}` \"{name}\" stands on a parameter that is no string, integer or boolean"
                )
            }
            Self::Unreachable => write!(f, "`{KEYWORD}` stands where `properties` alone do not lead"),
        }
    }
}

impl core::error::Error for MirrorFault {}

/// Whether the annotations of `schema` are what the specification allows.
///
/// # Errors
///
/// [`MirrorFault`], the first that is found.
pub fn check(schema: &str) -> Result<(), MirrorFault> {
    parameters(schema).map(drop)
}

/// Whether the `Mcp-Param-*` headers of a `tools/call` agree with its arguments, a JSON object.
///
/// # Errors
///
/// [`Fault::HeaderMismatch`]; [`Fault::Internal`] where the schema's annotations do not pass [`check`].
pub fn agree(schema: &str, headers: &[(String, String)], arguments: &str) -> Result<(), Fault> {
    let parameters = parameters(schema).map_err(|_| Fault::Internal)?;
    if parameters.is_empty() {
        return Ok(());
    }
    let arguments: Value = serde_json::from_str(arguments).map_err(|_| Fault::ArgumentsNotAnObject)?;
    for Parameter { path, name, kind } in &parameters {
        let body = path.iter().try_fold(&arguments, |value, member| value.get(member));
        let header: Header = Cow::Owned(format!("Mcp-Param-{name}"));
        let value = agreement::decoded(headers, &header.to_ascii_lowercase(), &header)?;
        match (body, kind) {
            (None | Some(Value::Null), _) => {
                // The header says something that the body does not.
                if let Some(value) = value {
                    let problem = HeaderProblem::Differs { header: clip(&value), body: String::new() };
                    return Err(Fault::HeaderMismatch { header, problem });
                }
            }
            (Some(Value::String(body)), Kind::Text) => agreement::compare(&header, value, body)?,
            (Some(Value::Bool(body)), Kind::Boolean) => {
                agreement::compare(&header, value, if *body { "true" } else { "false" })?;
            }
            // Compared as numbers: `42.0` and `42` are one integer.
            (Some(Value::Number(body)), Kind::Integer) => match value.as_deref().map(str::parse::<f64>) {
                Some(Ok(number)) if number.abs() <= SAFE && Some(number) == body.as_f64() => {}
                _ => agreement::compare(&header, value, &body.to_string())?,
            },
            (Some(_), _) => {}
        }
    }
    Ok(())
}

/// The parameters with a header. Most schemas have none, which is seen without reading them.
fn parameters(schema: &str) -> Result<Vec<Parameter>, MirrorFault> {
    // Where the word is written with escapes, there is a `\u` instead.
    if !schema.contains(KEYWORD) && !schema.contains("\\u") {
        return Ok(Vec::new());
    }
    let schema: Value = serde_json::from_str(schema).map_err(|_| MirrorFault::NotJson)?;
    let mut found = Vec::new();
    collect(&schema, &mut Vec::new(), true, &mut found)?;
    Ok(found)
}

/// Walks one schema. `reachable`: `properties` alone lead here.
fn collect(
    schema: &Value,
    path: &mut Vec<String>,
    reachable: bool,
    found: &mut Vec<Parameter>,
) -> Result<(), MirrorFault> {
    let members = match schema {
        Value::Object(members) => members,
        // A list of schemas, as under `oneOf`.
        Value::Array(items) => {
            return items.iter().try_for_each(|item| collect(item, path, false, found));
        }
        _ => return Ok(()),
    };
    if let Some(name) = members.get(KEYWORD) {
        // The root is no parameter.
        if !reachable || path.is_empty() {
            return Err(MirrorFault::Unreachable);
        }
        found.push(parameter(name, members, path, found)?);
    }
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            (KEYWORD, _) => {}
            (keyword, _) if VALUES.contains(&keyword) => {}
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    path.push(name.clone());
                    collect(property, path, reachable, found)?;
                    path.pop();
                }
            }
            // Maps of schemas by name, in which the word would be a name.
            ("patternProperties" | "$defs" | "definitions" | "dependentSchemas", Value::Object(schemas)) => {
                for schema in schemas.values() {
                    collect(schema, path, false, found)?;
                }
            }
            (_, value) => collect(value, path, false, found)?,
        }
    }
    Ok(())
}

fn parameter(
    name: &Value,
    members: &Map<String, Value>,
    path: &[String],
    found: &[Parameter],
) -> Result<Parameter, MirrorFault> {
    let name = match name {
        Value::String(text) if !text.is_empty() && text.bytes().all(is_tchar) => text.clone(),
        other => return Err(MirrorFault::InvalidName { name: clip(&other.to_string()) }),
    };
    if found.iter().any(|other| other.name.eq_ignore_ascii_case(&name)) {
        return Err(MirrorFault::Repeated { name });
    }
    let kind = match members.get("type").and_then(Value::as_str) {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("boolean") => Kind::Boolean,
        _ => return Err(MirrorFault::NotPrimitive { name }),
    };
    Ok(Parameter { path: path.to_vec(), name, kind })
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
#[path = "mirrored_tests.rs"]
mod tests;
