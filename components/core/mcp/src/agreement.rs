//! Do the headers say what the body says? (MCP `basic/transports/streamable-http#server-validation`.) A gateway in
//! front may have routed, limited or logged by the headers; executing something else would get around it.
//!
//! Only modern requests have these headers. Which parameters of a tool have one is in `mirrored`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fault::{Fault, HeaderProblem};
use crate::fields::{self, Field};
use crate::http::clip;
use crate::limits;

/// The header fields of a message, or none on a transport that has none.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Headers<'a> {
    /// Streamable HTTP.
    Http(&'a [(String, String)]),
    /// stdio and the like: the body speaks for itself.
    None,
}

/// A header that a fault is about, as the specification writes it.
pub(crate) type Header = Cow<'static, str>;

/// The value of a singleton header; `None` where it is absent.
fn single<'a>(
    headers: &'a [(String, String)],
    lower: &str,
    header: &Header,
) -> Result<Option<&'a str>, Fault> {
    let mismatch = |problem| Err(Fault::HeaderMismatch { header: header.clone(), problem });
    match fields::field(headers, lower) {
        Field::Absent => Ok(None),
        Field::Repeated => mismatch(HeaderProblem::Repeated),
        Field::Once(value) if value.len() > limits::HEADER_VALUE || !fields::is_plain(value) => {
            mismatch(HeaderProblem::Malformed)
        }
        Field::Once(value) => Ok(Some(value)),
    }
}

/// `MCP-Protocol-Version`.
pub(crate) fn version(headers: &[(String, String)]) -> Result<Option<&str>, Fault> {
    const HEADER: Header = Cow::Borrowed("MCP-Protocol-Version");
    match single(headers, "mcp-protocol-version", &HEADER)? {
        Some(value) if value.len() > limits::VERSION => {
            Err(Fault::HeaderMismatch { header: HEADER, problem: HeaderProblem::Malformed })
        }
        value => Ok(value),
    }
}

/// The version of the body against that of the header: both there, and equal.
pub(crate) fn same_version(header: Option<&str>, body: &str) -> Result<(), Fault> {
    compare(&Cow::Borrowed("MCP-Protocol-Version"), header.map(Cow::Borrowed), body)
}

/// `Mcp-Method`, required.
pub(crate) fn same_method(headers: &[(String, String)], body: &str) -> Result<(), Fault> {
    const HEADER: Header = Cow::Borrowed("Mcp-Method");
    compare(&HEADER, single(headers, "mcp-method", &HEADER)?.map(Cow::Borrowed), body)
}

/// `Mcp-Method` of a notification: the specification leaves open whether there is one, so only a wrong one counts.
pub(crate) fn same_method_if_any(headers: &[(String, String)], body: &str) -> Result<(), Fault> {
    match fields::field(headers, "mcp-method") {
        Field::Absent => Ok(()),
        _ => same_method(headers, body),
    }
}

/// `Mcp-Name`, required; in plain or in its Base64 form.
pub(crate) fn same_name(headers: &[(String, String)], body: &str) -> Result<(), Fault> {
    const HEADER: Header = Cow::Borrowed("Mcp-Name");
    compare(&HEADER, decoded(headers, "mcp-name", &HEADER)?, body)
}

/// The value of a singleton header in plain or in its Base64 form; `None` where it is absent.
pub(crate) fn decoded<'a>(
    headers: &'a [(String, String)],
    lower: &str,
    header: &Header,
) -> Result<Option<Cow<'a, str>>, Fault> {
    match single(headers, lower, header)? {
        None => Ok(None),
        Some(value) => match decode(value) {
            Some(value) => Ok(Some(value)),
            None => Err(Fault::HeaderMismatch { header: header.clone(), problem: HeaderProblem::Malformed }),
        },
    }
}

pub(crate) fn compare(header: &Header, value: Option<Cow<'_, str>>, body: &str) -> Result<(), Fault> {
    let problem = match value {
        Some(value) if value == body => return Ok(()),
        Some(value) => HeaderProblem::Differs { header: clip(&value), body: clip(body) },
        None => HeaderProblem::Missing,
    };
    Err(Fault::HeaderMismatch { header: header.clone(), problem })
}

/// A value as it was before encoding: `=?base64?…?=` holds UTF-8 in padded standard Base64, anything else is plain.
/// `None` if the markers are there and what is between them does not decode; no lenient alphabet, no missing padding.
fn decode(value: &str) -> Option<Cow<'_, str>> {
    // The markers share a `?`: `=?base64?=` is not encoded.
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        None => Some(Cow::Borrowed(value)),
        Some(encoded) => {
            STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Cow::Owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> Vec<(String, String)> {
        values.iter().map(|value| ("mcp-name".to_owned(), (*value).to_owned())).collect()
    }

    #[track_caller]
    fn check(values: &[&str], body: &str, expected: Result<(), HeaderProblem>) {
        let expected =
            expected.map_err(|problem| Fault::HeaderMismatch { header: "Mcp-Name".into(), problem });
        assert_eq!(same_name(&headers(values), body), expected, "{values:?} {body}");
    }

    #[test]
    fn a_name_agrees_in_plain_and_in_base64() {
        check(&["get_weather"], "get_weather", Ok(()));
        check(&["  get_weather\t"], "get_weather", Ok(()));
        check(&["=?base64?Z2V0X3dlYXRoZXI=?="], "get_weather", Ok(()));
        check(&["=?base64?SGVsbG8sIOS4lueVjA==?="], "Hello, 世界", Ok(()));
        check(&["=?base64?IHBhZGRlZCA=?="], " padded ", Ok(()));
        check(&["=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="], "=?base64?literal?=", Ok(()));
    }

    #[test]
    fn half_of_the_markers_is_plain_text() {
        for value in ["SGVsbG8=", "=?base64?SGVsbG8=", "SGVsbG8=?=", "=?BASE64?SGVsbG8=?=", "=?base64?="] {
            check(&[value], value, Ok(()));
        }
        check(&["=?base64??="], "", Ok(()));
    }

    #[test]
    fn a_name_that_does_not_decode_is_malformed() {
        for value in ["=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?_-==?=", "=?base64?/w==?="] {
            check(&[value], "Hello", Err(HeaderProblem::Malformed));
        }
        check(&["Hellö"], "Hellö", Err(HeaderProblem::Malformed));
        check(&["a\u{1}"], "a\u{1}", Err(HeaderProblem::Malformed));
        let long = "a".repeat(limits::HEADER_VALUE + 1);
        check(&[&long], &long, Err(HeaderProblem::Malformed));
    }

    #[test]
    fn a_name_that_is_missing_doubled_or_different_disagrees() {
        let differs = |header: &str, body: &str| {
            Err(HeaderProblem::Differs { header: header.to_owned(), body: body.to_owned() })
        };
        check(&[], "a", Err(HeaderProblem::Missing));
        check(&["a", "a"], "a", Err(HeaderProblem::Repeated));
        check(&["A"], "a", differs("A", "a"));
        check(&[""], "a", differs("", "a"));
        check(&["=?base64?Yg==?="], "a", differs("b", "a"));
    }
}
