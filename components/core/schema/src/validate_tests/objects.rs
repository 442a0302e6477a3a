use super::{Problem, invalid, sentence, valid};

#[test]
fn members_that_are_missing() {
    let violation = invalid(r#"{"required":["user"]}"#, "{}", "required", "`/`: `user` is required");
    assert_eq!(violation.problem, Problem::Missing { name: "user".to_owned(), with: None });
    sentence(r#"{"required":["a","b"]}"#, "{}", "`/`: `a` is required; `/`: `b` is required");
    let violation = invalid(
        r#"{"dependentRequired":{"card":["address"],"x":["y"]}}"#,
        r#"{"card":1}"#,
        "dependentRequired",
        "`/`: `address` is required beside `card`",
    );
    let with = Some("card".to_owned());
    assert_eq!(violation.problem, Problem::Missing { name: "address".to_owned(), with });
}

#[test]
fn members_that_are_not_known() {
    let schema = r#"{"properties":{"user":{},"order_by":{}},"patternProperties":{"^x-":{}},"additionalProperties":false}"#;
    valid(schema, r#"{"user":1,"x-own":2}"#);
    let violation = invalid(
        schema,
        r#"{"usr":1}"#,
        "additionalProperties",
        "`/usr`: is not known here; did you mean `user`?",
    );
    assert_eq!(violation.at, "/usr");
    assert_eq!(violation.problem, Problem::Unknown { similar: Some("user".to_owned()) });
    sentence(schema, r#"{"orderBy":1}"#, "`/orderBy`: is not known here; did you mean `order_by`?");
    sentence(schema, r#"{"verbose":1}"#, "`/verbose`: is not known here");
    sentence(schema, r#"{"user":1,"usr":1}"#, "`/usr`: is not known here");
    sentence(schema, r#"{"a/b~c":1}"#, "`/a~1b~0c`: is not known here");
    let violation = invalid(
        r#"{"additionalProperties":{"type":"null"}}"#,
        r#"{"a":1}"#,
        "type",
        "`/a`: must be null, is an integer",
    );
    assert_eq!(violation.at, "/a");
}

#[test]
fn members_that_are_known() {
    let schema = r#"{"properties":{"a":{"properties":{"b":{"type":"null"}}},"c":false},"patternProperties":{"^d":{"type":"null"}}}"#;
    valid(schema, r#"{"a":{"b":null},"dd":null}"#);
    sentence(
        schema,
        r#"{"a":{"b":1},"c":2,"d":3,"e":4}"#,
        "`/d`: must be null, is an integer; `/a/b`: must be null, is an integer; `/c`: must not be there",
    );
}

#[test]
fn sizes() {
    invalid(r#"{"minProperties":1}"#, "{}", "minProperties", "`/`: must have at least 1 members, has 0");
    invalid(
        r#"{"maxProperties":0}"#,
        r#"{"a":1}"#,
        "maxProperties",
        "`/`: must have at most 0 members, has 1",
    );
}

#[test]
fn names() {
    let violation = invalid(
        r#"{"propertyNames":{"maxLength":3,"pattern":"^[a-z]"}}"#,
        r#"{"abc":1,"abcd":2}"#,
        "propertyNames",
        "`/`: the name `abcd` must have at most 3 characters, has 4",
    );
    assert!(
        matches!(violation.problem, Problem::Name { name, reason } if name == "abcd" && reason.keyword == "maxLength")
    );
    valid(r#"{"not":{"propertyNames":{"maxLength":3}}}"#, r#"{"abcd":2}"#);
}

#[test]
fn control_characters_are_written_out() {
    let instance = r#"{"a\n\u001b":1}"#;
    sentence(r#"{"additionalProperties":false}"#, instance, r"`/a\u{a}\u{1b}`: is not known here");
    let expected = r"`/`: the name `a\u{a}\u{1b}` must have at most 1 characters, has 3";
    sentence(r#"{"propertyNames":{"maxLength":1}}"#, instance, expected);
}

#[test]
fn unevaluated_members() {
    let schema = r##"{
        "$ref": "#/$defs/base", "properties": { "b": {} }, "unevaluatedProperties": false,
        "$defs": { "base": { "properties": { "a": {} }, "if": { "required": ["a"] }, "then": { "properties": { "c": {} } } } }
    }"##;
    valid(schema, r#"{"a":1,"b":2,"c":3}"#);
    let violation = invalid(schema, r#"{"b":2,"c":3}"#, "unevaluatedProperties", "`/c`: is not known here");
    assert_eq!(violation.problem, Problem::Unknown { similar: None });
}
