//! Results, byte for byte.

use super::*;
use crate::input::InputRequest;
use crate::message::{Call, Message, Request};
use crate::reader::read_message;
use crate::revision::Revision;

const SERVER: Server<'_> = Server {
    name: "valet",
    title: Some("Valet"),
    version: "0.1.0",
    instructions: Some("Ask \"first\""),
    icons: Some(r#"[{"src":"data:,"}]"#),
    ttl_ms: 300_000,
};

const INFO: &str = r#"{"name":"valet","title":"Valet","version":"0.1.0"}"#;
const INFO_WITH_ICONS: &str =
    r#"{"name":"valet","title":"Valet","version":"0.1.0","icons":[{"src":"data:,"}]}"#;
const HINTS: &str = r#""ttlMs":300000,"cacheScope":"private""#;
const ALL: Offers = Offers { resources: true, prompts: true };
const TOOLS: Offers = Offers { resources: false, prompts: false };

use Revision::{V2025_11_25 as LEGACY, V2026_07_28 as MODERN};

fn meta(result_type: &str, info: &str) -> String {
    format!(r#""resultType":"{result_type}","_meta":{{"io.modelcontextprotocol/serverInfo":{info}}}"#)
}

/// Answers a request with the id `"a"` in `revision`, and checks the result's members.
#[track_caller]
fn check(revision: Revision, write: impl FnOnce(Context<'_>) -> Reply, result: &str) {
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
    assert_eq!(body, format!(r#"{{"jsonrpc":"2.0","id":"a","result":{{{result}}}}}"#));
}

/// The same members for both eras; modern ones with what goes before.
#[track_caller]
fn check_both(write: impl Fn(Context<'_>) -> Reply, members: &str, hints: &str) {
    check(LEGACY, &write, members);
    let separator = if members.is_empty() { "" } else { "," };
    check(MODERN, &write, &format!("{}{separator}{members}{hints}", meta("complete", INFO)));
}

#[test]
fn discover_lists_versions_newest_first() {
    let check_offers = |offers: Offers, capabilities: &str| {
        let rest = format!(
            r#","supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"],"capabilities":{{{capabilities}}},"instructions":"Ask \"first\"",{HINTS}"#
        );
        let expected = format!("{}{rest}", meta("complete", INFO_WITH_ICONS));
        check(MODERN, |context| SERVER.discover(context, offers), &expected);
    };
    check_offers(TOOLS, r#""tools":{}"#);
    check_offers(ALL, r#""tools":{},"resources":{},"prompts":{},"completions":{}"#);
    let resources = Offers { resources: true, prompts: false };
    check_offers(resources, r#""tools":{},"resources":{},"completions":{}"#);
    let prompts = Offers { resources: false, prompts: true };
    check_offers(prompts, r#""tools":{},"prompts":{},"completions":{}"#);
}

#[test]
fn initialize_echoes_a_version_that_we_have() {
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
    let Ok(Message::Request(Request { context, call: Call::Initialize(initialize) })) = read_message(body)
    else {
        unreachable!("the message is an initialize request")
    };
    let check = |offers: Offers, capabilities: &str| {
        let expected = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"protocolVersion":"2025-06-18","capabilities":{{{capabilities}}},"serverInfo":{INFO_WITH_ICONS},"instructions":"Ask \"first\""}}}}"#
        );
        let reply = SERVER.initialize(context, &initialize, offers);
        assert_eq!(String::from_utf8(reply.body).unwrap(), expected);
    };
    check(TOOLS, r#""tools":{},"logging":{}"#);
    check(ALL, r#""tools":{},"resources":{},"prompts":{},"completions":{},"logging":{}"#);
}

#[test]
fn an_empty_result_has_nothing_but_what_each_result_has() {
    check_both(|context| SERVER.empty(context), "", "");
}

#[test]
fn a_list_is_the_text_of_the_pack_in_the_order_given() {
    let texts =
        [r#"{"name":"b","inputSchema":{"type":"object"}}"#, "{\n\"name\":\"a\",\n\"inputSchema\":{}}"];
    let tools = texts.map(|text| Definition::parse(List::Tools, text).unwrap());
    let page: Vec<_> = tools.iter().collect();
    let entries = r#"[{"name":"b","inputSchema":{"type":"object"}},{ "name":"a", "inputSchema":{}}]"#;
    let hints = format!(",{HINTS}");
    for (list, member) in [
        (List::Tools, "tools"),
        (List::Resources, "resources"),
        (List::Templates, "resourceTemplates"),
        (List::Prompts, "prompts"),
    ] {
        let members = format!(r#""{member}":{entries}"#);
        check_both(|context| SERVER.list(context, list, &page, None), &members, &hints);
        let members = format!(r#"{members},"nextCursor":"n\"""#);
        check_both(|context| SERVER.list(context, list, &page, Some("n\"")), &members, &hints);
        check_both(|context| SERVER.list(context, list, &[], None), &format!(r#""{member}":[]"#), &hints);
    }
}

#[test]
fn a_result_is_spliced_and_not_read_again() {
    let members = "{\"content\":[ ],\n\"structuredContent\":{\"n\":1.10}}";
    let members = ResultMembers::tool(members).unwrap();
    let spliced = r#""content":[ ], "structuredContent":{"n":1.10}"#;
    check_both(|context| SERVER.complete(context, members), spliced, "");
    let members = ResultMembers::prompt(r#"{"messages":[],"description":"d"}"#).unwrap();
    check_both(|context| SERVER.complete(context, members), r#""messages":[],"description":"d""#, "");
}

#[test]
fn what_was_read_for_a_user_is_not_to_be_kept() {
    let members = ResultMembers::resource(r#"{"contents":[]}"#).unwrap();
    let hints = r#","ttlMs":0,"cacheScope":"private""#;
    check_both(|context| SERVER.resource(context, members), r#""contents":[]"#, hints);
}

#[test]
fn a_tool_error_is_a_result() {
    let expected = r#""content":[{"type":"text","text":"no \"such\" user\n"}],"isError":true"#;
    check_both(|context| SERVER.tool_error(context, "no \"such\" user\n"), expected, "");
}

#[test]
fn input_is_asked_for_by_key_with_a_state() {
    let head = meta("input_required", INFO);
    let requests = InputRequests::check(Vec::new()).unwrap();
    let expected = format!(r#"{head},"requestState":"s""#);
    check(MODERN, |context| SERVER.input_required(context, &requests, Some("s")), &expected);
    let requests = InputRequests::check(vec![
        InputRequest { key: "a\"", method: "roots/list", params: "{}" },
        InputRequest { key: "b", method: "elicitation/create", params: "{\"message\":\n\"m\"}" },
    ])
    .unwrap();
    let expected = format!(
        r#"{head},"inputRequests":{{"a\"":{{"method":"roots/list","params":{{}}}},"b":{{"method":"elicitation/create","params":{{"message": "m"}}}}}},"requestState":"s""#
    );
    check(MODERN, |context| SERVER.input_required(context, &requests, Some("s")), &expected);
    let expected = expected.strip_suffix(r#","requestState":"s""#).unwrap();
    check(MODERN, |context| SERVER.input_required(context, &requests, None), expected);
}

#[test]
fn a_completion_has_at_most_a_hundred_values() {
    let values = |count: usize| vec!["\"v".to_owned(); count];
    let written = |count: usize| vec![r#""\"v""#; count].join(",");
    let check = |count: usize, total, more, expected: &str| {
        check_both(|context| SERVER.completion(context, &values(count), total, more), expected, "");
    };
    check(0, None, false, r#""completion":{"values":[],"hasMore":false}"#);
    check(2, Some(7), true, r#""completion":{"values":["\"v","\"v"],"total":7,"hasMore":true}"#);
    let most = limits::COMPLETIONS;
    check(most, None, false, &format!(r#""completion":{{"values":[{}],"hasMore":false}}"#, written(most)));
    check(most + 1, None, false, &format!(r#""completion":{{"values":[{}],"hasMore":true}}"#, written(most)));
}
