use super::{Problem, invalid, sentence, valid};

#[test]
fn items_have_a_place() {
    invalid(r#"{"items":{"type":"string"}}"#, r#"["a",1]"#, "type", "`/1`: must be a string, is an integer");
    sentence(
        r#"{"prefixItems":[{"type":"string"},{"type":"null"}],"items":{"type":"integer"}}"#,
        r#"[1,2,"x",4]"#,
        "`/2`: must be an integer, is a string; `/0`: must be a string, is an integer; `/1`: must be null, is an integer",
    );
    invalid(r#"{"prefixItems":[true],"items":false}"#, "[1,2]", "false", "`/1`: must not be there");
    sentence(
        r#"{"items":{"items":{"type":"null"}}}"#,
        "[[],[null,0]]",
        "`/1/1`: must be null, is an integer",
    );
}

#[test]
fn sizes() {
    invalid(r#"{"minItems":2}"#, "[1]", "minItems", "`/`: must have at least 2 items, has 1");
    invalid(r#"{"maxItems":1}"#, "[1,2]", "maxItems", "`/`: must have at most 1 items, has 2");
}

#[test]
fn contained_items() {
    let string = r#""contains":{"type":"string"}"#;
    invalid(&format!("{{{string}}}"), "[1]", "contains", "`/`: must have at least 1 fitting items, has 0");
    invalid(
        &format!(r#"{{{string},"minContains":2}}"#),
        r#"[1,"a"]"#,
        "minContains",
        "`/`: must have at least 2 fitting items, has 1",
    );
    let violation = invalid(
        &format!(r#"{{{string},"maxContains":1}}"#),
        r#"["a","b"]"#,
        "maxContains",
        "`/`: must have at most 1 fitting items, has 2",
    );
    let (bound, found, what) = (1, 2, "fitting items");
    assert_eq!(violation.problem, Problem::Count { relation: "at most", bound, found, what });
    valid(&format!(r#"{{{string},"minContains":0}}"#), "[]");
    valid(r#"{"minContains":5}"#, "[]");
}

#[test]
fn equal_items() {
    let violation = invalid(
        r#"{"uniqueItems":true}"#,
        r#"["a",{"x":[1]},"b",{"x":[1.0]},"b"]"#,
        "uniqueItems",
        "`/`: must not have equal items, but 1 and 3 are",
    );
    assert_eq!(violation.problem, Problem::Repeated { first: 1, second: 3 });
    valid(r#"{"uniqueItems":true}"#, r#"[0,false,null,"",[],{},[0],[false],{"a":0},{"b":0},"0",1,true]"#);
    let mut all: Vec<_> = (0..50_000).map(|number| number.to_string()).collect();
    valid(r#"{"uniqueItems":true}"#, &format!("[{}]", all.join(",")));
    all.push("777".to_owned());
    let list = format!("[{}]", all.join(","));
    sentence(r#"{"uniqueItems":true}"#, &list, "`/`: must not have equal items, but 777 and 50000 are");
}

#[test]
fn unevaluated_items() {
    let schema = r#"{"anyOf":[{"prefixItems":[{"type":"string"}]},{"contains":{"type":"null"},"minContains":0}],"unevaluatedItems":false}"#;
    valid(schema, r#"["a",null]"#);
    let violation = invalid(schema, r#"["a",null,1]"#, "unevaluatedItems", "`/2`: is not known here");
    assert_eq!(violation.problem, Problem::Unknown { similar: None });
    invalid(
        r#"{"unevaluatedItems":{"type":"null"}}"#,
        "[null,1]",
        "type",
        "`/1`: must be null, is an integer",
    );
}
