//! Cases, and samples of them taken with `valet-load`.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::programs::{Server, Side, Stage};
use crate::workspace::output;

/// What is sent, and what a right answer is.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) revision: &'static str,
    pub(super) method: &'static str,
    pub(super) tool: Option<&'static str>,
    pub(super) token: Token,
    pub(super) status: u16,
    pub(super) contains: &'static [&'static str],
}

/// Which tokens a case sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// The good ones, in turn.
    Good,
    /// A good one with another signature.
    BadSignature,
    /// Each one once.
    New,
}

/// What one run of the load saw.
pub(super) struct Sample {
    requests: f64,
    seconds: f64,
    p50: f64,
    p99: f64,
    cpu: f64,
    peak: f64,
    starved: bool,
}

/// Share of its core below which a server that has requests waiting was kept from running.
const STARVED: f64 = 0.9;

/// The samples of one case at one number of connections.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) connections: u16,
    samples: [Vec<Sample>; 2],
}

/// A side's figures in a row: medians over the rounds, the peak the highest.
pub(super) struct Figures {
    pub(super) requests_per_second: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) cpu: f64,
    pub(super) peak_mib: f64,
}

/// Sends cases to servers.
pub(super) struct Load<'a> {
    stage: &'a Stage,
    good: Vec<String>,
    new: Vec<String>,
    seconds: f64,
}

impl<'a> Load<'a> {
    /// The first `good` of `tokens` are for every case, the others are new.
    pub(super) fn new(stage: &'a Stage, mut tokens: Vec<String>, good: usize, seconds: f64) -> Result<Self> {
        let new = tokens.split_off(good);
        ensure!(!tokens.is_empty(), "at least one token is needed");
        Ok(Self { stage, good: tokens, new, seconds })
    }

    /// A good token.
    pub(super) fn token(&self) -> &str {
        &self.good[0]
    }

    /// A whole request for `whoami` as text, with `{port}` for the server's.
    pub(super) fn raw_whoami(&self) -> String {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
        format!(
            "POST /mcp HTTP/1.1\r\nhost: localhost:{{port}}\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
             mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: whoami\r\n\
             content-length: {}\r\n\r\n{body}",
            self.good[0],
            body.len()
        )
    }

    /// Fails unless both servers answer `cases` alike: the result of a good answer, the error of a refusal.
    pub(super) fn same_answers(&self, cases: &[Case], servers: &[Server; 2]) -> Result<()> {
        for case in cases {
            let mut answers = Vec::new();
            for server in servers {
                let mut command = self.command(case, server, &self.tokens(case, None))?;
                command.arg("--show");
                let text = output(command).with_context(|| server.last_lines())?;
                let mut answer: Value = serde_json::from_str(&text).with_context(|| text.clone())?;
                // The two are not one product: what they say of themselves may differ.
                if let Some(result) = answer["result"].as_object_mut() {
                    result.remove("_meta");
                    // The SDK gives cache hints to older clients as well, which do not know them.
                    if case.revision != "2026-07-28" {
                        result.remove("ttlMs");
                        result.remove("cacheScope");
                    }
                }
                // A text that is JSON is compared as JSON: the order of its members means nothing.
                if let Some(text) = answer.pointer_mut("/result/content/0/text")
                    && let Some(json) = text.as_str().and_then(|text| serde_json::from_str(text).ok())
                {
                    *text = json;
                }
                answers.push(answer);
            }
            ensure!(answers[0] == answers[1], "{}: {} and {}", case.name, answers[0], answers[1]);
        }
        Ok(())
    }

    /// One run against `server`; `new` says which of the new tokens.
    pub(super) fn sample(
        &self,
        case: &Case,
        connections: u16,
        server: &Server,
        new: Option<Range<usize>>,
    ) -> Result<Sample> {
        let mut command = self.command(case, server, &self.tokens(case, new))?;
        command
            .arg("--connections")
            .arg(connections.to_string())
            .arg("--seconds")
            .arg(self.seconds.to_string());
        if case.token == Token::New {
            command.arg("--once");
        }
        let text = output(command).with_context(|| format!("{:?}: {}", server.side, server.last_lines()))?;
        server.cut_log()?;
        let report: Value = serde_json::from_str(&text)?;
        let figure = |name: &str| report[name].as_f64().with_context(|| format!("no {name} in {text}"));
        // With the Graph tool it waits for the emulator, and with each token sent once the time is too short to tell.
        let never_waits =
            self.stage.pinned && connections >= 16 && case.token != Token::New && !case.calls_graph();
        Ok(Sample {
            starved: never_waits && figure("cpu")? < STARVED * 1e6 * figure("seconds")?,
            requests: figure("requests")?,
            seconds: figure("seconds")?,
            p50: figure("p50")?,
            p99: figure("p99")?,
            cpu: figure("cpu")?,
            peak: figure("peak")?,
        })
    }

    /// Sends each of these tokens once, whatever the case says of tokens.
    pub(super) fn once(
        &self,
        case: &Case,
        connections: u16,
        server: &Server,
        tokens: &[String],
    ) -> Result<()> {
        let mut command = self.command(case, server, tokens)?;
        command.arg("--connections").arg(connections.to_string()).arg("--once");
        output(command).with_context(|| format!("{:?}: {}", server.side, server.last_lines()))?;
        server.cut_log()
    }

    fn tokens(&self, case: &Case, new: Option<Range<usize>>) -> Vec<String> {
        match (case.token, new) {
            (Token::New, Some(range)) => self.new[range].to_vec(),
            (Token::BadSignature, _) => vec![with_another_signature(&self.good[0])],
            _ => self.good.clone(),
        }
    }

    fn command(&self, case: &Case, server: &Server, tokens: &[String]) -> Result<std::process::Command> {
        let file: PathBuf = self.stage.file("tokens");
        std::fs::write(&file, tokens.join("\n"))?;
        let mut command = self.stage.load();
        command.arg("--server").arg(server.address.to_string()).arg("--tokens").arg(file);
        command.arg("--pid").arg(server.pid().to_string()).arg("--method").arg(case.method);
        command.arg("--status").arg(case.status.to_string()).arg("--revision").arg(case.revision);
        if let Some(tool) = case.tool {
            command.arg("--tool").arg(tool);
        }
        for text in case.contains {
            command.arg("--contains").arg(text);
        }
        Ok(command)
    }
}

impl Case {
    fn calls_graph(&self) -> bool {
        self.tool == Some("GetUserDetailsFromGraph")
    }
}

impl Row {
    pub(super) fn new(name: &'static str, connections: u16) -> Self {
        Self { name, connections, samples: [Vec::new(), Vec::new()] }
    }

    pub(super) fn add(&mut self, side: Side, sample: Sample) {
        self.samples[side as usize].push(sample);
    }

    /// Whether something else ran on the server's core while it had work to do.
    pub(super) fn starved(&self) -> bool {
        self.samples.iter().flatten().any(|sample| sample.starved)
    }

    pub(super) fn figures(&self, side: Side) -> Figures {
        let samples = &self.samples[side as usize];
        let over = |figure: fn(&Sample) -> f64| median(&mut samples.iter().map(figure).collect::<Vec<_>>());
        Figures {
            requests_per_second: over(|sample| sample.requests / sample.seconds),
            p50: over(|sample| sample.p50),
            p99: over(|sample| sample.p99),
            cpu: over(|sample| sample.cpu / sample.requests),
            peak_mib: samples.iter().map(|sample| sample.peak / 1024.0).fold(0.0, f64::max),
        }
    }
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// The same header and claims with one character of the signature changed.
fn with_another_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let (first, rest) = signature.split_at(1);
    format!("{signed}.{}{rest}", if first == "A" { "B" } else { "A" })
}
