//! Definitions of packs, each kind with what it needs.

use super::*;

const TOOL: &str = r#"{"name":"a","inputSchema":{"type":"object"}}"#;

#[test]
fn a_definition_is_kept_as_it_is() {
    let json = r#" {"name" : "m\u0065", "inputSchema":{"type":"object"},"title":"T","outputSchema": {} } "#;
    let definition = Definition::parse(List::Tools, json).unwrap();
    assert_eq!((definition.name(), definition.as_json()), ("me", json));
    assert_eq!(definition.input_schema(), r#"{"type":"object"}"#);
    assert_eq!(definition.output_schema(), Some("{}"));
    assert_eq!(Definition::parse(List::Tools, TOOL).unwrap().output_schema(), None);
    let definition = Definition::parse(List::Resources, r#"{"uri":"a:\/b","name":"r"}"#).unwrap();
    assert_eq!((definition.name(), definition.uri()), ("r", "a:/b"));
    let definition = Definition::parse(List::Templates, r#"{"uriTemplate":"a:{b}","name":"r"}"#).unwrap();
    assert_eq!((definition.name(), definition.uri()), ("r", "a:{b}"));
    let definition = Definition::parse(List::Prompts, r#"{"name":"p"}"#).unwrap();
    assert_eq!((definition.name(), definition.input_schema()), ("p", "{}"));
}

#[test]
fn a_definition_without_what_it_needs_is_refused() {
    use List::{Prompts, Resources, Templates, Tools};
    let check =
        |list, json: &str, expected| assert_eq!(Definition::parse(list, json), Err(expected), "{json}");
    let wrong = |member, expected| PackFault::WrongType { member, expected };
    for list in [Tools, Resources, Templates, Prompts] {
        check(list, "[]", PackFault::NotAnObject);
        check(list, "", PackFault::NotAnObject);
        check(list, r#"{"name":"a"} x"#, PackFault::NotAnObject);
        check(list, r#"{"name":"a","name":"b"}"#, PackFault::Duplicate { member: "name".into() });
    }
    check(Tools, r#"{"name":"a"}"#, PackFault::Missing { member: "inputSchema" });
    check(Tools, r#"{"inputSchema":{}}"#, PackFault::Missing { member: "name" });
    check(Tools, r#"{"name":"a","inputSchema":true}"#, wrong("inputSchema", "an object"));
    check(Tools, r#"{"name":"a","inputSchema":{},"outputSchema":[]}"#, wrong("outputSchema", "an object"));
    check(Tools, r#"{"name":1,"inputSchema":{}}"#, wrong("name", "a string"));
    check(Tools, r#"{"name":"a b","inputSchema":{}}"#, PackFault::InvalidName { name: "a b".into() });
    check(Resources, r#"{"name":"a"}"#, PackFault::Missing { member: "uri" });
    check(Resources, r#"{"name":"a","uri":1}"#, wrong("uri", "a string"));
    check(Resources, r#"{"name":"a","uri":""}"#, wrong("uri", "of a length that a client may send"));
    check(Resources, r#"{"uri":"a:b"}"#, PackFault::Missing { member: "name" });
    check(Resources, r#"{"name":"a b","uri":"a:b"}"#, PackFault::InvalidName { name: "a b".into() });
    check(Templates, r#"{"name":"a","uri":"a:b"}"#, PackFault::Missing { member: "uriTemplate" });
    let long = format!(r#"{{"name":"a","uriTemplate":"{}"}}"#, "x".repeat(limits::URI + 1));
    check(Templates, &long, wrong("uriTemplate", "of a length that a client may send"));
    check(Prompts, "{}", PackFault::Missing { member: "name" });
    check(Prompts, r#"{"name":"a","arguments":{}}"#, wrong("arguments", "a list"));
}

#[test]
fn a_tool_takes_an_object() {
    for (schema, expected) in [
        (r#"{"type":"object"}"#, true),
        (r#"{"properties":{}, "type" : "object"}"#, true),
        ("{}", false),
        (r#"{"type":"array"}"#, false),
        (r#"{"type":["object","null"]}"#, false),
        (r#"{"type":"object","type":"object"}"#, false),
    ] {
        let json = format!(r#"{{"name":"a","inputSchema":{schema}}}"#);
        assert_eq!(Definition::parse(List::Tools, &json).unwrap().takes_an_object(), expected, "{schema}");
    }
}

#[test]
fn one_definition_is_found_without_reading_the_others() {
    let definitions = [
        "not even JSON".to_owned(),
        r#"{"title":"a","name":"b","inputSchema":1}"#.to_owned(),
        TOOL.to_owned(),
    ];
    let find = |name: &str| Definition::find(List::Tools, &definitions, name);
    assert_eq!(find("a").unwrap().unwrap().as_json(), TOOL);
    assert_eq!(find("A"), Ok(None));
    assert_eq!(find(""), Ok(None));
    let expected = PackFault::WrongType { member: "inputSchema", expected: "an object" };
    assert_eq!(find("b"), Err(expected), "what is found is read whole");
}

#[test]
fn arguments_of_a_prompt_are_strings_and_complete() {
    let json = r#"{"name":"p","arguments":[{"name":"a","required":true},{"name":"b","required":false},{"name":"c"}]}"#;
    let prompt = Definition::parse(List::Prompts, json).unwrap();
    let check =
        |arguments: &str, expected| assert_eq!(prompt.check_arguments(arguments), expected, "{arguments}");
    check(r#"{"a":""}"#, Ok(()));
    check(r#"{"c":"3","a":"1","d":"4"}"#, Ok(()));
    check("{}", Err(Fault::MissingPromptArgument { name: "a".into() }));
    check(r#"{"b":"2"}"#, Err(Fault::MissingPromptArgument { name: "a".into() }));
    for value in ["1", "null", "{}", "true"] {
        let expected = Fault::PromptArgumentNotText { name: "b".into() };
        check(&format!(r#"{{"a":"1","b":{value}}}"#), Err(expected));
    }
    check("[]", Err(Fault::ArgumentsNotAnObject));
    let many: Vec<_> = (0..=limits::TOOL_MEMBERS).map(|index| format!(r#""m{index}":"""#)).collect();
    let expected = Fault::InvalidArguments { reason: "65 members, at most 64 are allowed".into() };
    check(&format!("{{{}}}", many.join(",")), Err(expected));
    let without = Definition::parse(List::Prompts, r#"{"name":"p"}"#).unwrap();
    assert_eq!(without.check_arguments("{}"), Ok(()));
    for arguments in ["[1]", r#"[{"required":true}]"#, r#"[{"name":1}]"#] {
        let json = format!(r#"{{"name":"p","arguments":{arguments}}}"#);
        let prompt = Definition::parse(List::Prompts, &json).unwrap();
        assert_eq!(prompt.check_arguments("{}"), Err(Fault::Internal));
    }
}

#[test]
fn names_are_short_and_plain() {
    for name in ["a", "get_me", "A.b-c_9", &"x".repeat(limits::TOOL_NAME)] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", "a b", "a/b", "../x", "é", "a\n", &"x".repeat(limits::TOOL_NAME + 1)] {
        assert!(!is_name(name), "{name}");
    }
}
