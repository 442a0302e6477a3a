//! Errors and refusals, byte for byte where the form matters.

use super::*;
use crate::challenge::Challenge;
use crate::message::{Abilities, Message, Request};
use crate::reader::read_message;

use Revision::{V2025_11_25 as LEGACY, V2026_07_28 as MODERN};

#[track_caller]
fn check_error(body: &str, status: u16, expected: &str) {
    let reply = Reply::error(&read_message(body.as_bytes()).unwrap_err());
    assert_eq!((reply.status, String::from_utf8(reply.body).unwrap().as_str()), (status, expected));
}

#[test]
fn errors_echo_the_id_and_never_make_one_up() {
    check_error(
        "[]",
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid request: batches are not supported"}}"#,
    );
    check_error(
        r#"{"jsonrpc":"2.0","id":1e5,"method":"ping"}"#,
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid request: `id` must be a string or an integer of at most 256 bytes"}}"#,
    );
    check_error(
        r#"{"jsonrpc":"2.0","id":"\u0022","method":"a\"b"}"#,
        200,
        r#"{"jsonrpc":"2.0","id":"\u0022","error":{"code":-32601,"message":"Method not found: a\"b"}}"#,
    );
}

#[test]
fn errors_about_versions_name_ours() {
    let supported = r#""supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"]"#;
    let body = |version: &str, method: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
        )
    };
    check_error(
        &body("v9", "tools/list"),
        400,
        &format!(
            r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32022,"message":"Unsupported protocol version","data":{{{supported},"requested":"v9"}}}}}}"#
        ),
    );
    check_error(
        &body("2026-07-28", "initialize"),
        404,
        &format!(
            r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32601,"message":"Method not found: initialize","data":{{{supported}}}}}}}"#
        ),
    );
}

#[test]
fn failures_after_reading_have_their_code_and_status() {
    let check = |revision, fault: Fault, status: u16, code: i32, headers: usize| {
        let message = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        let Ok(Message::Request(Request { context, .. })) = read_message(message) else { unreachable!() };
        let reply = Reply::failure(Context { revision, ..context }, &fault);
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status, reply.headers.len()), (status, headers), "{fault:?}");
        assert_eq!((&body["error"]["code"], &body["id"]), (&code.into(), &1.into()), "{fault:?}");
        assert_eq!(body["error"]["message"], fault.to_string());
    };
    for revision in [MODERN, LEGACY] {
        check(revision, Fault::UnknownTool { name: "x".into() }, 200, -32602, 1);
        check(revision, Fault::UnknownPrompt { name: "x".into() }, 200, -32602, 1);
        check(revision, Fault::InvalidRequestState, 200, -32602, 1);
        check(revision, Fault::InvalidArguments { reason: "no".into() }, 200, -32602, 1);
        check(revision, Fault::MissingCapabilities { missing: Abilities::default() }, 400, -32021, 1);
        check(revision, Fault::Unavailable { reason: "later".into() }, 200, -32603, 1);
        check(revision, Fault::Internal, 200, -32603, 1);
        check(revision, Fault::Unauthenticated, 401, 401, 1);
        check(revision, Fault::Forbidden, 403, 403, 1);
        check(revision, Fault::RateLimited { retry_after: 3 }, 429, 429, 2);
    }
    check(MODERN, Fault::UnknownResource { uri: "x".into() }, 200, -32602, 1);
    check(LEGACY, Fault::UnknownResource { uri: "x".into() }, 200, -32002, 1);
    check(LEGACY, Fault::UrlElicitationRequired { elicitations: vec![] }, 200, -32042, 1);
    check(MODERN, Fault::MethodNotFound { method: "x".into() }, 404, -32601, 1);
    check(LEGACY, Fault::MethodNotFound { method: "x".into() }, 200, -32601, 1);
}

#[test]
fn errors_say_what_a_program_can_go_by() {
    let check = |fault: Fault, expected: &str| {
        let message = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        let Ok(Message::Request(Request { context, .. })) = read_message(message) else { unreachable!() };
        let body = String::from_utf8(Reply::failure(context, &fault).body).unwrap();
        assert_eq!(body, format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{{expected}}}}}"#));
    };
    check(
        Fault::UnknownResource { uri: "a://\"b\"".into() },
        r#""code":-32002,"message":"Resource not found","data":{"uri":"a://\"b\""}"#,
    );
    let elicitations = vec!["{\"mode\":\n\"url\"}".to_owned(), "{}".to_owned()];
    check(
        Fault::UrlElicitationRequired { elicitations },
        r#""code":-32042,"message":"The user has to finish something on a page first","data":{"elicitations":[{"mode": "url"},{}]}"#,
    );
    let all = Abilities { elicitation_form: true, elicitation_url: true, sampling: true, roots: true };
    let none = Abilities::default();
    for (missing, expected) in [
        (none, ""),
        (all, r#""elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}"#),
        (Abilities { elicitation_form: true, ..none }, r#""elicitation":{"form":{}}"#),
        (Abilities { elicitation_url: true, roots: true, ..none }, r#""elicitation":{"url":{}},"roots":{}"#),
        (Abilities { sampling: true, ..none }, r#""sampling":{}"#),
    ] {
        check(
            Fault::MissingCapabilities { missing },
            &format!(
                r#""code":-32021,"message":"Missing required client capability","data":{{"requiredCapabilities":{{{expected}}}}}"#
            ),
        );
    }
}

#[test]
fn the_head_of_an_event_stream_keeps_everyone_from_holding_it_back() {
    let reply = Reply::event_stream();
    let found: Vec<_> = reply.headers.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let expected =
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")];
    assert_eq!((reply.status, found, reply.body), (200, expected.to_vec(), vec![]));
}

#[test]
fn transport_refusals_have_no_id_and_405_names_post() {
    let reply = Reply::transport(&TransportFault::MethodNotAllowed { method: "GET".into() });
    assert_eq!((reply.status, &reply.headers[1]), (405, &("allow", "POST".into())));
    let expected = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Method not allowed: use POST"}}"#;
    assert_eq!(reply.body, expected.as_bytes());
    let reply = Reply::transport(&TransportFault::HostNotAllowed { host: "evil".into() });
    assert_eq!((reply.status, reply.headers.len()), (403, 1));
}

#[test]
fn a_challenge_is_header_and_body() {
    let reply = Reply::challenge(&Challenge::invalid_token("expired").resource_metadata("https://h/m"));
    let value =
        r#"Bearer error="invalid_token", error_description="expired", resource_metadata="https://h/m""#;
    assert_eq!((reply.status, &reply.headers[1]), (401, &("www-authenticate", value.into())));
    assert_eq!(reply.body, br#"{"error":"invalid_token","error_description":"expired"}"#);
    let reply = Reply::challenge(&Challenge::unauthenticated());
    assert_eq!((reply.status, &reply.body[..]), (401, &br#"{"error":"unauthorized"}"#[..]));
}

#[test]
fn an_accepted_notification_has_no_body() {
    assert_eq!(Reply::accepted(), Reply { status: 202, headers: vec![], body: vec![] });
}
