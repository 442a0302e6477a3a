//! What each method needs, as cases: parameters in, call or refusal out.

use super::*;

#[test]
fn a_tool_call_needs_a_name_and_an_object() {
    for params in [json!({}), json!({ "name": 1 }), json!({ "name": null }), json!({ "name": { "a": 1 } })] {
        check_modern("tools/call", params, &refused(&Fault::InvalidToolName, "7", 200));
    }
    for name in ["", "../etc", "a b", &"x".repeat(limits::TOOL_NAME + 1)] {
        check_modern("tools/call", json!({ "name": name }), &refused(&Fault::InvalidToolName, "7", 200));
    }
    for arguments in [json!([]), json!(null), json!("{}"), json!(1)] {
        let params = json!({ "name": "t", "arguments": arguments });
        check_modern("tools/call", params, &refused(&Fault::ArgumentsNotAnObject, "7", 200));
    }
    let long = json!({ "a": "x".repeat(limits::ARGUMENTS) });
    let fault = Fault::ArgumentsTooLong { length: limits::ARGUMENTS + 8 };
    check_modern("tools/call", json!({ "name": "t", "arguments": long }), &refused(&fault, "7", 200));
}

#[test]
fn a_cursor_is_one_of_ours() {
    for (method, cursor) in [
        ("tools/list", "dGdldF9tZQ"),
        ("resources/list", "cmdldF9tZQ"),
        ("resources/templates/list", "dWdldF9tZQ"),
        ("prompts/list", "cGdldF9tZQ"),
    ] {
        let expected = format!("7 2026-07-28 {method} Cursor {{ after: \"get_me\" }}");
        check_modern(method, json!({ "cursor": cursor }), &expected);
        check_modern(method, json!({}), &format!("7 2026-07-28 {method}"));
        let known = "1 2025-11-25 ".to_owned() + method;
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
        check(&[("mcp-protocol-version", "2025-11-25")], &body, &known);
        for cursor in [json!("x"), json!(""), json!(1), json!({}), json!("YQ"), json!("x".repeat(1000))] {
            check_modern(method, json!({ "cursor": cursor }), &refused(&Fault::InvalidCursor, "7", 200));
        }
    }
    let other = json!({ "cursor": "dGdldF9tZQ" });
    check_modern("prompts/list", other, &refused(&Fault::InvalidCursor, "7", 200));
}

#[test]
fn a_resource_is_read_by_its_uri() {
    check_modern("resources/read", json!({ "uri": "a://b" }), "7 2026-07-28 resources/read a://b");
    check(
        &[],
        &legacy("resources/read", json!({ "uri": "a" })).to_string(),
        "\"x\" 2025-03-26 resources/read a",
    );
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        check(
            &[],
            &legacy(method, json!({ "uri": "a" })).to_string(),
            &format!("\"x\" 2025-03-26 {method} a"),
        );
        let fault = refused(&Fault::InvalidUri, "\"x\"", 200);
        check(&[], &legacy(method, json!({ "uri": 1 })).to_string(), &fault);
        let gone = Fault::MethodNotFound { method: method.to_owned() };
        check_modern(method, json!({ "uri": "a" }), &refused(&gone, "7", 404));
    }
    let longest = format!("a:{}", "x".repeat(limits::URI - 2));
    check_modern(
        "resources/read",
        json!({ "uri": longest }),
        &format!("7 2026-07-28 resources/read {longest}"),
    );
    for uri in [json!(null), json!(1), json!(""), json!(format!("{longest}x"))] {
        check_modern("resources/read", json!({ "uri": uri }), &refused(&Fault::InvalidUri, "7", 200));
    }
    check_modern("resources/read", json!({}), &refused(&Fault::InvalidUri, "7", 200));
}

#[test]
fn a_prompt_needs_a_name_and_an_object() {
    check_modern("prompts/get", json!({ "name": "p" }), "7 2026-07-28 prompts/get p {}");
    let params = json!({ "name": "p", "arguments": { "a": "b" } });
    check_modern("prompts/get", params, r#"7 2026-07-28 prompts/get p {"a":"b"}"#);
    for name in [json!(null), json!(1), json!(""), json!("a b")] {
        check_modern("prompts/get", json!({ "name": name }), &refused(&Fault::InvalidPromptName, "7", 200));
    }
    let params = json!({ "name": "p", "arguments": [] });
    check_modern("prompts/get", params, &refused(&Fault::ArgumentsNotAnObject, "7", 200));
}

#[test]
fn a_completion_says_what_of_and_how_far() {
    let params = |reference: Value, argument: Value, context: Value| json!({ "ref": reference, "argument": argument, "context": context });
    let prompt = json!({ "type": "ref/prompt", "name": "p" });
    let argument = json!({ "name": "a", "value": "v" });
    let known = json!({ "arguments": { "b": "w" } });
    let check = |params: Value, expected: &str| check_modern("completion/complete", params, expected);
    check(
        params(prompt.clone(), argument.clone(), known.clone()),
        r#"7 2026-07-28 completion/complete Prompt("p") a=v [("b", "w")]"#,
    );
    let template = json!({ "type": "ref/resource", "uri": "a://{x}" });
    check(
        json!({ "ref": template, "argument": { "name": "x", "value": "" } }),
        r#"7 2026-07-28 completion/complete Template("a://{x}") x= []"#,
    );
    for reference in [
        json!(null),
        json!("p"),
        json!({}),
        json!({ "type": "ref/tool", "name": "p" }),
        json!({ "type": "ref/prompt" }),
        json!({ "type": "ref/prompt", "name": "a b" }),
        json!({ "type": "ref/prompt", "uri": "a" }),
        json!({ "type": "ref/resource", "uri": "" }),
        json!({ "type": "ref/resource", "name": "p" }),
        json!({ "name": "p" }),
    ] {
        let expected = refused(&Fault::InvalidReference, "7", 200);
        check(params(reference, argument.clone(), known.clone()), &expected);
    }
    for argument in [
        json!(null),
        json!([]),
        json!({ "name": "a" }),
        json!({ "value": "v" }),
        json!({ "name": "", "value": "v" }),
        json!({ "name": "a", "value": 1 }),
        json!({ "name": "a", "value": "v".repeat(limits::COMPLETION_VALUE + 1) }),
    ] {
        let expected = refused(&Fault::InvalidArgument, "7", 200);
        check(params(prompt.clone(), argument, known.clone()), &expected);
    }
    let many: serde_json::Map<_, _> =
        (0..=limits::COMPLETION_KNOWN).map(|index| (index.to_string(), json!("v"))).collect();
    for context in [
        json!(null),
        json!([]),
        json!({ "arguments": null }),
        json!({ "arguments": [] }),
        json!({ "arguments": { "b": 1 } }),
        json!({ "arguments": { "b": "w".repeat(limits::COMPLETION_VALUE + 1) } }),
        json!({ "arguments": many }),
    ] {
        let expected = refused(&Fault::InvalidContext, "7", 200);
        check(params(prompt.clone(), argument.clone(), context), &expected);
    }
}

/// A modern request with these members added to `_meta`.
#[track_caller]
fn check_meta(method: &str, mut params: Value, meta: Value, expected: &str) {
    let (headers, mut body) = modern(method, params.take());
    body["params"]["_meta"].as_object_mut().unwrap().extend(meta.as_object().unwrap().clone());
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    check(&headers, &body.to_string(), expected);
}

#[test]
fn log_messages_are_asked_for_by_level() {
    const LEVEL: &str = "io.modelcontextprotocol/logLevel";
    let call = |level: Value, expected: &str| {
        check_meta("tools/call", json!({ "name": "t" }), json!({ LEVEL: level }), expected)
    };
    call(json!("debug"), "7 2026-07-28 tools/call t {} log debug");
    call(json!("emergency"), "7 2026-07-28 tools/call t {} log emergency");
    for level in [json!("verbose"), json!(""), json!(null), json!(3), json!({})] {
        call(level, &refused(&Fault::InvalidLogLevel, "7", 200));
    }
    let set =
        |params: Value, expected: &str| check(&[], &legacy("logging/setLevel", params).to_string(), expected);
    set(json!({ "level": "warning" }), "\"x\" 2025-03-26 logging/setLevel");
    for params in [json!({}), json!({ "level": "verbose" }), json!({ "level": 1 })] {
        set(params, &refused(&Fault::InvalidLogLevel, "\"x\"", 200));
    }
    let gone = Fault::MethodNotFound { method: "logging/setLevel".to_owned() };
    check_modern("logging/setLevel", json!({ "level": "info" }), &refused(&gone, "7", 404));
    // A legacy client gets what there is from a fixed level on.
    let Ok(Message::Request(Request { call: Call::CallTool(call), .. })) =
        read_message(br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#)
    else {
        unreachable!("the message is a tool call")
    };
    assert_eq!(call.log_level, Some(LogLevel::Info));
}

#[test]
fn a_client_can_be_asked_for_what_it_declares_as_an_object() {
    for (capabilities, expected) in [
        (json!({}), ""),
        (json!({ "elicitation": {} }), " +form"),
        (json!({ "elicitation": { "form": {} } }), " +form"),
        (json!({ "elicitation": { "url": {} } }), " +url"),
        (
            json!({ "elicitation": { "url": {}, "form": { "x": 1 } }, "sampling": { "tools": {} }, "roots": {} }),
            " +form +url +sampling +roots",
        ),
        (json!({ "sampling": {}, "other": {} }), " +sampling"),
        (json!({ "roots": { "listChanged": true } }), " +roots"),
        (json!({ "elicitation": true, "sampling": 1, "roots": [] }), ""),
        (json!({ "elicitation": { "form": true, "url": "x" } }), ""),
        (json!({ "elicitation": null, "sampling": null, "roots": "" }), ""),
    ] {
        for (method, params, text) in [
            ("tools/call", json!({ "name": "t" }), "t {}"),
            ("prompts/get", json!({ "name": "t" }), "t {}"),
            ("resources/read", json!({ "uri": "t" }), "t"),
        ] {
            let meta = json!({ CAPABILITIES: capabilities.clone() });
            check_meta(method, params, meta, &format!("7 2026-07-28 {method} {text}{expected}"));
        }
    }
    let meta = json!({ "_meta": { CAPABILITIES: { "sampling": {} } }, "name": "t" });
    check(&[], &legacy("tools/call", meta).to_string(), "\"x\" 2025-03-26 tools/call t {}");
}

#[test]
fn a_further_round_brings_answers_and_a_state() {
    let round = json!({ "inputResponses": { "k": { "action": "accept" }, "l": {} }, "requestState": "s" });
    let with = |mut params: Value| {
        params.as_object_mut().unwrap().extend(round.as_object().unwrap().clone());
        params
    };
    let brought = r#" k={"action":"accept"} l={} state s"#;
    check_modern(
        "tools/call",
        with(json!({ "name": "t" })),
        &format!("7 2026-07-28 tools/call t {{}}{brought}"),
    );
    check_modern(
        "prompts/get",
        with(json!({ "name": "t" })),
        &format!("7 2026-07-28 prompts/get t {{}}{brought}"),
    );
    check_modern(
        "resources/read",
        with(json!({ "uri": "t" })),
        &format!("7 2026-07-28 resources/read t{brought}"),
    );
    let only = json!({ "name": "t", "requestState": "" });
    check_modern("tools/call", only, "7 2026-07-28 tools/call t {} state ");
    // Legacy revisions have no rounds; the members mean nothing there.
    let params = json!({ "name": "t", "inputResponses": 1, "requestState": 2 });
    check(&[], &legacy("tools/call", params).to_string(), "\"x\" 2025-03-26 tools/call t {}");
}

#[test]
fn answers_and_states_that_are_none_are_refused() {
    let many: serde_json::Map<_, _> =
        (0..=limits::INPUT_RESPONSES).map(|index| (index.to_string(), json!({}))).collect();
    for (method, name) in [("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri")] {
        for responses in [
            json!(null),
            json!([]),
            json!(1),
            json!({ "k": 1 }),
            json!({ "k": null }),
            json!({ "a": {}, "k": "x" }),
            json!(many),
        ] {
            let params = json!({ name: "t", "inputResponses": responses });
            check_modern(method, params, &refused(&Fault::InvalidInputResponses, "7", 200));
        }
        for state in [json!(null), json!(1), json!({}), json!("s".repeat(limits::REQUEST_STATE + 1))] {
            let params = json!({ name: "t", "requestState": state });
            check_modern(method, params, &refused(&Fault::InvalidRequestState, "7", 200));
        }
    }
    let params = r#"{"name":"t","inputResponses":{"k":{},"k":{}}}"#;
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    check(&[], &body, &refused(&Fault::DuplicateMember { name: "k".to_owned() }, "-", 400));
}
