//! `docs/oauth-cases.md` names tests that are there.

use std::path::{Path, PathBuf};

/// Where the tests of a module may be, by the rule that stands at the head of the page.
fn files(module: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (kind, rest) = module.split_once('/').unwrap_or(("", module));
    let base = match kind {
        "session" | "native" | "portable" | "rows" | "local" => {
            return vec![root.join("tests/suite/tests").join(kind).join(format!("{rest}.rs"))];
        }
        "token" => root.join("components/core/token/src/tests"),
        "entra" | "mcp" | "graph" => root.join("components/core").join(kind).join("src"),
        "store" => root.join("host/store/tests"),
        "host" => root.join("host/src"),
        "sign-in" => root.join("host/sign-in/src"),
        _ => root.join("components/core/oauth/src"),
    };
    let rest = if kind.is_empty() { module } else { rest };
    [format!("{rest}.rs"), format!("{rest}_tests.rs"), format!("{rest}/tests.rs"), format!("{rest}/mod.rs")]
        .map(|name| base.join(name))
        .into()
}

/// Whether a file has a test of this name.
fn has(file: &Path, test: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let begins = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(test))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let found = lines.iter().position(|line| begins(line));
    // Attributes stand above; what is between them and the function is none of another.
    let above = |at: usize| {
        lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"))
    };
    found.is_some_and(|at| above(at).any(|line| matches!(*line, "#[test]" | "#[tokio::test]")))
}

#[test]
fn the_page_of_cases_names_tests_that_are_there() {
    let page = include_str!("../../../../docs/oauth-cases.md");
    let (mut named, mut missing) = (0, Vec::new());
    for line in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| case ")) {
        let last = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let tests: Vec<(&str, &str)> = last
            .split('`')
            .skip(1)
            .step_by(2)
            .filter_map(|text| text.split_once(": ").filter(|(module, _)| !module.contains(' ')))
            .collect();
        for (module, test) in &tests {
            named += 1;
            if !files(module).iter().any(|file| has(file, test)) {
                missing.push(format!("{module}: {test}"));
            }
        }
        if tests.is_empty() && last != "as there" {
            missing.push(format!("a test in: {line}"));
        }
    }
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
    assert!(named > 150, "{named}: the page has another form, and nothing was checked");
}
