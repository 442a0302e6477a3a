//! Messages that are refused, from a caller who is known.

use entra_emulator::ids;
use serde_json::{Value, json};
use valet_suite::ask::{LEGACY, MODERN, modern};
use valet_suite::check::{Refusal, audited, refused};
use valet_suite::{Ask, Rig, run};

fn bad(status: u16, code: i32, message: &str) -> Refusal {
    Refusal::rpc(status, code, message, &format!("denied bad_request: {}", message.replace("\\\"", "\"")))
}

fn bad_without_id(code: i32, message: &str) -> Refusal {
    Refusal::rpc_without_id(
        400,
        code,
        message,
        &format!("denied bad_request: {}", message.replace("\\\"", "\"")),
    )
}

#[test]
fn bodies_that_are_no_message_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        let batch = format!("[{}]", modern("tools/list", json!({})));
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":{}{}}}}}"#,
            "[".repeat(20_000),
            "]".repeat(20_000)
        );
        let invalid_id = "Invalid request: `id` must be a string or an integer of at most 256 bytes";
        for (name, body, expected) in [
            ("nothing", "", bad_without_id(-32700, "Parse error: not JSON at line 1, column 0")),
            (
                "half an object",
                r#"{"jsonrpc":"2.0""#,
                bad_without_id(-32700, "Parse error: not JSON at line 1, column 16"),
            ),
            ("words", "hello", bad_without_id(-32700, "Parse error: not JSON at line 1, column 1")),
            ("two objects", "{} {}", bad_without_id(-32700, "Parse error: not JSON at line 1, column 4")),
            ("a batch", &batch, bad_without_id(-32600, "Invalid request: batches are not supported")),
            ("an empty batch", "[]", bad_without_id(-32600, "Invalid request: batches are not supported")),
            ("a number", "1", bad_without_id(-32600, "Invalid request: not an object")),
            ("nested", &deep, bad_without_id(-32600, "Invalid request: nested deeper than 64 levels")),
            (
                "another json-rpc",
                r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
                bad(400, -32600, r#"Invalid request: `jsonrpc` must be \"2.0\""#),
            ),
            ("id null", r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, bad_without_id(-32600, invalid_id)),
            (
                "id an object",
                r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
                bad_without_id(-32600, invalid_id),
            ),
            (
                "id a fraction",
                r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
                bad_without_id(-32600, invalid_id),
            ),
            (
                "id 1e999",
                r#"{"jsonrpc":"2.0","id":1e999,"method":"ping"}"#,
                bad_without_id(-32700, "Parse error: not JSON at line 1, column *"),
            ),
            (
                "no method",
                r#"{"jsonrpc":"2.0","id":1}"#,
                bad(400, -32600, "Invalid request: `method` must be a string"),
            ),
            (
                "method twice",
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}"#,
                bad_without_id(-32600, "Invalid request: member `method` occurs twice"),
            ),
            (
                "request and response",
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
                bad(400, -32600, "Invalid request: `method` beside `result` or `error`"),
            ),
            (
                "params a list",
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
                bad(400, -32602, "Invalid params: `params` must be an object"),
            ),
            (
                "a cursor",
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x"}}"#,
                bad(200, -32602, "Invalid params: unknown `cursor`"),
            ),
        ] {
            let ask = Ask::post(body).header("mcp-protocol-version", LEGACY).bearer(&token);
            refused(&rig, name, ask, &expected).await;
        }
        let not_utf8 = Ask::post([b"{\"a\":\"".as_slice(), &[0xff], b"\"}"].concat()).bearer(&token);
        refused(&rig, "not utf-8", not_utf8, &bad_without_id(-32700, "Parse error: not UTF-8 after byte 6"))
            .await;
        let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let ask = Ask::post(response).header("mcp-protocol-version", MODERN).bearer(&token);
        let expected = bad(400, -32600, "Invalid request: clients must not send responses");
        refused(&rig, "a response", ask, &expected).await;
    });
}

#[test]
fn methods_and_tools_that_are_not_there() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        for method in ["nope", "subscriptions/listen", "initialize", "ping", "logging/setLevel"] {
            let expected = bad(404, -32601, &format!("Method not found: {method}"));
            if method != "initialize" {
                refused(&rig, method, Ask::modern(method, json!({})).bearer(&token), &expected).await;
            }
        }
        for method in ["nope", "subscriptions/listen", "tasks/list"] {
            let expected = bad(200, -32601, &format!("Method not found: {method}"));
            refused(&rig, method, Ask::legacy(LEGACY, method, json!({})).bearer(&token), &expected).await;
        }
        let expected = Refusal::rpc(
            200,
            -32602,
            "Unknown tool: nope",
            "denied unlisted_tool: the policy does not name the tool",
        );
        refused(&rig, "tool, modern", Ask::tool("nope").bearer(&token), &expected).await;
        let ask = Ask::legacy(LEGACY, "tools/call", json!({ "name": "nope" })).bearer(&token);
        refused(&rig, "tool, legacy", ask, &expected).await;
        let expected = Refusal::rpc(
            200,
            -32602,
            "Unknown tool: WHOAMI",
            "denied unlisted_tool: the policy does not name the tool",
        );
        refused(&rig, "names have case", Ask::tool("WHOAMI").bearer(&token), &expected).await;
        for params in [
            json!({}),
            json!({ "name": 1 }),
            json!({ "name": "a b" }),
            json!({ "name": "../x" }),
            json!({ "name": "" }),
        ] {
            let ask = Ask::legacy(LEGACY, "tools/call", params.clone()).bearer(&token);
            let expected = bad(200, -32602, "Invalid params: `name` must be a tool name");
            refused(&rig, &params.to_string(), ask, &expected).await;
        }
        let ask =
            Ask::legacy(LEGACY, "tools/call", json!({ "name": "whoami", "arguments": [] })).bearer(&token);
        refused(
            &rig,
            "arguments a list",
            ask,
            &bad(200, -32602, "Invalid params: `arguments` must be an object"),
        )
        .await;
    });
}

#[test]
fn arguments_that_do_not_fit_are_told_to_the_model() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        for tool in ["whoami", "GetUserDetailsFromGraph"] {
            for arguments in [
                json!({ "user": ids::ALEX_UPN }),
                json!({ "id": ids::ALEX.to_string(), "x": 1 }),
                json!({ "_meta": {} }),
            ] {
                let ask =
                    Ask::modern("tools/call", json!({ "name": tool, "arguments": arguments })).bearer(&token);
                let (answer, audit) = audited(&rig, rig.send(ask)).await;
                let result = answer.result();
                assert_eq!(result["isError"], true, "{arguments}");
                assert_eq!(result["structuredContent"], Value::Null);
                let text = result["content"][0]["text"].as_str().unwrap();
                let first = arguments.as_object().unwrap().keys().next().unwrap();
                let expected = format!(
                    "The arguments do not fit the tool's input schema: `/{first}`: is not known here"
                );
                assert!(text.starts_with(&expected), "{text}");
                assert_eq!(audit, "allowed permitted");
            }
        }
    });
}

#[test]
fn resources_and_prompts_that_are_not_there() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        let uri = "valet://me/nope";
        let audit = "denied unknown_resource: the pack has no resource of that URI";
        let data = json!({ "uri": uri });
        for (ask, code) in [
            (Ask::modern("resources/read", json!({ "uri": uri })), -32602),
            (Ask::legacy(LEGACY, "resources/read", json!({ "uri": uri })), -32002),
            (Ask::legacy(LEGACY, "resources/subscribe", json!({ "uri": uri })), -32002),
        ] {
            let (answer, found) = audited(&rig, rig.send(ask.bearer(&token))).await;
            let error = &answer.json()["error"];
            assert_eq!((answer.status, &error["code"], &error["data"]), (200, &json!(code), &data));
            assert_eq!(found, audit);
        }
        let expected = Refusal::rpc(
            200,
            -32602,
            "Unknown prompt: nope",
            "denied unlisted_prompt: the policy does not name the prompt",
        );
        let ask = Ask::modern("prompts/get", json!({ "name": "nope" })).bearer(&token);
        refused(&rig, "prompt", ask, &expected).await;
        let allowed = |code: i32, message: &str| Refusal::rpc(200, code, message, "allowed permitted");
        let ask = Ask::modern("prompts/get", json!({ "name": "introduce-me" })).bearer(&token);
        let expected = allowed(-32602, "Invalid params: the prompt needs the argument `audience`");
        refused(&rig, "no argument", ask, &expected).await;
        let params = json!({ "name": "introduce-me", "arguments": { "audience": 1 } });
        let ask = Ask::modern("prompts/get", params).bearer(&token);
        let expected = allowed(-32602, "Invalid params: the prompt's argument `audience` must be a string");
        refused(&rig, "no string", ask, &expected).await;
        let reference = json!({ "type": "ref/prompt", "name": "introduce-me" });
        let params = json!({ "ref": reference, "argument": { "name": "nope", "value": "" } });
        let ask = Ask::modern("completion/complete", params).bearer(&token);
        let expected = allowed(-32602, "Invalid params: `argument` must have a `name` and a `value`");
        refused(&rig, "no such argument", ask, &expected).await;
        let params = json!({ "name": "whoami", "requestState": "made-up" });
        let ask = Ask::modern("tools/call", params).bearer(&token);
        let expected = Refusal::rpc(
            200,
            -32602,
            "Invalid params: `requestState` is not of this request or no longer valid, start again without it",
            "allowed permitted; denied invalid_state: the request state is not of this request, or none of ours",
        );
        refused(&rig, "a state of nobody", ask, &expected).await;
    });
}

#[test]
fn headers_that_contradict_the_body_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        let perfect = Ask::tool("whoami").bearer(&token);
        let mismatch = |text: &str| bad(400, -32020, &format!("Header mismatch: {text}"));
        for (name, ask, expected) in [
            (
                "another method",
                perfect.clone().header("mcp-method", "tools/list"),
                mismatch("Mcp-Method header value 'tools/list' does not match body value 'tools/call'"),
            ),
            (
                "method in capitals",
                perfect.clone().header("mcp-method", "TOOLS/CALL"),
                mismatch("Mcp-Method header value 'TOOLS/CALL' does not match body value 'tools/call'"),
            ),
            ("no method", perfect.clone().without("mcp-method"), mismatch("Mcp-Method is missing")),
            (
                "method twice",
                perfect.clone().and("mcp-method", b"tools/call"),
                mismatch("Mcp-Method occurs twice"),
            ),
            (
                "another name",
                perfect.clone().header("mcp-name", "GetUserDetailsFromGraph"),
                mismatch(
                    "Mcp-Name header value 'GetUserDetailsFromGraph' does not match body value 'whoami'",
                ),
            ),
            ("no name", perfect.clone().without("mcp-name"), mismatch("Mcp-Name is missing")),
            (
                "name that does not decode",
                perfect.clone().header("mcp-name", "=?base64?!?="),
                mismatch("Mcp-Name is malformed"),
            ),
            (
                "another version",
                perfect.clone().header("mcp-protocol-version", LEGACY),
                mismatch(
                    "MCP-Protocol-Version header value '2025-11-25' does not match body value '2026-07-28'",
                ),
            ),
            (
                "no version",
                perfect.clone().without("mcp-protocol-version"),
                mismatch("MCP-Protocol-Version is missing"),
            ),
            (
                "version twice",
                perfect.clone().and("mcp-protocol-version", MODERN.as_bytes()),
                mismatch("MCP-Protocol-Version occurs twice"),
            ),
        ] {
            refused(&rig, name, ask, &expected).await;
        }
        let encoded = perfect.clone().header("mcp-name", "=?base64?d2hvYW1p?=");
        assert_eq!(rig.send(encoded).await.status, 200);

        let supported = r#""data":{"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"],"requested":"2030-01-01"}"#;
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32022,"message":"Unsupported protocol version",{supported}}}}}"#
        );
        let unsupported = Refusal::plain(400, &body, "denied bad_request: Unsupported protocol version");
        let future =
            modern("tools/call", json!({ "name": "whoami" })).to_string().replace(MODERN, "2030-01-01");
        let ask = perfect.clone().body(future).header("mcp-protocol-version", "2030-01-01");
        refused(&rig, "a future version", ask, &unsupported).await;
        let ask = Ask::legacy("2030-01-01", "tools/list", json!({})).bearer(&token);
        refused(&rig, "a future version in the header only", ask, &unsupported).await;

        let mut bare = modern("tools/call", json!({ "name": "whoami" }));
        bare["params"]["_meta"].as_object_mut().unwrap().remove("io.modelcontextprotocol/clientCapabilities");
        let expected = bad(
            400,
            -32602,
            "Invalid params: `_meta` lacks or has malformed io.modelcontextprotocol/clientCapabilities",
        );
        refused(&rig, "no capabilities", perfect.clone().body(bare.to_string()), &expected).await;
        let without =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "whoami" } });
        let expected = bad(
            400,
            -32602,
            "Invalid params: `_meta` lacks or has malformed io.modelcontextprotocol/protocolVersion, io.modelcontextprotocol/clientCapabilities",
        );
        refused(&rig, "no _meta", perfect.body(without.to_string()), &expected).await;
    });
}
