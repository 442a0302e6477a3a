//! What `docs/oauth-cases.md` says of this repository itself: its tests are there (C29), and so is what crates declare (C22).

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the tests of a module may be, by the rule that stands at the head of the page.
fn files(module: &str) -> Vec<PathBuf> {
    let root = root();
    let (kind, rest) = module.split_once('/').unwrap_or(("", module));
    let base = match kind {
        "session" | "native" | "portable" | "rows" | "local" => {
            return vec![root.join("tests/suite/tests").join(kind).join(format!("{rest}.rs"))];
        }
        // Cases of a job, in Python or JavaScript.
        "job" => {
            let path = root.join("tests/clients/local").join(rest);
            return ["py", "mjs"].map(|extension| path.with_extension(extension)).into();
        }
        "token" => root.join("components/core/token/src/tests"),
        "entra" | "mcp" | "graph" => root.join("components/core").join(kind).join("src"),
        "store" => root.join("host/store/tests"),
        "host" => root.join("host/src"),
        "sign-in" => root.join("host/sign-in/src"),
        _ => root.join("components/core/oauth/src"),
    };
    let ours = base.ends_with("oauth/src");
    let rest = if ours { module } else { rest };
    let mut files: Vec<PathBuf> =
        ["", "_tests", "/tests", "/mod"].map(|end| base.join(format!("{rest}{end}.rs"))).into();
    if kind == "sign-in" {
        files.push(root.join("host/sign-in/tests/suite").join(format!("{rest}.rs")));
    }
    files
}

/// Whether a file has a test of this name.
fn has(file: &Path, test: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    match file.extension().and_then(|extension| extension.to_str()) {
        // What a case is called goes on behind a colon there.
        Some("mjs") => return text.replace("\\'", "'").contains(&format!("'{test}: ")),
        Some("py") => return text.replace('`', "").contains(&format!("\"{test}\"")),
        _ => {}
    }
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
    found.is_some_and(|at| above(at).any(|line| *line == "#[test]" || line.starts_with("#[tokio::test")))
}

/// The rows of the page's tables.
fn rows() -> impl Iterator<Item = &'static str> {
    let page = include_str!("../../../../docs/oauth-cases.md");
    page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| case "))
}

#[test]
fn the_page_of_cases_names_tests_that_are_there() {
    let (mut named, mut missing) = (0, Vec::new());
    for line in rows() {
        let last = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        // One letter is quoted there, and is no test.
        let tests: Vec<&str> = last.split('`').skip(1).step_by(2).filter(|text| text.len() > 1).collect();
        for text in &tests {
            named += 1;
            let named_there = |(module, test)| files(module).iter().any(|file| has(file, test));
            if !text.split_once(": ").is_some_and(named_there) {
                missing.push((*text).to_owned());
            }
        }
        if tests.is_empty() && last != "as there" {
            missing.push(format!("a test in: {line}"));
        }
    }
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
    assert!(named > 150, "{named}: the page has another form, and nothing was checked");
}

/// Kinds of numbered cases, and how many there are: the list that the tests were made from, and E-15, which was added to it here.
const NUMBERED: [(&str, u32); 5] = [("O-", 34), ("E-", 15), ("C", 30), ("P", 13), ("L-", 5)];

/// Published cases of servers that give out tokens, ask for them, or stand between people and those who do.
const PUBLISHED: [&str; 27] = [
    "CVE-2024-32980",
    "CVE-2025-6514",
    "CVE-2025-6515",
    "CVE-2025-64484",
    "CVE-2025-66414",
    "CVE-2025-66416",
    "CVE-2025-69196",
    "CVE-2026-25537",
    "CVE-2026-26118",
    "CVE-2026-27124",
    "CVE-2026-29000",
    "CVE-2026-32211",
    "CVE-2026-33946",
    "CVE-2026-35568",
    "CVE-2026-42559",
    "GHSA-5h2m-4q8j-pqpj",
    "GHSA-5hvv-m4w4-gf6v",
    "GHSA-5m6c-jp6f-2vcv",
    "GHSA-7rh7-c77v-6434",
    "GHSA-7x63-xv5r-3p2x",
    "GHSA-c2jp-c369-7pvx",
    "GHSA-c5c4-8r6x-56w3",
    "GHSA-j7px-6hwj-hpjg",
    "GHSA-pxq7-h93f-9jrg",
    "GHSA-qqxw-m5fj-f7gv",
    "GHSA-rww4-4w9c-7733",
    "GHSA-xw59-hvm2-8pj6",
];

/// Whether this is the name of a case; rows about what fails around us have none.
fn is_name(text: &str) -> bool {
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let is_numbered = |kind: &str| text.strip_prefix(kind).is_some_and(is_number);
    NUMBERED.iter().any(|(kind, _)| is_numbered(kind))
        || text.starts_with("CVE-")
        || text.starts_with("GHSA-")
}

#[test]
fn the_page_of_cases_has_each_case_once() {
    let numbered = NUMBERED.iter().flat_map(|(kind, last)| (1..=*last).map(move |it| format!("{kind}{it}")));
    let mut missing: Vec<String> = numbered.chain(PUBLISHED.map(str::to_owned)).collect();
    let mut surplus = Vec::new();
    for row in rows() {
        let names = row.trim_start_matches("| ").split(" | ").next().unwrap();
        for name in names.split(", ").filter(|name| is_name(name)) {
            match missing.iter().position(|expected| expected == name) {
                Some(at) => drop(missing.remove(at)),
                None => surplus.push(name),
            }
        }
    }
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:?}; twice or new: {surplus:?}");
}

/// Dependencies that no line names, and why they are there.
const UNNAMED: [(&str, &str); 1] =
    // Its features choose the provider that the client of Redis finds.
    [("host/store", "rustls")];

/// The folders below `folder` that have a manifest.
fn crates(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            if path.join("Cargo.toml").exists() {
                found.push(path.clone());
            }
            crates(&path, found);
        }
    }
}

/// The sources of the crate in `folder`, without comments, and with those that it includes from elsewhere.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join("Cargo.toml").exists() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for line in source.lines() {
                let included =
                    line.trim().strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"));
                if let Some(included) = included.filter(|included| included.starts_with("../")) {
                    // Another crate's module, with what lies beside it.
                    sources(folder.join(included).parent().unwrap(), text);
                }
                text.push_str(line.split("//").next().unwrap_or_default());
                text.push('\n');
            }
        }
    }
}

/// The name by which code knows a dependency: that of its library, where it is a crate of ours that gives it another.
fn name_in_code(folder: &Path, name: &str, value: &toml::Value) -> String {
    let library = value.get("path").and_then(|path| {
        let manifest = std::fs::read_to_string(folder.join(path.as_str()?).join("Cargo.toml")).ok()?;
        let manifest: toml::Table = toml::from_str(&manifest).ok()?;
        Some(manifest.get("lib")?.get("name")?.as_str()?.to_owned())
    });
    library.unwrap_or_else(|| name.replace('-', "_"))
}

/// Whether `text` has `name` as a word.
fn names(text: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}

#[test]
fn each_crate_uses_what_it_declares() {
    let mut folders = Vec::new();
    crates(&root(), &mut folders);
    let (mut declared, mut unused) = (0, Vec::new());
    for folder in folders {
        let manifest: toml::Table =
            toml::from_str(&std::fs::read_to_string(folder.join("Cargo.toml")).unwrap()).unwrap();
        let targets =
            manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|all| all.values());
        let tables = targets.filter_map(toml::Value::as_table).chain([&manifest]);
        let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
        let dependencies =
            tables.flat_map(|table| kinds.iter().filter_map(|kind| table.get(*kind)?.as_table())).flatten();
        let mut text = String::new();
        sources(&folder, &mut text);
        for (name, value) in dependencies {
            declared += 1;
            let known = UNNAMED.iter().any(|(at, known)| folder.ends_with(at) && known == name);
            if !known && !names(&text, &name_in_code(&folder, name, value)) {
                unused.push(format!("{name} in {}", folder.display()));
            }
        }
    }
    assert!(unused.is_empty(), "declared and not used:\n{}", unused.join("\n"));
    assert!(declared > 100, "{declared}: nothing was looked at");
}
