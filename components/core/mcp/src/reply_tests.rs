//! Answers, byte for byte where the form matters.

use super::*;
use crate::message::{Call, Message, Request};
use crate::reader::read_message;
use crate::revision::Revision;

const SERVER: Server<'_> = Server {
    name: "valet",
    title: Some("Valet"),
    version: "0.1.0",
    instructions: Some("Ask \"first\""),
    ttl_ms: 300_000,
};

const META: &str = r#""resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"valet","title":"Valet","version":"0.1.0"}}"#;

/// Answers a request with the id `"a"` in `revision`, and gives the body.
fn answer(revision: Revision, write: impl FnOnce(Context<'_>) -> Reply) -> String {
    let Ok(Message::Request(Request { context, .. })) =
        read_message(br#"{"jsonrpc":"2.0","id":"a","method":"tools/list"}"#)
    else {
        unreachable!("the message is a request")
    };
    let reply = write(Context { revision, ..context });
    let body = String::from_utf8(reply.body).unwrap();
    serde_json::from_str::<serde_json::Value>(&body).unwrap();
    assert!(!body.contains('\n'), "stdio ends a message at a line break");
    assert_eq!((reply.status, &reply.headers[0]), (200, &("content-type", "application/json".into())));
    body
}

#[track_caller]
fn check(revision: Revision, write: impl FnOnce(Context<'_>) -> Reply, result: &str) {
    assert_eq!(answer(revision, write), format!(r#"{{"jsonrpc":"2.0","id":"a","result":{{{result}}}}}"#));
}

use Revision::{V2025_11_25 as LEGACY, V2026_07_28 as MODERN};

#[test]
fn discover_lists_versions_newest_first() {
    let rest = concat!(
        r#","supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"],"capabilities":{"tools":{}},"#,
        r#""instructions":"Ask \"first\"","ttlMs":300000,"cacheScope":"private""#
    );
    check(MODERN, |context| SERVER.discover(context), &format!("{META}{rest}"));
}

#[test]
fn initialize_echoes_a_version_that_we_have() {
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
    let Ok(Message::Request(Request { context, call: Call::Initialize(initialize) })) = read_message(body)
    else {
        unreachable!("the message is an initialize request")
    };
    let expected = concat!(
        r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"#,
        r#""serverInfo":{"name":"valet","title":"Valet","version":"0.1.0"},"instructions":"Ask \"first\""}}"#
    );
    assert_eq!(SERVER.initialize(context, &initialize).body, expected.as_bytes());
}

#[test]
fn pong_is_empty() {
    check(LEGACY, |context| SERVER.pong(context), "");
    check(MODERN, |context| SERVER.pong(context), META);
}

#[test]
fn the_tool_list_is_the_text_of_the_pack_in_the_order_given() {
    let texts =
        [r#"{"name":"b","inputSchema":{"type":"object"}}"#, "{\n\"name\":\"a\",\n\"inputSchema\":{}}"];
    let tools = texts.map(|text| Definition::parse(text).unwrap());
    let list = r#""tools":[{"name":"b","inputSchema":{"type":"object"}},{ "name":"a", "inputSchema":{}}]"#;
    check(LEGACY, |context| SERVER.tools(context, &tools), list);
    let modern = format!(r#"{META},{list},"ttlMs":300000,"cacheScope":"private""#);
    check(MODERN, |context| SERVER.tools(context, &tools), &modern);
    check(LEGACY, |context| SERVER.tools(context, &[]), r#""tools":[]"#);
}

#[test]
fn a_tool_result_is_spliced_and_not_read_again() {
    let members = "{\"content\":[ ],\n\"structuredContent\":{\"n\":1.10}}";
    let spliced = r#""content":[ ], "structuredContent":{"n":1.10}"#;
    check(LEGACY, |context| SERVER.tool_result(context, members).unwrap(), spliced);
    check(MODERN, |context| SERVER.tool_result(context, members).unwrap(), &format!("{META},{spliced}"));
}

#[test]
fn a_tool_result_that_is_none_is_not_sent() {
    answer(MODERN, |context| {
        let found = SERVER.tool_result(context, r#"{"content":[],"resultType":"input_required"}"#);
        assert_eq!(found, Err(ToolFault::Reserved { member: "resultType" }));
        SERVER.pong(context)
    });
}

#[test]
fn a_tool_error_is_a_result() {
    let expected = r#""content":[{"type":"text","text":"no \"such\" user\n"}],"isError":true"#;
    check(LEGACY, |context| SERVER.tool_error(context, "no \"such\" user\n"), expected);
}

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
        check(revision, Fault::Internal, 200, -32603, 1);
        check(revision, Fault::Unauthenticated, 401, 401, 1);
        check(revision, Fault::Forbidden, 403, 403, 1);
        check(revision, Fault::RateLimited { retry_after: 3 }, 429, 429, 2);
    }
    check(MODERN, Fault::MethodNotFound { method: "x".into() }, 404, -32601, 1);
    check(LEGACY, Fault::MethodNotFound { method: "x".into() }, 200, -32601, 1);
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
