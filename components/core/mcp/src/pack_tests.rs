//! Results of packs: what is taken and what is not, each kind by the same rules.

use super::*;

type Read = for<'a> fn(&'a str) -> Result<ResultMembers<'a>, PackFault>;

const KINDS: [(Read, &str); 3] = [
    (|json| ResultMembers::tool(json), "content"),
    (|json| ResultMembers::resource(json), "contents"),
    (|json| ResultMembers::prompt(json), "messages"),
];

#[test]
fn a_result_gives_the_text_between_its_braces() {
    for (read, member) in KINDS {
        let json = format!(" {{\"{member}\":[]}}\n");
        assert_eq!(read(&json).map(|it| it.text), Ok(format!("\"{member}\":[]").as_str()));
        let json = format!(r#"{{"x":true,"{member}":[{{}}]}}"#);
        assert_eq!(read(&json).map(|it| it.text), Ok(&json[1..json.len() - 1]));
    }
}

#[test]
fn a_result_must_not_speak_for_the_server() {
    for (read, member) in KINDS {
        let check =
            |json: &str, expected| assert_eq!(read(&json.replace("$", member)), Err(expected), "{json}");
        check("null", PackFault::NotAnObject);
        check("{", PackFault::NotAnObject);
        check(r#"{"$":[]},"error":{"a":1}"#, PackFault::NotAnObject);
        check(r#"{"$":[],"_meta":{}}"#, PackFault::Reserved { member: "_meta" });
        let input = r#"{"$":[],"result\u0054ype":"input_required"}"#;
        check(input, PackFault::Reserved { member: "resultType" });
        check(r#"{"$":[],"$":[]}"#, PackFault::Duplicate { member: member.into() });
        let many: String = (0..limits::TOOL_MEMBERS).map(|index| format!(r#","m{index}":0"#)).collect();
        let count = limits::TOOL_MEMBERS + 1;
        check(&format!(r#"{{"$":[]{many}}}"#), PackFault::TooManyMembers { count });
    }
    let missing = |member| Err(PackFault::Missing { member });
    assert_eq!(ResultMembers::tool("{}"), missing("content"));
    assert_eq!(ResultMembers::resource("{}"), missing("contents"));
    assert_eq!(ResultMembers::prompt("{}"), missing("messages"));
    let wrong = |member| Err(PackFault::WrongType { member, expected: "a list" });
    assert_eq!(ResultMembers::tool(r#"{"content":{}}"#), wrong("content"));
    assert_eq!(ResultMembers::resource(r#"{"contents":""}"#), wrong("contents"));
    assert_eq!(ResultMembers::prompt(r#"{"messages":null}"#), wrong("messages"));
    for member in ["ttlMs", "cacheScope"] {
        let json = format!(r#"{{"contents":[],"{member}":1}}"#);
        assert_eq!(ResultMembers::resource(&json), Err(PackFault::Reserved { member }));
    }
}

#[test]
fn a_tool_with_an_output_schema_owes_structured_content() {
    let check = |json: &str, expected| {
        assert_eq!(ResultMembers::tool(json).unwrap().to_validate(), expected, "{json}");
    };
    check(r#"{"content":[],"structuredContent":{"a":1}}"#, Ok(Some(r#"{"a":1}"#)));
    check(r#"{"content":[],"structuredContent":null,"isError":false}"#, Ok(Some("null")));
    check(r#"{"content":[],"structuredContent":[1],"isError":true}"#, Ok(Some("[1]")));
    check(r#"{"content":[],"isError":true}"#, Ok(None));
    check(r#"{"content":[],"isError":false}"#, Err(PackFault::Missing { member: "structuredContent" }));
    check(r#"{"content":[]}"#, Err(PackFault::Missing { member: "structuredContent" }));
    for value in ["1", "\"true\"", "null"] {
        let json = format!(r#"{{"content":[],"isError":{value}}}"#);
        let expected = PackFault::WrongType { member: "isError", expected: "a boolean" };
        assert_eq!(ResultMembers::tool(&json), Err(expected));
    }
}
