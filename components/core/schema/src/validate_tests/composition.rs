use super::{Problem, invalid, judge, sentence, valid};

#[test]
fn all_of_reports_each() {
    sentence(
        r#"{"allOf":[{"minimum":3},{"multipleOf":2}]}"#,
        "1",
        "`/`: must be at least 3, is 1; `/`: must be a multiple of 2, is 1",
    );
}

#[test]
fn any_of_says_what_each_alternative_lacks() {
    let schema =
        r#"{"properties":{"to":{"anyOf":[{"type":"string"},{"required":["address"],"type":"object"}]}}}"#;
    valid(schema, r#"{"to":"a"}"#);
    valid(schema, r#"{"to":{"address":1}}"#);
    let violation = invalid(
        schema,
        r#"{"to":{}}"#,
        "anyOf",
        "`/to`: fits none of 2 alternatives (`/to`: must be a string, is an object; or `/to`: `address` is required)",
    );
    assert!(
        matches!(violation.problem, Problem::NoneFits { alternatives, of: 2 } if alternatives.len() == 2)
    );
    sentence(
        r#"{"anyOf":[{"const":1},{"const":2},{"const":3},{"const":4},{"const":5},false]}"#,
        "0",
        "`/`: fits none of 6 alternatives (`/`: must be 1, is 0; or `/`: must be 2, is 0; or `/`: must be 3, is 0; or \
         `/`: must be 4, is 0; …)",
    );
}

#[test]
fn one_of_says_which_are_too_many() {
    let schema = r#"{"oneOf":[{"type":"null"},{"minimum":2},{"type":"integer"}]}"#;
    valid(schema, "1");
    let violation = invalid(schema, "5", "oneOf", "`/`: fits alternatives 2 and 3, must fit exactly one");
    assert_eq!(violation.problem, Problem::SeveralFit { first: 1, second: 2 });
    invalid(
        r#"{"oneOf":[{"type":"null"},{"type":"string"}]}"#,
        "5",
        "oneOf",
        "`/`: fits none of 2 alternatives (`/`: must be null, is an integer; or `/`: must be a string, is an integer)",
    );
}

#[test]
fn an_alternative_that_fits_leaves_no_trace() {
    sentence(
        r#"{"anyOf":[{"type":"null"},{"type":"integer"}],"oneOf":[{"type":"integer"},{"type":"null"}],"minimum":9}"#,
        "5",
        "`/`: must be at least 9, is 5",
    );
}

#[test]
fn not_and_if() {
    let violation =
        invalid(r#"{"not":{"type":"null"}}"#, "null", "not", "`/`: has a form that is not allowed");
    assert_eq!(violation.problem, Problem::Fits);
    let schema = r#"{"if":{"properties":{"kind":{"const":"mail"}}},"then":{"required":["to"]},"else":{"required":["path"]}}"#;
    invalid(schema, r#"{"kind":"mail"}"#, "required", "`/`: `to` is required");
    invalid(schema, r#"{"kind":"file"}"#, "required", "`/`: `path` is required");
    valid(r#"{"then":false,"else":false}"#, "1");
}

#[test]
fn dependent_schemas_apply_to_the_whole() {
    let schema = r#"{"dependentSchemas":{"a":{"required":["b"]}}}"#;
    valid(schema, "{}");
    invalid(schema, r#"{"a":1}"#, "required", "`/`: `b` is required");
}

#[test]
fn references_are_followed() {
    let schema = r##"{
        "properties": {
            "pointer": { "$ref": "#/$defs/per%25cent~1sl%61sh~0tilde" }, "anchor": { "$ref": "#text" },
            "id": { "$ref": "text.json#/$defs/inner" }, "list": { "$ref": "#/allOf/0" },
            "tilde": { "$ref": "#/$defs/~01" }
        },
        "allOf": [{ "type": ["object", "string"] }],
        "$defs": {
            "per%cent/slash~tilde": { "type": "string" }, "~1": { "type": "string" }, "/": true, "a": { "$anchor": "text", "type": "string" },
            "b": { "$id": "text.json", "$defs": { "inner": { "type": "string" } } }
        }
    }"##;
    valid(schema, r#"{"pointer":"","anchor":"","id":"","list":"","tilde":""}"#);
    for name in ["pointer", "anchor", "id", "tilde"] {
        let expected = format!("`/{name}`: must be a string, is an integer");
        invalid(schema, &format!(r#"{{"{name}":1}}"#), "type", &expected);
    }
    invalid(schema, r#"{"list":1}"#, "type", "`/list`: must be an object or a string, is an integer");
}

#[test]
fn recursion_goes_as_deep_as_the_instance() {
    let schema = r##"{"type":"object","properties":{"child":{"$ref":"#"}},"additionalProperties":false}"##;
    let nested = |levels: usize, inmost: &str| {
        format!("{}{inmost}{}", r#"{"child":"#.repeat(levels), "}".repeat(levels))
    };
    valid(schema, &nested(50, "{}"));
    let expected = format!("`{}`: must be an object, is an integer", "/child".repeat(40));
    invalid(schema, &nested(40, "1"), "type", &expected);
}

#[test]
fn dynamic_references_lead_to_the_outermost_anchor() {
    let schema = r##"{
        "$id": "strict", "$dynamicAnchor": "node", "$ref": "tree", "unevaluatedProperties": false,
        "$defs": { "tree": {
            "$id": "tree", "$dynamicAnchor": "node", "type": "object",
            "properties": { "value": true, "children": { "type": "array", "items": { "$dynamicRef": "#node" } } }
        } }
    }"##;
    valid(schema, r#"{"children":[{"value":1}]}"#);
    invalid(
        schema,
        r#"{"children":[{"valu":1}]}"#,
        "unevaluatedProperties",
        "`/children/0/valu`: is not known here",
    );
}

#[test]
fn a_boolean_is_a_schema() {
    valid("true", "1");
    invalid("false", "1", "false", "`/`: must not be there");
    assert_eq!(judge("{}", "null"), Ok(()));
}
