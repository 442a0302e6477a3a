//! What makes a schema unusable: the exact fault, and where.

use super::*;
use crate::limits;

const GOOD: &str = r##"{ "$ref": "#/$defs/a", "$defs": { "a": { "type": "string" } } }"##;

#[track_caller]
fn good(schema: &str) {
    let document = Json::parse(schema).unwrap();
    if let Err(fault) = Schema::check(&document) {
        panic!("{schema}: {fault}");
    }
}

#[track_caller]
fn refused(schema: &str, at: &str, reason: Reason) {
    let document = Json::parse(schema).unwrap();
    let fault = Schema::check(&document).map(|_| ()).unwrap_err();
    assert_eq!(fault, SchemaFault { at: at.to_owned(), reason }, "{schema}");
    good(GOOD);
}

fn wrong(expected: &'static str) -> Reason {
    Reason::WrongValue { expected }
}

#[test]
fn a_schema_is_an_object_or_a_boolean() {
    for schema in ["true", "false", "{}", GOOD] {
        good(schema);
    }
    for schema in ["null", "1", "[]", r#""x""#] {
        refused(schema, "", Reason::NotASchema);
    }
    refused(r#"{"items":{"not":1}}"#, "/items/not", Reason::NotASchema);
    refused(r#"{"properties":{"a/b":[]}}"#, "/properties/a~1b", Reason::NotASchema);
    refused(r#"{"allOf":[true,{},7]}"#, "/allOf/2", Reason::NotASchema);
    refused(r#"{"$defs":{"unused":7}}"#, "/$defs/unused", Reason::NotASchema);
    refused(r#"{"definitions":{"unused":7}}"#, "/definitions/unused", Reason::NotASchema);
}

#[test]
fn each_keyword_has_its_form() {
    for keyword in ["additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"]
    {
        refused(&format!(r#"{{"{keyword}":"x"}}"#), &format!("/{keyword}"), Reason::NotASchema);
    }
    for keyword in ["unevaluatedItems", "unevaluatedProperties"] {
        refused(&format!(r#"{{"{keyword}":null}}"#), &format!("/{keyword}"), Reason::NotASchema);
    }
    for keyword in ["allOf", "anyOf", "oneOf", "prefixItems"] {
        for value in ["[]", "{}", "true"] {
            let expected = wrong("a list of schemas with one at least");
            refused(&format!(r#"{{"{keyword}":{value}}}"#), &format!("/{keyword}"), expected);
        }
    }
    for keyword in ["$defs", "dependentSchemas", "patternProperties", "properties"] {
        refused(&format!(r#"{{"{keyword}":[]}}"#), &format!("/{keyword}"), wrong("an object of schemas"));
    }
    let counts = ["maxContains", "maxItems", "maxLength", "maxProperties"];
    for keyword in counts.into_iter().chain(["minContains", "minItems", "minLength", "minProperties"]) {
        for value in ["-1", "1.5", "\"1\"", "null"] {
            let expected = wrong("an integer from 0 up");
            refused(&format!(r#"{{"{keyword}":{value}}}"#), &format!("/{keyword}"), expected);
        }
        good(&format!(r#"{{"{keyword}":2.0}}"#));
    }
    for keyword in ["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"] {
        refused(&format!(r#"{{"{keyword}":true}}"#), &format!("/{keyword}"), wrong("a number"));
    }
    for value in ["0", "-1", "\"1\""] {
        refused(&format!(r#"{{"multipleOf":{value}}}"#), "/multipleOf", wrong("a number greater than 0"));
    }
    refused(r#"{"uniqueItems":1}"#, "/uniqueItems", wrong("a boolean"));
    refused(r#"{"required":"a"}"#, "/required", wrong("a list of strings"));
    refused(r#"{"required":["a",1]}"#, "/required", wrong("a list of strings"));
    refused(
        r#"{"dependentRequired":{"a":"b"}}"#,
        "/dependentRequired",
        wrong("an object of lists of strings"),
    );
    refused(r#"{"enum":{}}"#, "/enum", wrong("a list"));
    for value in [r#""text""#, "[]", r#"["string","text"]"#, "1"] {
        refused(&format!(r#"{{"type":{value}}}"#), "/type", wrong("a type or a list of types"));
    }
    for keyword in ["$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "pattern"] {
        refused(&format!(r#"{{"{keyword}":1}}"#), &format!("/{keyword}"), wrong("a string"));
    }
}

#[test]
fn annotations_may_be_anything() {
    good(
        r#"{"title":1,"description":[],"default":{},"examples":7,"format":null,"$comment":1,"x-own":{"type":7}}"#,
    );
    good(r#"{"const":{"type":7},"enum":[{"type":7}],"contentSchema":7}"#);
}

#[test]
fn two_dialects_are_known() {
    good(r#"{"$schema":"https://json-schema.org/draft/2020-12/schema"}"#);
    good(r#"{"$schema":"https://json-schema.org/draft/2020-12/schema#"}"#);
    good(r#"{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{},"items":{}}"#);
    good(r#"{"$schema":"http://json-schema.org/draft-07/schema"}"#);
    for found in
        ["https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft-04/schema#", ""]
    {
        let reason = Reason::UnknownDialect { found: found.to_owned() };
        refused(&format!(r#"{{"$schema":"{found}"}}"#), "/$schema", reason);
    }
    // What draft-07 writes in another way would be ignored.
    let draft_07 = r#""$schema":"http://json-schema.org/draft-07/schema#""#;
    refused(&format!(r#"{{{draft_07},"items":[{{}}]}}"#), "/items", Reason::NotASchema);
    let instead = Reason::Replaced { instead: "`dependentRequired` or `dependentSchemas`" };
    refused(&format!(r#"{{{draft_07},"not":{{"dependencies":{{}}}}}}"#), "/not/dependencies", instead);
    good(r#"{"dependencies":{}}"#);
}

#[test]
fn patterns_are_compiled() {
    let pattern =
        |text: &str, problem: &str| Reason::Pattern { pattern: text.into(), problem: problem.into() };
    let around = pattern("a(?=b)", "look-around and flags are not supported");
    refused(r#"{"pattern":"a(?=b)"}"#, "/pattern", around.clone());
    refused(r#"{"patternProperties":{"a(?=b)":true}}"#, "/patternProperties/a(?=b)", around);
}

#[test]
fn references_stay_within_the_document() {
    for reference in [
        "http://example.com/schema",
        "https://a/b#/c",
        "other.json",
        "other.json#x",
        "file:///etc/passwd",
        "//h",
    ] {
        let reason = Reason::Remote { reference: reference.to_owned() };
        refused(&format!(r#"{{"items":{{"$ref":"{reference}"}}}}"#), "/items/$ref", reason.clone());
        refused(&format!(r#"{{"items":{{"$dynamicRef":"{reference}"}}}}"#), "/items/$dynamicRef", reason);
    }
    for reference in ["#/$defs/b", "#/$defs/a/x", "#a", "#/allOf/1", "#/allOf/x", "#//", "#/ "] {
        let reason = Reason::Dangling { reference: reference.to_owned() };
        let schema = format!(r#"{{"$defs":{{"a":{{}}}},"allOf":[{{}}],"items":{{"$ref":"{reference}"}}}}"#);
        refused(&schema, "/items/$ref", reason);
    }
    good(r##"{"$id":"https://a/b/c","items":{"$ref":"d#x"},"$defs":{"d":{"$id":"/b/d","$anchor":"x"}}}"##);
    let reason = Reason::Remote { reference: "e".to_owned() };
    refused(
        r##"{"$id":"https://a/b/c","items":{"$ref":"e"},"$defs":{"d":{"$id":"/b/d"}}}"##,
        "/items/$ref",
        reason,
    );
}

#[test]
fn what_a_reference_leads_to_is_a_schema() {
    good(r##"{"$ref":"#/x-own/a","x-own":{"a":{"type":"string"}}}"##);
    refused(
        r##"{"$ref":"#/x-own/a","x-own":{"a":{"type":7}}}"##,
        "/$ref/type",
        wrong("a type or a list of types"),
    );
    refused(r##"{"$ref":"#/x-own/a","x-own":{"a":7}}"##, "/$ref", Reason::NotASchema);
    let reason = Reason::Remote { reference: "http://a".to_owned() };
    refused(r##"{"$ref":"#/x-own","x-own":{"$ref":"http://a"}}"##, "/$ref/$ref", reason);
}

#[test]
fn names_are_given_once() {
    let name = |name: &str| Reason::SameName { name: name.to_owned() };
    refused(r#"{"$anchor":"a","items":{"$anchor":"a"}}"#, "/items/$anchor", name("a"));
    refused(r#"{"$anchor":"a","items":{"$dynamicAnchor":"a"}}"#, "/items/$dynamicAnchor", name("a"));
    good(r#"{"$anchor":"a","items":{"$id":"b","$anchor":"a"}}"#);
    refused(r#"{"items":{"$id":"b"},"not":{"$id":"b"}}"#, "/not/$id", name("b"));
    refused(r##"{"$id":"a#b"}"##, "/$id", Reason::Identifier { id: "a".into() });
    good(r##"{"$id":"a#"}"##);
}

#[test]
fn circles_are_found() {
    let endless = |reference: &str| Reason::Endless { reference: reference.to_owned() };
    refused(r##"{"$ref":"#"}"##, "/$ref", endless("#"));
    refused(r##"{"anyOf":[{"type":"null"},{"$ref":"#"}]}"##, "/anyOf/1/$ref", endless("#"));
    refused(r##"{"not":{"$ref":"#"}}"##, "/not/$ref", endless("#"));
    refused(r##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##, "/dependentSchemas/a/$ref", endless("#"));
    let two =
        r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"if":true,"then":{"$ref":"#/$defs/a"}}}}"##;
    refused(two, "/$defs/a/allOf/0/$ref", endless("#/$defs/b"));
    // Into the instance is no circle.
    good(r##"{"properties":{"a":{"$ref":"#"}},"items":{"$ref":"#"},"additionalProperties":{"$ref":"#"}}"##);
    good(r##"{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"$defs":{"a":{"items":{"$ref":"#"}}}}"##);
}

/// `count` definitions, each of which refers to the next one.
fn chain(count: usize) -> String {
    let links = (1..count).map(|index| format!(r##""{}":{{"$ref":"#/$defs/{index}"}},"##, index - 1));
    format!(r#"{{"$defs":{{{}"{}":{{}}}}}}"#, links.collect::<String>(), count - 1)
}

#[test]
fn every_limit_holds() {
    good(&chain(limits::EVALUATION + 1));
    let document = chain(limits::EVALUATION + 2);
    assert_eq!(
        Schema::check(&Json::parse(&document).unwrap()).map(|_| ()).unwrap_err().reason,
        Reason::TooDeep
    );
    let document = chain(3000);
    assert_eq!(
        Schema::check(&Json::parse(&document).unwrap()).map(|_| ()).unwrap_err().reason,
        Reason::TooDeep
    );
    let wide = |schemas: usize| format!(r#"{{"allOf":[{}{{}}]}}"#, "{},".repeat(schemas - 2));
    good(&wide(limits::SUBSCHEMAS));
    refused(&wide(limits::SUBSCHEMAS + 1), "/allOf/4095", Reason::TooLarge);
}

#[test]
fn what_each_reference_looks_through_is_bounded() {
    let named = |count: usize| {
        let schemas = (1..count).map(|index| format!(r#"{{"$anchor":"a{index}"}},"#));
        format!(r#"{{"allOf":[{}true]}}"#, schemas.collect::<String>())
    };
    good(&named(limits::NAMES));
    refused(&named(limits::NAMES + 2), "/allOf/256", Reason::TooLarge);
    let long = |length: usize| format!(r#"{{"$defs":{{"{}":{{}}}}}}"#, "x".repeat(length));
    good(&long(limits::POINTER - 6));
    refused(&long(limits::POINTER - 5), "/$defs", Reason::TooLarge);
}

#[test]
fn faults_say_what_to_do() {
    let text = |schema| Schema::check(&Json::parse(schema).unwrap()).map(|_| ()).unwrap_err().to_string();
    assert_eq!(text("7"), "schema at `/`: must be an object or a boolean");
    assert_eq!(
        text(r#"{"items":{"$ref":"http://a/b"}}"#),
        "schema at `/items/$ref`: `http://a/b` is in another document, and none is fetched: bundle it in `$defs`"
    );
    assert_eq!(
        text(r#"{"pattern":"\\p{L}"}"#),
        "schema at `/pattern`: pattern `\\p{L}`: `\\p` is not supported"
    );
}
