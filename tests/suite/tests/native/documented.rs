//! What the pages for operators tell people to write is taken: every configuration is put before `valet check`, every JSON is JSON.

use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};
use valet_suite::certificates;
use valet_suite::config::{Folder, artifacts, list};
use valet_suite::process::Process;

/// The pages, and how many blocks of TOML and JSON each has. One that has none yet may get some.
const PAGES: [(&str, usize, usize); 4] = [
    ("entra-setup.md", 4, 0),
    ("connecting-clients.md", 4, 3),
    ("remote-server.md", 0, 0),
    ("configuration.md", 0, 0),
];

/// A page of `docs`.
pub(crate) fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    std::fs::read_to_string(docs.join(name)).unwrap()
}

/// The blocks of a page in this language.
pub(crate) fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let (mut found, mut block) = (Vec::new(), None);
    for line in page.lines() {
        match block.take() {
            None if line.trim() == fence => block = Some(String::new()),
            None => {}
            Some(text) if line.trim() == "```" => found.push(text),
            Some(text) => block = Some(format!("{text}{line}\n")),
        }
    }
    assert!(block.is_none(), "a block without an end");
    found
}

/// Sets what is not there.
fn complete(table: &mut Table, section: &str, key: &str, value: impl Into<Value>) {
    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new())).as_table_mut().unwrap();
    section.entry(key).or_insert_with(|| value.into());
}

/// Has a configuration, or a part of one, to be good.
pub(crate) fn check(text: &str) {
    let (status, said) = checked(text);
    let is_good = said.lines().next().is_some_and(|line| line.ends_with("is good for `valet serve`."));
    assert!(status == Some(0) && is_good, "{said}\n{text}");
}

/// Puts a configuration, or a part of one, before `valet check`, and gives its status and what it said. What a part lacks of what every one needs is added.
fn checked(text: &str) -> (Option<i32>, String) {
    let mut table: Table = toml::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    // One that is shown as a whole has to be whole.
    if !["server", "entra", "tools"].iter().all(|section| table.contains_key(*section)) {
        if table.get("oauth").is_some_and(|oauth| oauth.get("clients").is_some()) {
            complete(&mut table, "oauth", "mode", "session");
        }
        complete(&mut table, "server", "listen", "0.0.0.0:443");
        complete(&mut table, "server", "public_url", "https://mcp.example.com/mcp");
        complete(&mut table, "server", "tls_certificate", "certificate.pem");
        complete(&mut table, "server", "tls_key", "key.pem");
        complete(&mut table, "entra", "tenant", "11111111-1111-1111-1111-111111111111");
        complete(&mut table, "entra", "client_id", "22222222-2222-2222-2222-222222222222");
        complete(&mut table, "entra", "client_secret_file", "client-secret.txt");
        let mut rule = Table::new();
        rule.insert("scopes".to_owned(), list(&["mcp.access"]));
        complete(&mut table, "tools", "whoami", rule);
    }
    // Where they are built is this machine's business.
    table.insert("artifacts".to_owned(), artifacts().display().to_string().into());

    let folder = Folder::new();
    let leaf = certificates::leaf(&["mcp.example.com"]);
    folder.write("certificate.pem", leaf.certificate);
    folder.write("key.pem", leaf.key);
    folder.write("client-secret.txt", "a secret\n");
    folder.write("sealing-key.txt", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n");
    let file = folder.write("valet.toml", table.to_string());
    let mut process = Process::start(&["check"], &file, &[]);
    let status = process.end(Duration::from_secs(60)).and_then(|status| status.code());
    let log = process.log().text();
    (status, log + &process.output())
}

#[test]
fn the_configurations_of_the_pages_are_good() {
    for (name, configurations, others) in PAGES {
        let page = page(name);
        let found = blocks(&page, "toml");
        assert!(found.len() >= configurations, "{name} has another form, and nothing was checked");
        for block in found {
            check(&block);
        }
        let found = blocks(&page, "json");
        assert!(found.len() >= others, "{name} has another form, and nothing was checked");
        for block in found {
            let json: Result<serde_json::Value, _> = serde_json::from_str(&block);
            assert!(json.as_ref().is_ok_and(serde_json::Value::is_object), "{name}: {json:?}:\n{block}");
        }
    }
}

/// So that the test above is none that cannot fail.
#[test]
fn a_key_that_is_misspelt_would_be_noticed() {
    let (status, said) = checked("[oauth]\nmode = \"session\"\nregistration_redirect = [\"loopback\"]\n");
    assert_ne!(status, Some(0));
    assert!(said.contains("`oauth.registration_redirect`: unknown field"), "{said}");
    // What is shown as a whole gets nothing.
    let whole = "[server]\n[entra]\n[tools.whoami]\nscopes = [\"mcp.access\"]\n";
    assert_ne!(checked(whole).0, Some(0));
}
