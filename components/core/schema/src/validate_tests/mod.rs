//! Each keyword with exact violations: values and sentence. What is valid is compared with the official suite
//! (`tests/suite.rs`); here it is what a model is told.

mod arrays;
mod bounds;
mod composition;
mod mutations;
mod objects;
mod scalars;

use super::*;

fn judge(schema: &str, instance: &str) -> Result<(), Violations> {
    let document = Json::parse(schema).unwrap();
    let schema = Schema::check(&document).unwrap();
    schema.validate(&Json::parse(instance).unwrap())
}

#[track_caller]
fn valid(schema: &str, instance: &str) {
    assert_eq!(judge(schema, instance), Ok(()), "{schema} {instance}");
}

/// The one violation: keyword and sentence.
#[track_caller]
fn invalid(schema: &str, instance: &str, keyword: &str, sentence: &str) -> Violation {
    let violations = judge(schema, instance).unwrap_err();
    assert_eq!(violations.to_string(), sentence, "{schema} {instance}");
    assert_eq!(violations.stopped, None);
    assert_eq!(violations.found.len(), 1, "{violations:?}");
    let violation = violations.found.into_iter().next().unwrap();
    assert_eq!(violation.keyword, keyword);
    violation
}

#[track_caller]
fn sentence(schema: &str, instance: &str, expected: &str) {
    assert_eq!(judge(schema, instance).unwrap_err().to_string(), expected, "{schema} {instance}");
}
