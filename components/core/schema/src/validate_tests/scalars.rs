use super::{Problem, invalid, sentence, valid};

#[test]
fn types() {
    let violation =
        invalid(r#"{"type":"integer"}"#, r#""5""#, "type", "`/`: must be an integer, is a string");
    assert_eq!(violation.at, "");
    assert_eq!(violation.problem, Problem::Type { expected: vec!["an integer"], found: "a string" });
    sentence(r#"{"type":"integer"}"#, "1.5", "`/`: must be an integer, is a number");
    sentence(r#"{"type":["string","null"]}"#, "true", "`/`: must be a string or null, is a boolean");
    sentence(
        r#"{"type":["array","object","number"]}"#,
        "null",
        "`/`: must be an array, an object or a number, is null",
    );
    sentence(r#"{"type":"boolean"}"#, "[]", "`/`: must be a boolean, is an array");
    sentence(r#"{"type":"string"}"#, "{}", "`/`: must be a string, is an object");
    sentence(r#"{"type":"null"}"#, "7", "`/`: must be null, is an integer");
    valid(r#"{"type":"integer"}"#, "1.0");
    valid(r#"{"type":"number"}"#, "1");
}

#[test]
fn values() {
    let violation = invalid(
        r#"{"enum":["asc","desc",null]}"#,
        r#""up""#,
        "enum",
        r#"`/`: must be "asc", "desc" or null, is "up""#,
    );
    let allowed = vec![r#""asc""#.to_owned(), r#""desc""#.to_owned(), "null".to_owned()];
    assert_eq!(violation.problem, Problem::Value { allowed, of: 3, found: r#""up""#.to_owned() });
    sentence(r#"{"enum":[]}"#, "1", "`/`: no value is allowed, is 1");
    let many: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    sentence(
        &format!(r#"{{"enum":[{}]}}"#, many.join(",")),
        "{}",
        "`/`: must be 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, …, is an object",
    );
    invalid(r#"{"const":"v1"}"#, "[1]", "const", r#"`/`: must be "v1", is an array"#);
    valid(r#"{"const":{"a":[1,{"b":2.0}]}}"#, r#"{"a":[1.0,{"b":2}]}"#);
    sentence(r#"{"const":[0]}"#, "[false]", "`/`: must be an array, is an array");
}

#[test]
fn numbers() {
    let violation = invalid(
        r#"{"properties":{"limit":{"maximum":50}}}"#,
        r#"{"limit":900}"#,
        "maximum",
        "`/limit`: must be at most 50, is 900",
    );
    assert_eq!(violation.at, "/limit");
    let found = "900".to_owned();
    assert_eq!(violation.problem, Problem::Bound { relation: "at most", bound: "50".to_owned(), found });
    invalid(r#"{"minimum":1}"#, "0.5", "minimum", "`/`: must be at least 1, is 0.5");
    invalid(r#"{"exclusiveMinimum":0}"#, "0", "exclusiveMinimum", "`/`: must be more than 0, is 0");
    invalid(
        r#"{"exclusiveMaximum":1e300}"#,
        "1e300",
        "exclusiveMaximum",
        "`/`: must be less than 1e300, is 1e300",
    );
    invalid(r#"{"multipleOf":0.01}"#, "19.995", "multipleOf", "`/`: must be a multiple of 0.01, is 19.995");
    invalid(
        r#"{"maximum":18446744073709551614}"#,
        "18446744073709551615",
        "maximum",
        "`/`: must be at most 18446744073709551614, is 18446744073709551615",
    );
    valid(r#"{"minimum":5,"multipleOf":2}"#, r#""no number""#);
}

#[test]
fn strings() {
    let violation =
        invalid(r#"{"maxLength":2}"#, r#""äöü""#, "maxLength", "`/`: must have at most 2 characters, has 3");
    let (bound, found, what) = (2, 3, "characters");
    assert_eq!(violation.problem, Problem::Count { relation: "at most", bound, found, what });
    invalid(r#"{"minLength":2}"#, r#""😀""#, "minLength", "`/`: must have at least 2 characters, has 1");
    invalid(
        r#"{"pattern":"^[a-z]+$"}"#,
        r#""A\nb""#,
        "pattern",
        r#"`/`: must match the pattern `^[a-z]+$`, is "A\nb""#,
    );
    valid(r#"{"minLength":2,"pattern":"x"}"#, "5");
}

#[test]
fn formats_are_annotations() {
    valid(r#"{"format":"date-time"}"#, r#""yesterday""#);
}

#[test]
fn long_values_are_cut() {
    let long = "x".repeat(1000);
    let cut = format!("{}…", "x".repeat(64));
    sentence(r#"{"const":1}"#, &format!(r#""{long}""#), &format!(r#"`/`: must be 1, is "{cut}""#));
    sentence(&format!(r#"{{"const":"{long}"}}"#), "1", &format!(r#"`/`: must be "{cut}", is 1"#));
    sentence(
        &format!(r#"{{"pattern":"{long}"}}"#),
        &format!(r#""y{}""#, "x".repeat(200)),
        &format!(r#"`/`: must match the pattern `{cut}`, is "y{}…""#, "x".repeat(63)),
    );
    sentence(&format!(r#"{{"required":["{long}"]}}"#), "{}", &format!("`/`: `{cut}` is required"));
    let location = format!("/{}…", "x".repeat(255));
    sentence(
        r#"{"additionalProperties":{"type":"null"}}"#,
        &format!(r#"{{"{long}":1}}"#),
        &format!("`{location}`: must be null, is an integer"),
    );
}
