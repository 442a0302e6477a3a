//! The official test suite of JSON Schema for 2020-12, which someone else wrote. It lies outside the repository:
//! `tests/fetch_suite.py` fetches it, and `VALET_JSON_SCHEMA_SUITE` says where it is. Without it the tests say
//! that they did not run, which is a failure under `CI`.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

#[path = "../../../../tests/suite/src/absent/mod.rs"]
mod absent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use valet_core_schema::{Json, Reason, Schema, SchemaFault};

/// Groups of tests whose schemas are refused, and what the refusal has to say. A group that is judged after all fails as
/// well. May only shrink.
const REFUSED: &[(&str, &str)] = &[
    // The metaschema is a document of its own.
    ("defs: validate definition against metaschema", "is in another document"),
    ("ref: remote ref, containing refs itself", "is in another document"),
    // Fetched from an address other than its `$id`. Nothing is fetched, so `$id` alone counts.
    ("refRemote: remote HTTP ref with different $id", "is in another document"),
    ("refRemote: remote HTTP ref with different URN $id", "is in another document"),
    // Dialects with vocabularies of their own.
    ("vocabulary: ignore unrecognized optional vocabulary", "is no supported dialect"),
    (
        "vocabulary: schema that uses custom metaschema with with no validation vocabulary",
        "is no supported dialect",
    ),
    // Optional; it takes tables of Unicode, which are larger than all the rest.
    ("ecmascript-regex: pattern with non-ASCII digits", "`\\p` is not supported"),
    ("ecmascript-regex: patternProperties with non-ASCII digits", "`\\p` is not supported"),
    ("ecmascript-regex: patterns always use unicode semantics with pattern", "`\\p` is not supported"),
    (
        "ecmascript-regex: patterns always use unicode semantics with patternProperties",
        "`\\p` is not supported",
    ),
];

/// The optional files that apply. The others are about `format` as an assertion, other dialects and `dependencies`.
const OPTIONAL: &[&str] = &[
    "anchor",
    "bignum",
    "dynamicRef",
    "ecmascript-regex",
    "float-overflow",
    "id",
    "no-schema",
    "non-bmp-regex",
    "refOfUnknownKeyword",
    "unknownKeyword",
];

#[expect(clippy::disallowed_methods, reason = "a test may read its cases; the core itself does no I/O")]
fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "as above")]
fn suite() -> Option<PathBuf> {
    let folder = std::env::var("VALET_JSON_SCHEMA_SUITE").ok().map(PathBuf::from);
    if folder.is_none() {
        absent::not_run("VALET_JSON_SCHEMA_SUITE is not set (tests/fetch_suite.py makes what it names)");
    }
    folder
}

/// The JSON files in `folder`, or in it and below it, sorted.
fn files(folder: &Path, is_deep: bool) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && is_deep {
            files.extend(self::files(&path, is_deep));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The documents that the suite expects at its own address, as `$defs` of a bundle (JSON Schema Core 9.3).
fn bundle(suite: &Path) -> Map<String, Value> {
    let folder = suite.join("remotes");
    let mut documents = Map::new();
    for path in files(&folder, true) {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        let is_other_dialect = name.starts_with("draft") && !name.starts_with("draft2020-12/");
        if is_other_dialect || name.contains("metaschema") || name.contains("format-assertion") {
            continue;
        }
        let mut document = read(&path);
        if let Some(members) = document.as_object_mut() {
            members.entry("$id").or_insert_with(|| json!(format!("http://localhost:1234/{name}")));
            documents.insert(name.to_owned(), document);
        }
    }
    documents
}

/// Judges a group's tests; those that come out otherwise than the suite says are added to `different`.
fn judge(schema: &Value, tests: &[Value], different: &mut Vec<String>) -> Result<(), SchemaFault> {
    let text = schema.to_string();
    let document = Json::parse(&text).unwrap();
    let schema = Schema::check(&document)?;
    for test in tests {
        let instance = test["data"].to_string();
        let result = schema.validate(&Json::parse(&instance).unwrap());
        if result.is_ok() != test["valid"].as_bool().unwrap() {
            different.push(format!("{text} {instance} {}: {result:?}", test["description"]));
        }
    }
    Ok(())
}

/// As [`judge`], with `documents` bundled into the schema if it refers to others.
fn judge_bundled(
    schema: &Value,
    tests: &[Value],
    documents: &Map<String, Value>,
    different: &mut Vec<String>,
) -> Result<(), SchemaFault> {
    match judge(schema, tests, different) {
        Err(SchemaFault { reason: Reason::Remote { .. }, .. }) => {
            let mut schema = schema.clone();
            let definitions = schema.as_object_mut().unwrap().entry("$defs").or_insert_with(|| json!({}));
            definitions.as_object_mut().unwrap().extend(documents.clone());
            judge(&schema, tests, different)
        }
        result => result,
    }
}

#[test]
fn official_suite() {
    let Some(suite) = suite() else { return };
    let documents = bundle(&suite);
    let (mut judged, mut different, mut refused) = (0, vec![], BTreeMap::new());
    let mut paths = files(&suite.join("tests"), false);
    paths.extend(OPTIONAL.iter().map(|name| suite.join("tests/optional").join(name).with_extension("json")));
    for path in paths {
        let file = path.file_stem().unwrap().to_str().unwrap();
        for group in read(&path).as_array().unwrap() {
            let tests = group["tests"].as_array().unwrap();
            match judge_bundled(&group["schema"], tests, &documents, &mut different) {
                Ok(()) => judged += tests.len(),
                Err(fault) => {
                    let name = format!("{file}: {}", group["description"].as_str().unwrap());
                    refused.insert(name, fault.to_string());
                }
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    for (group, words) in REFUSED {
        let fault = refused.remove(*group).expect("judged or gone: take it off the list");
        assert!(fault.contains(words), "{group}: {fault}");
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(judged, 1347, "the suite is pinned");
}

/// Random schemas and instances with the verdicts of the Python library `jsonschema`, made by `tests/make_cases.py`.
#[test]
fn other_implementation() {
    let Some(suite) = suite() else { return };
    let groups = read(&suite.join("generated.json"));
    let (mut judged, mut different) = (0, vec![]);
    for group in groups.as_array().unwrap() {
        let tests = group["tests"].as_array().unwrap();
        judge(&group["schema"], tests, &mut different).unwrap();
        judged += tests.len();
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(judged, 32_000, "the cases are the same each time");
}
