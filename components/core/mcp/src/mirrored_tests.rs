//! Parameters in headers: where the annotation may stand, and what agrees.

use super::*;

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "region": { "type": "string", "x-mcp-header": "Region" },
        "count": { "type": "integer", "x-mcp-header": "Count" },
        "dry": { "type": "boolean", "x-mcp-header": "Dry" },
        "nested": { "type": "object", "properties": { "deep": { "type": "string", "x-mcp-header": "Deep" } } },
        "x-mcp-header": { "type": "string" },
        "plain": { "type": "string", "default": { "x-mcp-header": 1 }, "enum": [{ "x-mcp-header": 1 }] }
    },
    "$defs": { "x-mcp-header": { "type": "string" } }
}"#;

fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[track_caller]
fn check_agreement(
    pairs: &[(&str, &str)],
    arguments: &str,
    expected: Result<(), (&'static str, HeaderProblem)>,
) {
    let expected =
        expected.map_err(|(header, problem)| Fault::HeaderMismatch { header: header.into(), problem });
    assert_eq!(agree(SCHEMA, &headers(pairs), arguments), expected, "{pairs:?} {arguments}");
}

fn differs(header: &'static str, value: &str, body: &str) -> Result<(), (&'static str, HeaderProblem)> {
    Err((header, HeaderProblem::Differs { header: value.to_owned(), body: body.to_owned() }))
}

#[test]
fn text_agrees_in_plain_and_in_base64() {
    check_agreement(&[("mcp-param-region", "us-west1")], r#"{"region":"us-west1"}"#, Ok(()));
    check_agreement(&[("Mcp-Param-REGION", " us ")], r#"{"region":"us"}"#, Ok(()));
    check_agreement(&[("mcp-param-region", "=?base64?SGVsbG8=?=")], r#"{"region":"Hello"}"#, Ok(()));
    check_agreement(&[("mcp-param-region", "SGVsbG8=")], r#"{"region":"SGVsbG8="}"#, Ok(()));
    check_agreement(&[("mcp-param-deep", "a")], r#"{"nested":{"deep":"a"}}"#, Ok(()));
    check_agreement(&[("mcp-param-region", "")], r#"{"region":""}"#, Ok(()));
    let upper = differs("Mcp-Param-Region", "US", "us");
    check_agreement(&[("mcp-param-region", "US")], r#"{"region":"us"}"#, upper);
    let deep = differs("Mcp-Param-Deep", "b", "a");
    check_agreement(&[("mcp-param-deep", "b")], r#"{"nested":{"deep":"a"}}"#, deep);
    for value in ["=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "Hellö"] {
        let expected = Err(("Mcp-Param-Region", HeaderProblem::Malformed));
        check_agreement(&[("mcp-param-region", value)], r#"{"region":"Hello"}"#, expected);
    }
    let twice = [("mcp-param-region", "a"), ("mcp-param-region", "a")];
    check_agreement(&twice, r#"{"region":"a"}"#, Err(("Mcp-Param-Region", HeaderProblem::Repeated)));
}

#[test]
fn numbers_agree_as_numbers_and_booleans_as_words() {
    for (header, body) in
        [("42", "42"), ("42.0", "42"), ("42", "42.0"), ("-7", "-7"), ("4.2e1", "42"), ("0", "-0")]
    {
        check_agreement(&[("mcp-param-count", header)], &format!(r#"{{"count":{body}}}"#), Ok(()));
    }
    for header in ["43", "42.5", "", "x", "NaN", "=?base64?eA==?="] {
        let shown = if header.starts_with('=') { "x" } else { header };
        check_agreement(
            &[("mcp-param-count", header)],
            r#"{"count":42}"#,
            differs("Mcp-Param-Count", shown, "42"),
        );
    }
    // Beyond what all programs count exactly, only the same text is the same number.
    let (large, larger) = ("9007199254740992", "9007199254740993");
    check_agreement(&[("mcp-param-count", larger)], &format!(r#"{{"count":{larger}}}"#), Ok(()));
    let expected = differs("Mcp-Param-Count", larger, large);
    check_agreement(&[("mcp-param-count", larger)], &format!(r#"{{"count":{large}}}"#), expected);
    check_agreement(&[("mcp-param-dry", "true")], r#"{"dry":true}"#, Ok(()));
    check_agreement(&[("mcp-param-dry", "false")], r#"{"dry":false}"#, Ok(()));
    for header in ["True", "1", "false"] {
        check_agreement(
            &[("mcp-param-dry", header)],
            r#"{"dry":true}"#,
            differs("Mcp-Param-Dry", header, "true"),
        );
    }
}

#[test]
fn a_header_is_there_exactly_if_the_value_is() {
    check_agreement(&[], "{}", Ok(()));
    check_agreement(&[], r#"{"region":null,"nested":{"deep":null}}"#, Ok(()));
    check_agreement(&[("mcp-param-other", "x")], "{}", Ok(()));
    for (arguments, header) in [
        (r#"{"region":"a"}"#, "Mcp-Param-Region"),
        (r#"{"count":0}"#, "Mcp-Param-Count"),
        (r#"{"dry":false}"#, "Mcp-Param-Dry"),
        (r#"{"nested":{"deep":""}}"#, "Mcp-Param-Deep"),
    ] {
        check_agreement(&[], arguments, Err((header, HeaderProblem::Missing)));
    }
    for arguments in ["{}", r#"{"region":null}"#] {
        check_agreement(&[("mcp-param-region", "a")], arguments, differs("Mcp-Param-Region", "a", ""));
    }
    // Of another type than the schema's: not ours to judge.
    check_agreement(&[], r#"{"region":1,"count":"a","dry":[],"nested":1}"#, Ok(()));
}

#[test]
fn annotations_stand_on_primitive_parameters_alone() {
    assert_eq!(check(SCHEMA), Ok(()));
    assert_eq!(check("{}"), Ok(()));
    let annotated = r#"{"type":"string","x-mcp-header":"A"}"#;
    for place in [
        annotated.to_owned(),
        format!(r#"{{"items":{annotated}}}"#),
        format!(r#"{{"properties":{{"a":{{"type":"array","items":{annotated}}}}}}}"#),
        format!(r#"{{"anyOf":[{{"properties":{{"a":{annotated}}}}}]}}"#),
        format!(r#"{{"if":{{"properties":{{"a":{annotated}}}}}}}"#),
        format!(r#"{{"$defs":{{"d":{annotated}}}}}"#),
        format!(r#"{{"patternProperties":{{"^a":{annotated}}}}}"#),
        format!(r#"{{"additionalProperties":{annotated}}}"#),
        r#"{"not":{"\u0078-mcp-header":"A"}}"#.to_owned(),
    ] {
        assert_eq!(check(&place), Err(MirrorFault::Unreachable), "{place}");
    }
    let one = |members: &str| check(&format!(r#"{{"properties":{{"a":{{{members}}}}}}}"#));
    for kind in [r#""type":"number","#, r#""type":"object","#, r#""type":["string","null"],"#, ""] {
        let expected = Err(MirrorFault::NotPrimitive { name: "A".into() });
        assert_eq!(one(&format!(r#"{kind}"x-mcp-header":"A""#)), expected, "{kind}");
    }
    for name in ["\"\"", "\"a b\"", "\"a:\"", "\"é\"", "\"a\\n\"", "1", "null"] {
        let shown = serde_json::from_str::<Value>(name).unwrap().to_string();
        let expected = Err(MirrorFault::InvalidName { name: shown });
        assert_eq!(one(&format!(r#""type":"string","x-mcp-header":{name}"#)), expected);
    }
    let twice =
        format!(r#"{{"properties":{{"a":{annotated},"b":{}}}}}"#, annotated.replace("\"A\"", "\"a\""));
    assert_eq!(check(&twice), Err(MirrorFault::Repeated { name: "a".into() }));
    assert_eq!(check(r#"{"x-mcp-header""#), Err(MirrorFault::NotJson));
    assert_eq!(agree(annotated, &[], "{}"), Err(Fault::Internal));
}
