//! What ends early, whatever schema and instance are.

use super::*;

#[track_caller]
fn stopped(schema: &str, instance: &str, stop: Stop, sentence: &str) {
    let violations = judge(schema, instance).unwrap_err();
    assert_eq!(violations, Violations { found: vec![], stopped: Some(stop) }, "{schema}");
    assert_eq!(violations.to_string(), sentence);
    valid(r#"{"type":"integer"}"#, "1");
}

/// Each definition applies the one before it twice: 2^39 evaluations.
fn exploding(keyword: &str) -> String {
    let doubled = (1..40).map(|level| {
        let before = format!(r##"{{"$ref":"#/$defs/{}"}}"##, level - 1);
        format!(r#","{level}":{{"{keyword}":[{before},{before}]}}"#)
    });
    format!(r##"{{"$ref":"#/$defs/39","$defs":{{"0":{{"type":"null"}}{}}}}}"##, doubled.collect::<String>())
}

#[test]
fn composition_that_explodes_is_given_up() {
    let sentence = "takes too long to check: send less";
    stopped(&exploding("allOf"), "null", Stop::TooCostly, sentence);
    stopped(&exploding("anyOf"), "1", Stop::TooCostly, sentence);
    stopped(&exploding("oneOf"), "1", Stop::TooCostly, sentence);
    // Giving up is no failure that a `not` could turn into a success.
    let schema =
        exploding("allOf").replacen(r##""$ref":"#/$defs/39""##, r##""not":{"$ref":"#/$defs/39"}"##, 1);
    stopped(&schema, "null", Stop::TooCostly, sentence);
    // Nor is it one violation among others.
    let both = r##""allOf":[{"const":1},{"$ref":"#/$defs/39"}]"##;
    stopped(
        &exploding("allOf").replacen(r##""$ref":"#/$defs/39""##, both, 1),
        "null",
        Stop::TooCostly,
        sentence,
    );
}

#[test]
fn work_on_large_instances_is_given_up() {
    let sentence = "takes too long to check: send less";
    let all_of = |keyword: &str| format!(r#"{{"allOf":[{}true]}}"#, format!("{{{keyword}}},").repeat(2000));
    let numbers = format!("[{}0]", "1,".repeat(10_000));
    stopped(&all_of(r#""contains":{"const":0}"#), &numbers, Stop::TooCostly, sentence);
    let distinct: Vec<_> = (0..10_000).map(|number| number.to_string()).collect();
    stopped(
        &all_of(r#""uniqueItems":true"#),
        &format!("[{}]", distinct.join(",")),
        Stop::TooCostly,
        sentence,
    );
    let zeros = format!("[{}0]", "0,".repeat(9_999));
    let same = format!(
        r##"{{"allOf":[{}true],"$defs":{{"c":{{"const":{zeros}}}}}}}"##,
        r##"{"$ref":"#/$defs/c"},"##.repeat(400)
    );
    stopped(&same, &zeros, Stop::TooCostly, sentence);
    let text = format!("\"{}\"", "x".repeat(500_000));
    stopped(&all_of(r#""maxLength":1000000"#), &text, Stop::TooCostly, sentence);
    stopped(&all_of(r#""pattern":"x$""#), &text, Stop::TooCostly, sentence);
    let name = format!("{{{text}:1}}");
    stopped(&all_of(r#""additionalProperties":true"#), &name, Stop::TooCostly, sentence);
}

#[test]
fn an_honest_instance_of_any_size_is_judged() {
    let schema = r#"{"type":"array","items":{"type":"integer","minimum":0,"maximum":1000000}}"#;
    let numbers = |last: &str| format!("[{}{last}]", "123456,".repeat(130_000 - 1));
    valid(schema, &numbers("0"));
    invalid(schema, &numbers("-1"), "minimum", "`/129999`: must be at least 0, is -1");
    let schema = r#"{"items":{"properties":{"name":{"type":"string","maxLength":100,"pattern":"^[A-Z][a-z ]{1,99}$"}}}}"#;
    valid(schema, &format!("[{}{{}}]", r#"{"name":"Some words as a name"},"#.repeat(5_000)));
}

#[test]
fn depth_is_bounded() {
    let sentence = "is nested too deeply to check";
    stopped(r##"{"$dynamicRef":"#"}"##, "1", Stop::TooDeep, sentence);
    stopped(r##"{"not":{"$dynamicRef":"#"}}"##, "1", Stop::TooDeep, sentence);
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    valid(r##"{"allOf":[{"items":{"$ref":"#"}}]}"##, &nested(limits::DEPTH));
    let schema = r##"{"allOf":[{"allOf":[{"items":{"$ref":"#"}}]}]}"##;
    stopped(schema, &nested(limits::DEPTH), Stop::TooDeep, sentence);
    valid(schema, &nested(limits::EVALUATION / 4));
}

#[test]
fn a_few_violations_are_enough() {
    let schema = r#"{"items":{"type":"null"}}"#;
    let items = |count: usize| format!("[{}null]", "1,".repeat(count));
    let violations = judge(schema, &items(7)).unwrap_err();
    assert_eq!((violations.found.len(), violations.stopped), (7, None));
    for count in [8, 9, 1000] {
        let violations = judge(schema, &items(count)).unwrap_err();
        assert_eq!((violations.found.len(), violations.stopped), (limits::VIOLATIONS, Some(Stop::Enough)));
        assert!(violations.to_string().ends_with("`/7`: must be null, is an integer; there may be more"));
    }
    let all =
        r#"{"allOf":[{"required":["a","b","c","d","e","f","g","h","i"]}],"anyOf":[{"required":["x"]}]}"#;
    assert_eq!(judge(all, "{}").unwrap_err().found.len(), limits::VIOLATIONS);
}

#[test]
fn what_is_said_is_short_whatever_nests() {
    // Alternatives within alternatives multiply.
    let mut schema = r#"{"type":"null"}"#.to_owned();
    for _ in 0..5 {
        let each = format!("{schema},");
        schema = format!(r#"{{"anyOf":[{}{schema}]}}"#, each.repeat(4));
    }
    let sentence = judge(&schema, "1").unwrap_err().to_string();
    assert!(sentence.len() < limits::SENTENCE + 8, "{}", sentence.len());
}
