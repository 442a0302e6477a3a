//! Documents that are policies, and those that are not. Every refusal asserts the variant.

use super::*;

#[track_caller]
fn refuses(json: &str, expected: PolicyError) {
    assert_eq!(Policy::parse(json), Err(expected), "{json}");
}

#[track_caller]
fn refuses_syntax(json: &str, part: &str) {
    match Policy::parse(json) {
        Err(PolicyError::Syntax(reason)) => assert!(reason.contains(part), "{json}: {reason}"),
        other => panic!("{json}: {other:?}"),
    }
}

fn tool(name: &str) -> Named {
    Named { subject: Subject::Tool, name: name.to_owned() }
}

/// A document with one tool.
fn one(rule: &str) -> String {
    format!(r#"{{"tools":{{"t":{rule}}}}}"#)
}

#[test]
fn what_is_not_plainly_a_policy_is_refused() {
    refuses_syntax("", "EOF");
    refuses_syntax("[]", "invalid type");
    refuses_syntax("{}", "missing field `tools`");
    refuses_syntax(r#"{"tools":{},"tool":{}}"#, "unknown field `tool`");
    refuses_syntax(r#"{"tools":{},"tools":{}}"#, "duplicate field `tools`");
    refuses_syntax(r#"{"tools":{"t":{"scopes":["a"]},"t":{"scopes":["b"]}}}"#, "duplicate member `t`");
    refuses_syntax(r#"{"tools":{},"implies":{"a":["b"],"a":["c"]}}"#, "duplicate member `a`");
    refuses_syntax(&one(r#"{"scope":["a"]}"#), "unknown field `scope`");
    refuses_syntax(&one(r#"{"scopes":"a"}"#), "invalid type");
    refuses_syntax(&one(r#"{"scopes":["a"],"applications":"false"}"#), "invalid type");
    refuses_syntax(&one(r#"{"scopes":["a"],"scopes":["b"]}"#), "duplicate field `scopes`");
    refuses_syntax(&one("null"), "invalid type");
    refuses_syntax(&one(r#"[["a"],[],false]"#), "invalid type");
    refuses_syntax(r#"[{"t":{"scopes":["a"]}},{}]"#, "invalid type");
    refuses_syntax(&format!("{} x", one(r#"{"scopes":["a"]}"#)), "trailing characters");
    refuses_syntax(&"[".repeat(10_000), "");
}

#[test]
fn a_policy_for_nobody_is_refused() {
    refuses(r#"{"tools":{}}"#, PolicyError::NoTools);
    refuses(&one("{}"), PolicyError::EmptyRule(tool("t")));
    refuses(&one(r#"{"scopes":[],"roles":[]}"#), PolicyError::EmptyRule(tool("t")));
    refuses(&one(r#"{"applications":true}"#), PolicyError::EmptyRule(tool("t")));
    let expected = PolicyError::ApplicationsWithoutRoles(tool("t"));
    refuses(&one(r#"{"scopes":["a"],"applications":true}"#), expected);
}

#[test]
fn names_that_no_token_can_hold_are_refused() {
    for scope in ["", "a b", " a", "a\\\"", "é", "a\\n"] {
        let json = one(&format!(r#"{{"scopes":["{scope}"]}}"#));
        let place = "the `scopes` of tool `t`".to_owned();
        let scope = serde_json::from_str(&format!("\"{scope}\"")).unwrap();
        refuses(&json, PolicyError::InvalidScope { place, scope });
    }
    for role in ["", " a", "a "] {
        let json = one(&format!(r#"{{"roles":["{role}"]}}"#));
        refuses(&json, PolicyError::InvalidRole { named: tool("t"), role: role.into() });
    }
    for name in ["", "a b", "a/b", "*", "me://profile"] {
        let json = format!(r#"{{"tools":{{"{name}":{{"scopes":["a"]}}}}}}"#);
        refuses(&json, PolicyError::InvalidName(tool(name)));
    }
    let place = "the `scopes` of tool `t`".to_owned();
    refuses(&one(r#"{"scopes":["a","a"]}"#), PolicyError::Repeated { place, name: "a".into() });
    let place = "the `roles` of tool `t`".to_owned();
    refuses(&one(r#"{"roles":["a","b","a"]}"#), PolicyError::Repeated { place, name: "a".into() });
}

#[test]
fn a_hierarchy_with_a_cycle_is_refused() {
    let check = |implies: &str, scope: &str| {
        let json = format!(r#"{{"tools":{{"t":{{"scopes":["a"]}}}},"implies":{implies}}}"#);
        refuses(&json, PolicyError::Cycle { scope: scope.into() });
    };
    check(r#"{"a":["a"]}"#, "a");
    check(r#"{"a":["b"],"b":["a"]}"#, "a");
    check(r#"{"a":["b"],"b":["c"],"c":["d","b"]}"#, "b");
}

#[test]
fn a_hierarchy_may_have_several_ways_to_one_scope() {
    let json = r#"{"tools":{"t":{"scopes":["d"]}},"implies":{"a":["b","c"],"b":["d"],"c":["d"]}}"#;
    let policy = Policy::parse(json).unwrap();
    for held in ["a", "b", "c", "d"] {
        assert!(policy.has_scope(&[held.to_owned()], "d"), "{held}");
    }
    assert!(!policy.has_scope(&["b".to_owned()], "c"));
}

#[test]
fn sizes_are_bounded() {
    let long = format!("{}{}", one(r#"{"scopes":["a"]}"#), " ".repeat(limits::DOCUMENT));
    refuses(&long, PolicyError::TooLong { length: long.len() });
    let many: Vec<_> = (0..=limits::NAMES).map(|index| format!("\"s{index}\"")).collect();
    let (count, limit) = (limits::NAMES + 1, limits::NAMES);
    let list = "the `scopes` of tool `t`".to_owned();
    refuses(
        &one(&format!(r#"{{"scopes":[{}]}}"#, many.join(","))),
        PolicyError::TooMany { list, count, limit },
    );
    let tools: Vec<_> = (0..=limits::RULES).map(|index| format!(r#""t{index}":{{"roles":["r"]}}"#)).collect();
    let list = "`tools`".to_owned();
    let (count, limit) = (limits::RULES + 1, limits::RULES);
    refuses(&format!(r#"{{"tools":{{{}}}}}"#, tools.join(",")), PolicyError::TooMany { list, count, limit });
    let scopes: Vec<_> = (0..=limits::IMPLIES).map(|index| format!(r#""s{index}":["x"]"#)).collect();
    let json = format!(r#"{{"tools":{{"t":{{"roles":["r"]}}}},"implies":{{{}}}}}"#, scopes.join(","));
    let list = "`implies`".to_owned();
    let (count, limit) = (limits::IMPLIES + 1, limits::IMPLIES);
    refuses(&json, PolicyError::TooMany { list, count, limit });
}

#[test]
fn published_scopes_are_those_that_rules_ask_for() {
    let json = r#"{
        "tools": {
            "b": { "scopes": ["mcp.write", "mcp.access"] },
            "a": { "scopes": ["mcp.access"] },
            "c": { "roles": ["R"] }
        },
        "resources": { "r": { "scopes": ["mcp.read"] } },
        "prompts": { "p": { "scopes": ["mcp.access", "mcp.ask"] } },
        "implies": { "mcp.admin": ["mcp.write"] }
    }"#;
    let policy = Policy::parse(json).unwrap();
    assert_eq!(policy.scopes().collect::<Vec<_>>(), ["mcp.access", "mcp.ask", "mcp.read", "mcp.write"]);
    assert_eq!(policy.names(Subject::Tool).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(policy.names(Subject::Resource).collect::<Vec<_>>(), ["r"]);
    assert_eq!(policy.names(Subject::Prompt).collect::<Vec<_>>(), ["p"]);
}

#[test]
fn no_text_makes_it_panic() {
    let text = r#"{"tools":{"t":{"scopes":["a"],"roles":["r"],"applications":true}},"implies":{"b":["a"]}}"#;
    assert!(Policy::parse(text).is_ok());
    for end in 0..text.len() {
        assert!(Policy::parse(&text[..end]).is_err(), "{end}");
        for replacement in ["\"", "{", "}", "\\", "\u{0}", "9", ",", "é"] {
            let mutated = format!("{}{replacement}{}", &text[..end], &text[end + 1..]);
            let _ = Policy::parse(&mutated);
        }
    }
}

#[test]
fn resources_and_prompts_are_checked_like_tools() {
    for (subject, section) in [(Subject::Resource, "resources"), (Subject::Prompt, "prompts")] {
        let with =
            |entries: &str| format!(r#"{{"tools":{{"t":{{"roles":["r"]}}}},"{section}":{{{entries}}}}}"#);
        let named = |name: &str| Named { subject, name: name.to_owned() };
        assert!(Policy::parse(&with("")).is_ok());
        assert!(Policy::parse(&with(r#""n":{"scopes":["a"]}"#)).is_ok());
        refuses(&with(r#""n":{}"#), PolicyError::EmptyRule(named("n")));
        refuses(&with(r#""a b":{"scopes":["a"]}"#), PolicyError::InvalidName(named("a b")));
        let applications = with(r#""n":{"scopes":["a"],"applications":true}"#);
        refuses(&applications, PolicyError::ApplicationsWithoutRoles(named("n")));
        let role = with(r#""n":{"roles":[" "]}"#);
        refuses(&role, PolicyError::InvalidRole { named: named("n"), role: " ".into() });
        let place = format!("the `scopes` of {subject} `n`");
        refuses(&with(r#""n":{"scopes":["a b"]}"#), PolicyError::InvalidScope { place, scope: "a b".into() });
        refuses_syntax(&with(r#""n":{"scope":["a"]}"#), "unknown field `scope`");
        refuses_syntax(&with(r#""n":{"roles":["r"]},"n":{"roles":["r"]}"#), "duplicate member `n`");
        refuses_syntax(&with("").replace("{}", "[]"), "invalid type");
        // Not in place of a tool.
        let only = format!(r#"{{"tools":{{}},"{section}":{{"n":{{"roles":["r"]}}}}}}"#);
        refuses(&only, PolicyError::NoTools);
        let many: Vec<_> =
            (0..=limits::RULES).map(|index| format!(r#""n{index}":{{"roles":["r"]}}"#)).collect();
        let (list, count, limit) = (format!("`{section}`"), limits::RULES + 1, limits::RULES);
        refuses(&with(&many.join(",")), PolicyError::TooMany { list, count, limit });
    }
}

#[test]
fn errors_name_the_entry_to_change() {
    let text = |json: &str| Policy::parse(json).unwrap_err().to_string();
    assert_eq!(text(&one("{}")), "the rule of tool `t` names neither `scopes` nor `roles`");
    let json = r#"{"tools":{"t":{"roles":["r"]}},"prompts":{"a b":{"roles":["r"]}}}"#;
    assert_eq!(text(json), "`a b` in `prompts` is not a prompt name");
}
