//! Messages as cases: headers and body in, call or refusal out. Every refusal asserts id, variant, code and status.

use serde_json::{Value, json};

use super::*;
use crate::fault::HeaderProblem;
use crate::log::LogLevel;
use crate::message::{Abilities, Call, Input, Request};

const MODERN: &str = "2026-07-28";

/// A modern request with the headers that go with it.
fn modern(method: &str, params: Value) -> (Vec<(&'static str, String)>, Value) {
    let mut params = params;
    params["_meta"] = json!({ VERSION: MODERN, CAPABILITIES: {} });
    let mut headers = vec![("mcp-protocol-version", MODERN.to_owned()), ("mcp-method", method.to_owned())];
    if let Some(name) = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str) {
        headers.push(("mcp-name", name.to_owned()));
    }
    (headers, json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }))
}

fn legacy(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": "x", "method": method, "params": params })
}

/// What a request brings for a call of several rounds.
fn input(input: &Input<'_>) -> String {
    let Abilities { elicitation_form, elicitation_url, sampling, roots } = input.abilities;
    let mut text = String::new();
    for (has, name) in
        [(elicitation_form, "form"), (elicitation_url, "url"), (sampling, "sampling"), (roots, "roots")]
    {
        if has {
            text.push_str(&format!(" +{name}"));
        }
    }
    for (key, answer) in input.responses.iter().flatten() {
        text.push_str(&format!(" {key}={}", answer.get()));
    }
    if let Some(state) = &input.state {
        text.push_str(&format!(" state {state}"));
    }
    text
}

/// What came out, as one line.
fn describe(result: &Result<Message<'_>, RpcError<'_>>) -> String {
    match result {
        Ok(Message::Request(Request { context, call })) => {
            let detail = match call {
                Call::Initialize(it) => format!(" {} -> {}", it.requested, it.negotiated().as_str()),
                Call::CallTool(it) => {
                    let token =
                        it.progress_token.map(|it| format!(" progress {}", it.as_json())).unwrap_or_default();
                    let level = match it.log_level {
                        None => String::new(),
                        Some(LogLevel::LEGACY) if !context.revision.is_modern() => String::new(),
                        Some(level) => format!(" log {}", level.as_str()),
                    };
                    format!(" {} {}{token}{level}{}", it.name, it.arguments_json(), input(&it.input))
                }
                Call::List(_, cursor) => cursor.as_ref().map(|it| format!(" {it:?}")).unwrap_or_default(),
                Call::ReadResource(it) => format!(" {}{}", it.uri, input(&it.input)),
                Call::Subscribe(uri) | Call::Unsubscribe(uri) => format!(" {uri}"),
                Call::GetPrompt(it) => format!(" {} {}{}", it.name, it.arguments_json(), input(&it.input)),
                Call::Complete(it) => {
                    format!(" {:?} {}={} {:?}", it.reference, it.argument, it.value, it.known)
                }
                _ => String::new(),
            };
            format!("{} {} {}{detail}", context.id.as_json(), context.revision.as_str(), call.method())
        }
        Ok(Message::Notification(notification)) => format!("{notification:?}"),
        Ok(Message::Response) => "response".to_owned(),
        Err(error) => {
            let id = error.id.map_or("-", Id::as_json);
            format!("{id} {} {} {:?}", error.status(), error.fault.code(error.revision), error.fault)
        }
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[track_caller]
fn check(headers: &[(&str, &str)], body: &str, expected: &str) {
    let headers = owned(headers);
    assert_eq!(describe(&read(&headers, body.as_bytes())), expected, "{headers:?} {body}");
}

/// The modern request with header `name` replaced by `values`.
#[track_caller]
fn check_modern_headers(method: &str, params: Value, name: &str, values: &[&str], expected: &str) {
    let (headers, body) = modern(method, params);
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| (*name, value.as_str())).filter(|(it, _)| *it != name).collect();
    headers.extend(values.iter().map(|value| (name, *value)));
    check(&headers, &body.to_string(), expected);
}

#[track_caller]
fn check_modern(method: &str, params: Value, expected: &str) {
    check_modern_headers(method, params, "", &[], expected);
}

#[track_caller]
fn refused(fault: &Fault, id: &str, status: u16) -> String {
    format!("{id} {status} {} {fault:?}", fault.code(None))
}

fn mismatch(header: &'static str, problem: HeaderProblem) -> String {
    refused(&Fault::HeaderMismatch { header: header.into(), problem }, "7", 400)
}

fn differs(header: &'static str, value: &str, body: &str) -> String {
    mismatch(header, HeaderProblem::Differs { header: value.to_owned(), body: body.to_owned() })
}

#[test]
fn a_modern_client_needs_no_handshake() {
    check_modern("server/discover", json!({}), "7 2026-07-28 server/discover");
    check_modern("tools/list", json!({}), "7 2026-07-28 tools/list");
    check_modern("tools/list", json!({ "cursor": null }), "7 2026-07-28 tools/list");
    check_modern("tools/call", json!({ "name": "get_me" }), "7 2026-07-28 tools/call get_me {}");
    let params = json!({ "name": "get_me", "arguments": { "a": [1.5, { "b": "c" }] } });
    check_modern("tools/call", params, r#"7 2026-07-28 tools/call get_me {"a":[1.5,{"b":"c"}]}"#);
}

#[test]
fn arguments_keep_the_text_of_the_client() {
    let body = concat!(
        r#"{"id":-12345678901234567890123,"params":{"arguments": { "n": 1.10, "s":"\u0061" } ,"name":"t","#,
        r#""_meta":{"progressToken":"p\"1"}},"method":"tools/call","jsonrpc":"2.0"}"#
    );
    let call = r#"tools/call t { "n": 1.10, "s":"\u0061" } progress "p\"1""#;
    check(&[], body, &format!("-12345678901234567890123 2025-03-26 {call}"));
}

#[test]
fn a_legacy_client_says_its_version_in_the_header_or_not_at_all() {
    for (header, revision) in [
        (None, "2025-03-26"),
        (Some("2025-03-26"), "2025-03-26"),
        (Some("2025-06-18"), "2025-06-18"),
        (Some(" 2025-11-25 "), "2025-11-25"),
    ] {
        let headers: Vec<_> = header.into_iter().map(|value| ("mcp-protocol-version", value)).collect();
        let session = [&headers[..], &[("mcp-session-id", "made-up"), ("last-event-id", "1")]].concat();
        check(&session, &legacy("ping", json!({})).to_string(), &format!("\"x\" {revision} ping"));
        check(
            &headers,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
            &format!("1 {revision} tools/list"),
        );
    }
}

#[test]
fn initialize_opens_a_legacy_conversation_whatever_it_asks_for() {
    for (requested, answered) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("", "2025-11-25"),
    ] {
        let body =
            legacy("initialize", json!({ "protocolVersion": requested, "capabilities": {} })).to_string();
        let expected = format!("\"x\" 2025-11-25 initialize {requested} -> {answered}");
        check(&[], &body, &expected);
        check(&[("mcp-protocol-version", "2025-11-25")], &body, &expected);
        check(&[("mcp-protocol-version", MODERN)], &body, &expected);
    }
    for params in [json!({}), json!({ "protocolVersion": 1 }), json!({ "protocolVersion": "x".repeat(65) })] {
        let expected = refused(&Fault::NoProtocolVersion, "\"x\"", 200);
        check(&[], &legacy("initialize", params).to_string(), &expected);
    }
}

#[test]
fn methods_that_a_revision_lacks_are_not_found() {
    let not_found = |method: &str| Fault::MethodNotFound { method: method.to_owned() };
    for method in
        ["initialize", "ping", "logging/setLevel", "resources/subscribe", "unknown/method", "METHOD", ""]
    {
        check_modern(method, json!({}), &refused(&not_found(method), "7", 404));
    }
    check_modern("subscriptions/listen", json!({}), &refused(&not_found("subscriptions/listen"), "7", 404));
    for method in ["server/discovery", "tasks/get", "subscriptions/listen", "Tools/List", "tools/list "] {
        check(&[], &legacy(method, json!({})).to_string(), &refused(&not_found(method), "\"x\"", 200));
    }
    let long = "m".repeat(1000);
    check_modern(&long, json!({}), &refused(&not_found(&"m".repeat(limits::ECHO)), "7", 404));
}

#[test]
fn a_modern_request_without_its_meta_is_refused() {
    let headers = [("mcp-protocol-version", MODERN), ("mcp-method", "tools/list")];
    let check = |params: Value, keys: &[&'static str]| {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params });
        check(&headers, &body.to_string(), &refused(&Fault::InvalidMeta { keys: keys.to_vec() }, "7", 400));
    };
    check(json!({}), &[VERSION, CAPABILITIES]);
    check(json!({ "_meta": null }), &[VERSION, CAPABILITIES]);
    check(json!({ "_meta": { CAPABILITIES: {} } }), &[VERSION]);
    check(json!({ "_meta": { VERSION: MODERN } }), &[CAPABILITIES]);
    check(json!({ "_meta": { VERSION: MODERN, CAPABILITIES: [] } }), &[CAPABILITIES]);
    check(json!({ "_meta": { VERSION: 20260728, CAPABILITIES: {} } }), &[VERSION]);
    check(json!({ "_meta": { VERSION: "x".repeat(65), CAPABILITIES: {} } }), &[VERSION]);
    // Only a modern client asks this, so that it is told what is missing even without a header.
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"server/discover"}"#;
    let fault = Fault::InvalidMeta { keys: vec![VERSION, CAPABILITIES] };
    super::tests::check(&[], body, &refused(&fault, "7", 400));
}

#[test]
fn version_header_and_body_agree() {
    let check = |values: &[&str], expected: &str| {
        check_modern_headers("tools/list", json!({}), "mcp-protocol-version", values, expected);
    };
    let header = "MCP-Protocol-Version";
    check(&["\t2026-07-28 "], "7 2026-07-28 tools/list");
    check(&[], &mismatch(header, HeaderProblem::Missing));
    check(&[MODERN, MODERN], &mismatch(header, HeaderProblem::Repeated));
    check(&["é"], &mismatch(header, HeaderProblem::Malformed));
    check(&[&"x".repeat(limits::VERSION + 1)], &mismatch(header, HeaderProblem::Malformed));
    check(&["2025-11-25"], &differs(header, "2025-11-25", MODERN));
    check(&[""], &differs(header, "", MODERN));
}

#[test]
fn versions_that_we_lack_are_refused_with_what_was_asked() {
    for version in ["v999.0.0", "2024-11-05", "2099-01-01", "invalid-protocol-version", ""] {
        let fault = Fault::UnsupportedVersion { requested: version.to_owned() };
        let headers = [("mcp-protocol-version", version)];
        check(&headers, &legacy("tools/list", json!({})).to_string(), &refused(&fault, "\"x\"", 400));
        let meta = json!({ "_meta": { VERSION: version, CAPABILITIES: {} } });
        check(&headers, &legacy("server/discover", meta).to_string(), &refused(&fault, "\"x\"", 400));
        let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        check(&headers, note, &refused(&fault, "-", 400));
    }
}

#[test]
fn a_legacy_version_in_meta_is_served_as_legacy() {
    let body = legacy("ping", json!({ "_meta": { VERSION: "2025-11-25" } })).to_string();
    check(&[("mcp-protocol-version", "2025-11-25")], &body, "\"x\" 2025-11-25 ping");
}

#[test]
fn method_header_and_body_agree() {
    let check = |values: &[&str], expected: &str| {
        check_modern_headers("tools/list", json!({}), "mcp-method", values, expected);
    };
    check(&["  tools/list "], "7 2026-07-28 tools/list");
    check(&[], &mismatch("Mcp-Method", HeaderProblem::Missing));
    check(&["tools/list", "tools/call"], &mismatch("Mcp-Method", HeaderProblem::Repeated));
    check(&["prompts/list"], &differs("Mcp-Method", "prompts/list", "tools/list"));
    check(&["TOOLS/LIST"], &differs("Mcp-Method", "TOOLS/LIST", "tools/list"));
}

#[test]
fn name_header_and_body_agree() {
    let check = |values: &[&str], expected: &str| {
        check_modern_headers("tools/call", json!({ "name": "get_me" }), "mcp-name", values, expected);
    };
    check(&["  get_me  "], "7 2026-07-28 tools/call get_me {}");
    check(&["=?base64?Z2V0X21l?="], "7 2026-07-28 tools/call get_me {}");
    check(&[], &mismatch("Mcp-Name", HeaderProblem::Missing));
    check(&["wrong_tool_name"], &differs("Mcp-Name", "wrong_tool_name", "get_me"));
    check(&["=?base64?Z2V0X21?="], &mismatch("Mcp-Name", HeaderProblem::Malformed));
    let name = json!({ "name": "p" });
    check_modern_headers("prompts/get", name, "mcp-name", &["q"], &differs("Mcp-Name", "q", "p"));
    let uri = json!({ "uri": "a://b" });
    check_modern_headers(
        "resources/read",
        uri,
        "mcp-name",
        &[],
        &mismatch("Mcp-Name", HeaderProblem::Missing),
    );
}

#[test]
fn what_is_no_json_rpc_message_is_refused() {
    let check = |body: &str, id: &str, fault: Fault| check(&[], body, &refused(&fault, id, 400));
    check("", "-", Fault::NotJson { line: 1, column: 0 });
    check("{\n\"a\":", "-", Fault::NotJson { line: 2, column: 4 });
    check(r#"{"jsonrpc":"2.0"} {"#, "-", Fault::NotJson { line: 1, column: 19 });
    check("\u{feff}{}", "-", Fault::NotJson { line: 1, column: 1 });
    check(r#"{"id":1,"method":"\ud800"}"#, "-", Fault::NotJson { line: 1, column: 25 });
    check("[]", "-", Fault::Batch);
    check(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "-", Fault::Batch);
    check(r#""ping""#, "-", Fault::NotAnObject);
    check("null", "-", Fault::NotAnObject);
    check("{}", "-", Fault::WrongJsonRpc);
    check(r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "1", Fault::WrongJsonRpc);
    check(r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, "1", Fault::WrongJsonRpc);
    check(r#"{"jsonrpc":"2.0","id":1}"#, "1", Fault::NoMethod);
    check(r#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#, "1", Fault::NoMethod);
    check(r#"{"jsonrpc":"2.0","id":1,"method":null,"result":{}}"#, "1", Fault::NoMethod);
    check(r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, "1", Fault::Ambiguous);
    for params in ["[]", "1", "null", "\"x\""] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{params}}}"#);
        check(&body, "1", Fault::ParamsNotAnObject);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let body = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}";
    let fault = Fault::NotUtf8 { valid_up_to: 34 };
    assert_eq!(describe(&read(&[], body)), refused(&fault, "-", 400));
}

#[test]
fn an_id_is_a_string_or_an_integer() {
    for id in ["0", "-1", "9007199254740993", "\"\"", "\"a\\u0062\"", "\"世界\"", &"1".repeat(limits::ID)] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        check(&[], &body, &format!("{id} 2025-03-26 ping"));
    }
    for id in ["null", "true", "1.0", "1.5", "1e3", "{}", "[1]", &"1".repeat(limits::ID + 1)] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        check(&[], &body, &refused(&Fault::InvalidId, "-", 400));
    }
}

#[test]
fn a_doubled_member_is_refused_wherever_it_is() {
    for (body, name) in [
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, "id"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/list"}"#, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#, "name"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"x":1,"x":1}}}"#, "x"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"b":{"c":1,"c":2}}}}"#,
            "c",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","other":{"y":1,"y":2}}"#, "y"),
    ] {
        check(&[], body, &refused(&Fault::DuplicateMember { name: name.to_owned() }, "-", 400));
    }
}

#[test]
fn nesting_is_bounded_everywhere() {
    let deep = |levels: usize| format!("{}0{}", "[".repeat(levels), "]".repeat(levels));
    let call = |levels| {
        let arguments = deep(levels);
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{{"a":{arguments}}}}}}}"#
        )
    };
    // Message, params and arguments are three levels.
    let most = limits::DEPTH - 3;
    check(&[], &call(most), &format!("1 2025-03-26 tools/call t {{\"a\":{}}}", deep(most)));
    for body in [call(most + 1), call(50_000), deep(100_000), format!(r#"{{"id":{}}}"#, deep(1000))] {
        check(&[], &body, &refused(&Fault::TooDeep, "-", 400));
    }
}

#[test]
fn those_who_carry_messages_see_which_request_it_is() {
    let check =
        |message: &str, expected: Kind| assert_eq!(inspect(message.as_bytes()), expected, "{message}");
    let request = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    let cancelled = |id: &str| {
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#)
    };
    for (sent, canonical) in [
        ("1", "1"),
        ("-0", "0"),
        ("-7", "-7"),
        ("12345678901234567890123", "12345678901234567890123"),
        (r#""1""#, r#""1""#),
        (r#""\u0061/\/""#, r#""a//""#),
        (r#""\u00e9\n""#, r#""é\n""#),
    ] {
        check(&request(sent), Kind::Request(canonical.to_owned()));
        check(&cancelled(sent), Kind::Cancellation(canonical.to_owned()));
    }
    let opening = |capabilities: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":"o","method":"initialize","params":{{{capabilities}}}}}"#)
    };
    for (sent, has_pages) in [
        (r#""capabilities":{"elicitation":{"url":{}}}"#, true),
        (r#""capabilities":{"elicitation":{}}"#, false),
        (r#""capabilities":7"#, false),
        ("", false),
    ] {
        let Kind::Opening(id, declared) = inspect(opening(sent).as_bytes()) else { panic!("{sent}") };
        assert_eq!((id.as_str(), declared.elicitation_url), (r#""o""#, has_pages), "{sent}");
    }
    for id in ["null", "1.0", "1e3", "{}", "[1]", "true"] {
        check(&request(id), Kind::Other);
        check(&cancelled(id), Kind::Other);
    }
    for message in [
        "",
        "{",
        "[]",
        r#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{"requestId":1}}"#,
    ] {
        check(message, Kind::Other);
    }
    // With an id it is a request, whatever it is called, and will be answered as one.
    let named = r#"{"jsonrpc":"2.0","id":2,"method":"notifications/cancelled","params":{"requestId":1}}"#;
    check(named, Kind::Request("2".to_owned()));
}

#[test]
fn those_who_carry_messages_see_that_a_user_declines_our_page() {
    let call = |version: &str, rest: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"_meta":{{{version}}},"name":"t"{rest}}}}}"#
        )
    };
    let modern = format!(r#""io.modelcontextprotocol/protocolVersion":"{MODERN}""#);
    let answers = |answers: &str| format!(r#","inputResponses":{{{answers}}}"#);
    for action in ["decline", "cancel"] {
        let sent = call(&modern, &answers(&format!(r#""sign-in":{{"action":"{action}"}}"#)));
        assert_eq!(inspect(sent.as_bytes()), Kind::Declining("7".to_owned()), "{sent}");
    }
    let declined = answers(r#""sign-in":{"action":"decline"}"#);
    for sent in [
        call(&modern, ""),
        call(&modern, &answers("")),
        call(&modern, &answers(r#""sign-in":{"action":"accept"}"#)),
        call(&modern, &answers(r#""sign-in":"decline""#)),
        // A pack's own question, and one beside others: those are for the pack.
        call(&modern, &answers(r#""other":{"action":"decline"}"#)),
        call(&modern, &answers(r#""sign-in":{"action":"decline"},"other":{"action":"decline"}"#)),
        call(&modern, &format!(r#"{declined},"requestState":"s""#)),
        // Before rounds the member means nothing.
        call("", &declined),
    ] {
        assert_eq!(inspect(sent.as_bytes()), Kind::Request("7".to_owned()), "{sent}");
    }
}

#[test]
fn notifications_are_taken_and_nothing_else_about_them_matters() {
    let note = |method: &str| format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#);
    let modern = ("mcp-protocol-version", MODERN);
    for headers in [&[][..], &[modern], &[("mcp-protocol-version", "2025-06-18")]] {
        check(headers, &note("notifications/initialized"), "Initialized");
        check(headers, &note("notifications/cancelled"), "Cancelled");
        check(headers, &note("tools/call"), "Other");
    }
    let problem = HeaderProblem::Differs { header: "a".into(), body: "b".into() };
    let fault = Fault::HeaderMismatch { header: "Mcp-Method".into(), problem };
    check(&[modern, ("mcp-method", "a")], &note("b"), &refused(&fault, "-", 400));
}

#[test]
fn responses_are_ignored_in_legacy_and_refused_in_modern() {
    for body in [r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#]
    {
        check(&[], body, "response");
        check(&[("mcp-protocol-version", "2025-11-25")], body, "response");
        check(&[("mcp-protocol-version", MODERN)], body, &refused(&Fault::UnexpectedResponse, "1", 400));
    }
}

#[test]
fn without_headers_the_body_speaks_for_itself() {
    let check = |body: Value, expected: &str| {
        assert_eq!(describe(&read_message(body.to_string().as_bytes())), expected, "{body}");
    };
    check(modern("tools/call", json!({ "name": "t" })).1, "7 2026-07-28 tools/call t {}");
    check(modern("server/discover", json!({})).1, "7 2026-07-28 server/discover");
    check(legacy("tools/list", json!({})), "\"x\" 2025-11-25 tools/list");
    check(legacy("ping", json!({})), "\"x\" 2025-11-25 ping");
    let fault = Fault::UnsupportedVersion { requested: "2099-01-01".to_owned() };
    check(legacy("ping", json!({ "_meta": { VERSION: "2099-01-01" } })), &refused(&fault, "\"x\"", 400));
    let fault = Fault::InvalidMeta { keys: vec![CAPABILITIES] };
    check(legacy("tools/list", json!({ "_meta": { VERSION: MODERN } })), &refused(&fault, "\"x\"", 400));
}

#[test]
fn no_bytes_make_it_panic() {
    let (headers, body) =
        modern("tools/call", json!({ "name": "t", "arguments": { "a": [1, "\u{e9}\\n", null] } }));
    let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let body = body.to_string().into_bytes();
    assert!(read(&headers, &body).is_ok());
    let server =
        crate::Server { name: "n", title: None, version: "1", instructions: None, icons: None, ttl_ms: 0 };
    let feed = |bytes: &[u8]| {
        for result in [read(&headers, bytes), read_message(bytes)] {
            let reply = match &result {
                Ok(Message::Request(request)) => server.empty(request.context),
                Ok(_) => continue,
                Err(error) => crate::Reply::error(error),
            };
            assert!(
                serde_json::from_slice::<Value>(&reply.body).is_ok(),
                "an answer is JSON, whatever came in"
            );
        }
    };
    // A small linear congruential generator: the same inputs in each run.
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 33).unwrap_or_default()
    };
    for end in 0..body.len() {
        feed(&body[..end]);
        feed(&body[end..]);
        for byte in [0, b'"', b'{', b'}', b'[', b',', b'\\', b'9', b'-', 0x80, 0xff] {
            let mut mutated = body.clone();
            mutated[end] = byte;
            feed(&mutated);
            mutated.insert(end, byte);
            feed(&mutated);
        }
    }
    for _ in 0..20_000 {
        let mut mutated = body.clone();
        for _ in 0..=next() % 6 {
            let (from, to) = (next() % body.len(), next() % body.len());
            match next() % 3 {
                0 => mutated[from] = u8::try_from(next() % 256).unwrap_or_default(),
                1 => mutated.swap(from, to),
                _ => mutated.extend_from_slice(&body[from.min(to)..from.max(to)]),
            }
        }
        feed(&mutated);
    }
}

#[path = "calls_tests.rs"]
mod calls;
