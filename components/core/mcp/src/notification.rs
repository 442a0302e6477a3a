//! Notifications about a request that is being worked on, and how messages become server-sent events.

use serde_json::value::RawValue;

use crate::json::{push_raw, push_string};
use crate::log::LogLevel;
use crate::pack::PackFault;

/// `notifications/progress` (MCP `basic/patterns/progress`), for the request whose token is `token`, as JSON text. None
/// where a number is not finite: JSON cannot say it.
#[must_use]
pub fn progress(token: &str, done: f64, total: Option<f64>, message: Option<&str>) -> Option<Vec<u8>> {
    if !done.is_finite() {
        return None;
    }
    let mut out = String::with_capacity(128);
    out.push_str(r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#);
    out.push_str(token);
    out.push_str(r#","progress":"#);
    out.push_str(&done.to_string());
    if let Some(total) = total.filter(|total| total.is_finite()) {
        out.push_str(r#","total":"#);
        out.push_str(&total.to_string());
    }
    if let Some(message) = message {
        out.push_str(r#","message":"#);
        push_string(&mut out, message);
    }
    out.push_str("}}");
    Some(out.into_bytes())
}

/// `notifications/message` (MCP `server/utilities/logging`) with `data`, any JSON value as text.
///
/// # Errors
///
/// [`PackFault::Unusable`] where `data` is not JSON.
pub fn log(level: LogLevel, logger: Option<&str>, data: &str) -> Result<Vec<u8>, PackFault> {
    let data = serde_json::from_str::<&RawValue>(data)
        .map_err(|_| PackFault::Unusable { reason: "a log message whose data is not JSON".to_owned() })?;
    let mut out = String::with_capacity(128 + data.get().len());
    out.push_str(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":""#);
    out.push_str(level.as_str());
    out.push('"');
    if let Some(logger) = logger {
        out.push_str(r#","logger":"#);
        push_string(&mut out, logger);
    }
    out.push_str(r#","data":"#);
    push_raw(&mut out, data.get());
    out.push_str("}}");
    Ok(out.into_bytes())
}

/// One message as one server-sent event (WHATWG HTML section 9.2.6). A message has no line breaks, so that one `data` field
/// holds it.
#[must_use]
pub fn event(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 8);
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(message);
    out.extend_from_slice(b"\n\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<Vec<u8>>, expected: &str) {
        assert_eq!(String::from_utf8(found.unwrap()).unwrap(), expected);
    }

    #[test]
    fn progress_says_what_is_known() {
        let head = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"#;
        check(progress("7", 50.0, None, None), &format!(r#"{head}7,"progress":50}}}}"#));
        let whole = format!(r#"{head}"a\"","progress":0.5,"total":100,"message":"half \"way\""}}}}"#);
        check(progress("\"a\\\"\"", 0.5, Some(100.0), Some("half \"way\"")), &whole);
        check(progress("7", 1.0, Some(f64::INFINITY), None), &format!(r#"{head}7,"progress":1}}}}"#));
        assert_eq!(progress("7", f64::NAN, None, None), None);
        assert_eq!(progress("7", f64::INFINITY, None, None), None);
    }

    #[test]
    fn a_log_message_is_on_one_line() {
        let head = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"#;
        check(log(LogLevel::Info, None, "\"a\"").ok(), &format!(r#"{head}"info","data":"a"}}}}"#));
        let expected = format!(r#"{head}"error","logger":"db","data":{{ "n":1 }}}}}}"#);
        check(log(LogLevel::Error, Some("db"), "{\n\"n\":1\n}").ok(), &expected);
        for data in ["", "{", "a", "1 2", "{}}"] {
            let expected = PackFault::Unusable { reason: "a log message whose data is not JSON".to_owned() };
            assert_eq!(log(LogLevel::Info, None, data), Err(expected), "{data}");
        }
    }

    #[test]
    fn an_event_is_one_field_and_a_blank_line() {
        assert_eq!(event(b"{}"), b"data: {}\n\n");
    }
}
