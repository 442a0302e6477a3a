//! `mcp.toml`: single messages that break JSON, JSON-RPC or MCP, from a caller who is known.

use std::collections::BTreeMap;

use entra_emulator::ids;
use serde::Deserialize;
use serde_json::{Value, json};
use valet_suite::ask::{LEGACY, modern};
use valet_suite::{Ask, Rig, run};

use crate::http::good;
use crate::size;

/// One row: a perfect request with something changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// Its number in the list of rows.
    row: String,
    name: String,
    /// A call of `whoami` in the revision of 2026-07-28; else of 2025-11-25.
    #[serde(default)]
    modern: bool,
    /// Fields with another value.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// Fields that are left out.
    #[serde(default)]
    drop: Vec<String>,
    /// The method, instead of a call.
    method: Option<String>,
    /// Its parameters.
    params: Option<Value>,
    /// The body, instead of all that. `{open}` and `{close}` stand for nesting, `{long}` for a long text.
    body: Option<String>,
    /// How deep `{open}` and `{close}` nest, each level written as the pair says.
    nest: Option<(usize, String, String)>,
    /// How long `{long}` is.
    #[serde(default)]
    long: usize,
    /// Bytes that are put in the place of `{bytes}`.
    #[serde(default)]
    bytes: Vec<u8>,
    /// The verb, instead of POST.
    verb: Option<String>,
    status: u16,
    /// The error's code; none for a result.
    code: Option<i64>,
    /// What the answer has in it.
    #[serde(default)]
    says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

#[test]
fn every_row_of_mcp_gets_its_answer_and_the_next_good_call_works() {
    run(async {
        let rows: Rows = toml::from_str(include_str!("mcp.toml")).unwrap();
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        good(&rig).await;
        let before = size::resident(&rig);
        let mut wrong = Vec::new();
        for row in &rows.row {
            let answer = rig.send(row.ask(&token)).await;
            let code =
                serde_json::from_str::<Value>(&answer.body).unwrap_or_default()["error"]["code"].as_i64();
            if (answer.status, code) != (row.status, row.code) || !answer.body.contains(&row.says) {
                let found = format!("{} {code:?} {:.300}", answer.status, answer.body);
                wrong.push(format!(
                    "{} {}: expected {} {:?} {:?}, got {found}",
                    row.row, row.name, row.status, row.code, row.says
                ));
            }
            good(&rig).await;
        }
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.row.len(), wrong.join("\n"));
        size::back_to(&rig, before).await;
    });
}

impl Row {
    fn ask(&self, token: &str) -> Ask {
        let method = self.method.as_deref().unwrap_or("tools/call");
        let params = self.params.clone().unwrap_or_else(|| json!({ "name": "whoami", "arguments": {} }));
        let mut ask =
            if self.modern { Ask::modern(method, params) } else { Ask::legacy(LEGACY, method, params) };
        if let Some(body) = &self.body {
            ask = ask.body(self.fill(body));
        }
        ask = ask.bearer(token);
        for (name, value) in &self.set {
            ask = ask.header(name, value);
        }
        for name in &self.drop {
            ask = ask.without(name);
        }
        match &self.verb {
            Some(verb) => ask.verb(verb),
            None => ask,
        }
    }

    fn fill(&self, body: &str) -> Vec<u8> {
        let mut text = body.replace("{long}", &"a".repeat(self.long));
        text = text.replace("{meta}", &modern("", json!({}))["params"]["_meta"].to_string());
        if let Some((depth, open, close)) = &self.nest {
            text = text.replace("{open}", &open.repeat(*depth)).replace("{close}", &close.repeat(*depth));
        }
        match text.split_once("{bytes}") {
            Some((before, after)) => [before.as_bytes(), &self.bytes, after.as_bytes()].concat(),
            None => text.into_bytes(),
        }
    }
}
