//! `http.toml`: single requests that break HTTP, or that carry what a proxy or a browser might.

use std::collections::BTreeMap;
use std::time::Duration;

use entra_emulator::ids;
use serde::Deserialize;
use valet_suite::ask::{MODERN, modern};
use valet_suite::wire::Wire;
use valet_suite::{Rig, run};

use crate::size;

/// One row: a perfect call of `whoami` over HTTP/1.1 with something changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// Its number in the list of rows.
    row: String,
    name: String,
    /// The request line.
    line: Option<String>,
    /// Fields with another value; `{token}` stands for the caller's token.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// Fields that are left out.
    #[serde(default)]
    drop: Vec<String>,
    /// Lines after the fields, as they are; no `content-length` is sent of our own where one has it or `transfer-encoding`.
    #[serde(default)]
    lines: Vec<String>,
    /// One more line, this often, with `{n}` for its number.
    repeat: Option<(usize, String)>,
    /// The body, instead of the call.
    body: Option<String>,
    /// This often.
    #[serde(default = "once")]
    body_times: usize,
    /// All that is sent, instead of everything above.
    raw: Option<String>,
    /// Whether the client stops sending after the last byte, as one that has crashed does.
    #[serde(default)]
    half_close: bool,
    /// The status of the answer; 0 for a connection that is closed without one.
    status: Vec<u16>,
    /// What the answer has in it.
    #[serde(default)]
    says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

const fn once() -> usize {
    1
}

/// Longer than any deadline for a client.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn every_row_of_http_gets_its_answer_and_the_next_good_call_works() {
    run(async {
        let rows: Rows = toml::from_str(include_str!("http.toml")).unwrap();
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        good(&rig).await;
        let before = size::resident(&rig);
        let mut wrong = Vec::new();
        for row in &rows.row {
            let mut wire = Wire::open(rig.address).await;
            wire.send(row.bytes(&token)).await;
            if row.half_close {
                wire.stop_sending().await;
            }
            let answer = wire.rest(PATIENCE).await;
            if let Err(why) = row.judge(answer.as_deref()) {
                wrong.push(format!("{} {}: {why}", row.row, row.name));
            }
            good(&rig).await;
        }
        assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.row.len(), wrong.join("\n"));
        size::back_to(&rig, before).await;
    });
}

/// The next good call.
pub(crate) async fn good(rig: &Rig) {
    let answer = rig.call("whoami", &rig.good()).await;
    assert_eq!(answer.result()["structuredContent"]["objectId"], ids::ALEX.to_string());
}

impl Row {
    fn bytes(&self, token: &str) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.replace("{token}", token).repeat(self.body_times).into_bytes();
        }
        let body = match &self.body {
            Some(body) => body.repeat(self.body_times),
            None => {
                modern("tools/call", serde_json::json!({ "name": "whoami", "arguments": {} })).to_string()
            }
        };
        let mut fields = vec![
            ("host", "valet.example".to_owned()),
            ("authorization", format!("Bearer {token}")),
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-protocol-version", MODERN.to_owned()),
            ("mcp-method", "tools/call".to_owned()),
            ("mcp-name", "whoami".to_owned()),
            ("connection", "close".to_owned()),
        ];
        let framed = self.lines.iter().any(|line| {
            let line = line.to_ascii_lowercase();
            line.starts_with("content-length") || line.starts_with("transfer-encoding")
        });
        if !framed {
            fields.push(("content-length", body.len().to_string()));
        }
        fields.retain(|(name, _)| !self.drop.iter().any(|dropped| dropped == name));
        let mut text = self.line.clone().unwrap_or_else(|| "POST /mcp HTTP/1.1".to_owned()) + "\r\n";
        for (name, value) in &fields {
            let value = self.set.get(*name).unwrap_or(value);
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        for line in &self.lines {
            text.push_str(&format!("{line}\r\n"));
        }
        if let Some((times, line)) = &self.repeat {
            for number in 0..*times {
                text.push_str(&line.replace("{n}", &number.to_string()));
                text.push_str("\r\n");
            }
        }
        format!("{text}\r\n{body}").replace("{token}", token).into_bytes()
    }

    fn judge(&self, answer: Option<&str>) -> Result<(), String> {
        let answer = answer.ok_or("the connection is still open")?;
        let status = match answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)) {
            Some(digits) => digits.parse().unwrap_or(999),
            None if answer.is_empty() => 0,
            None => return Err(format!("not HTTP: {answer:.200}")),
        };
        if !self.status.contains(&status) {
            return Err(format!("expected {:?}, got {status}: {answer:.300}", self.status));
        }
        if answer.contains(&self.says) {
            Ok(())
        } else {
            Err(format!("{:?} is not in {answer:.600}", self.says))
        }
    }
}
