//! The official test suite of JSON Schema for 2020-12, which someone else wrote. It lies outside the repository:
//! `tests/fetch_suite.py` fetches it, and `VALET_JSON_SCHEMA_SUITE` says where it is. Without it the test says so and
//! passes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use valet_core_schema::{Json, Schema};

#[expect(clippy::disallowed_methods, reason = "a test may read its cases; the core itself does no I/O")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "as above")]
fn folder() -> Option<PathBuf> {
    std::env::var("VALET_JSON_SCHEMA_SUITE").ok().map(PathBuf::from)
}

/// What became of one test: `None` if it came out as the suite says.
fn judge(schema: &Value, instance: &Value, expected: bool) -> Option<String> {
    let (schema, instance) = (schema.to_string(), instance.to_string());
    let document = Json::parse(&schema).unwrap();
    let schema = match Schema::check(&document) {
        Ok(schema) => schema,
        Err(fault) => return Some(fault.to_string()),
    };
    let result = schema.validate(&Json::parse(&instance).unwrap());
    (result.is_ok() != expected).then(|| result.map_or_else(|error| error.to_string(), |()| "valid".to_owned()))
}

#[test]
fn official_suite() {
    let Some(folder) = folder() else {
        // Past the harness, which would swallow it because the test passes.
        writeln!(std::io::stderr(), "not run: VALET_JSON_SCHEMA_SUITE is not set").unwrap();
        return;
    };
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let (mut count, mut different) = (0, BTreeMap::new());
    for path in &files {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let groups: Vec<Value> = serde_json::from_str(&read(path)).unwrap();
        for group in &groups {
            for test in group["tests"].as_array().unwrap() {
                count += 1;
                let found = judge(&group["schema"], &test["data"], test["valid"].as_bool().unwrap());
                if let Some(found) = found {
                    let (group, test) = (group["description"].as_str().unwrap(), test["description"].as_str().unwrap());
                    different.insert(format!("{name}: {group}: {test}"), found);
                }
            }
        }
    }
    println!("{count}");
    for (name, found) in &different { println!("{name} => {found}"); }
    panic!();
}
