//! `cargo xtask bench`: Valet and a native server that does the same work, measured side by side in one run.
//!
//! It reports and does not judge: no thresholds, no pass marks. What it refuses is a measurement that means nothing: an answer that is wrong
//! before the load, or another one under it, ends the run.

mod measure;
mod programs;
mod refused;
mod report;
mod sign_in;
mod start;
mod stdio;

use anyhow::{Context as _, Result, ensure};

use crate::artifacts::{self, Built};
use crate::bench::measure::{Case, Load, Row};
use crate::bench::programs::{Side, Stage};
use crate::bench::report::Report;
use crate::workspace::{Workspace, output, run as run_command, say};

/// How long and how often.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Seconds that each server is loaded for in a round
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds; in each, both servers are loaded one after the other. Medians are reported
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// One round of one second, 1 and 16 connections
    #[arg(long, conflicts_with_all = ["seconds", "rounds"])]
    quick: bool,
    /// Distinct tokens that requests take turns with
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=8000))]
    tokens: u16,
    /// Tokens a round and server for the case in which each token is seen for the first time
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=4000))]
    new_tokens: u16,
    /// Measure what the last build left, for example while somebody edits the sources
    #[arg(long)]
    no_build: bool,
    /// Measure only cases whose name contains this
    #[arg(long)]
    only: Option<String>,
}

impl Arguments {
    fn rounds(&self) -> usize {
        if self.quick { 1 } else { usize::from(self.rounds) }
    }

    fn seconds(&self) -> f64 {
        if self.quick { 1.0 } else { self.seconds }
    }

    fn connections(&self) -> &'static [u16] {
        if self.quick { &[1, 16] } else { &[1, 16, 64, 256] }
    }
}

/// The revision of MCP whose requests describe themselves, and the newest of those before it.
const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";

/// A call that needs nobody: what the server itself costs.
const WHOAMI: Case = Case {
    name: "whoami",
    revision: MODERN,
    method: "tools/call",
    tool: Some("whoami"),
    token: measure::Token::Good,
    status: 200,
    contains: &["\"isError\":false", "\"name\":\"Adele Vance\"", "\"scopes\":[\"mcp.access\"]"],
};

/// The list.
const TOOLS_LIST: Case = Case {
    name: "tools/list",
    revision: MODERN,
    method: "tools/list",
    tool: None,
    token: measure::Token::Good,
    status: 200,
    contains: &["\"whoami\"", "\"GetUserDetailsFromGraph\"", "\"outputSchema\""],
};

/// A token whose signature is wrong.
const REFUSED: Case = Case {
    name: "refused token",
    revision: MODERN,
    method: "tools/call",
    tool: Some("whoami"),
    token: measure::Token::BadSignature,
    status: 401,
    contains: &["\"error\":\"invalid_token\""],
};

/// The cases that are measured at each number of connections.
const CASES: [Case; 6] = [
    WHOAMI,
    Case {
        name: "GetUserDetailsFromGraph",
        revision: MODERN,
        method: "tools/call",
        tool: Some("GetUserDetailsFromGraph"),
        token: measure::Token::Good,
        status: 200,
        contains: &[
            "\"isError\":false",
            "\"displayName\":\"Adele Vance\"",
            "\"userPrincipalName\":\"adele@contoso.example\"",
        ],
    },
    TOOLS_LIST,
    REFUSED,
    Case { name: "whoami, 2025-11-25", revision: LEGACY, ..WHOAMI },
    Case { name: "tools/list, 2025-11-25", revision: LEGACY, ..TOOLS_LIST },
];

/// Tokens that neither server has seen, each sent once.
const NEW_TOKENS: Case = Case { name: "whoami, each token new", token: measure::Token::New, ..WHOAMI };

/// Connections in that case.
const NEW_TOKENS_CONNECTIONS: u16 = 16;

/// Runs the benchmark and writes `target/valet/bench.md`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "CPU time and memory are read from Linux's /proc");
    ensure!((0.1..=60.0).contains(&arguments.seconds()), "--seconds is between 0.1 and 60");
    let built = if arguments.no_build { last_build(workspace) } else { build(workspace)? };

    let stage = Stage::set(workspace, &built)?;
    say("starting the emulator, and signing in");
    let emulator = stage.emulator()?;
    let wanted = |case: &Case| arguments.only.as_ref().is_none_or(|only| case.name.contains(only.as_str()));
    let new_each = if wanted(&NEW_TOKENS) { usize::from(arguments.new_tokens) } else { 0 };
    let rounds = arguments.rounds();
    let tokens = sign_in::tokens(&stage, usize::from(arguments.tokens) + new_each * rounds * 2)?;
    let load = Load::new(&stage, tokens, usize::from(arguments.tokens), arguments.seconds())?;

    let mut report = Report::new(&stage, arguments)?;
    say("measuring the cold start");
    report.starts(start::measure(&stage, &load, if arguments.quick { 3 } else { 9 })?);

    say("measuring standard input and output");
    report.stdio(stdio::measure(&stage, load.token(), rounds)?);

    // Started anew for each case, so that the memory of one does not show in the next.
    let servers = || Ok::<_, anyhow::Error>([stage.server(Side::Valet)?, stage.server(Side::Yardstick)?]);
    load.same_answers(&CASES, &servers()?).context("comparing the answers of the two servers")?;
    for case in CASES.iter().filter(|case| wanted(case)) {
        let servers = servers()?;
        for &connections in arguments.connections() {
            let mut row = Row::new(case.name, connections);
            for round in 0..rounds {
                // Who is first changes, so that whatever the first one pays is paid by both.
                for at in [round % 2, (round + 1) % 2] {
                    let sample = load.sample(case, connections, &servers[at], None)?;
                    row.add(servers[at].side, sample);
                }
            }
            report.row(row);
        }
    }
    if wanted(&NEW_TOKENS) {
        let servers = servers()?;
        let mut row = Row::new(NEW_TOKENS.name, NEW_TOKENS_CONNECTIONS);
        for round in 0..rounds {
            for (at, server) in servers.iter().enumerate() {
                let slice = (round * 2 + at) * new_each..(round * 2 + at + 1) * new_each;
                row.add(server.side, load.sample(&NEW_TOKENS, NEW_TOKENS_CONNECTIONS, server, Some(slice))?);
            }
        }
        report.row(row);
    }
    if wanted(&refused::CASE) {
        say("measuring what refused tokens leave behind");
        report.refused(refused::measure(&stage, &load)?);
    }
    drop(emulator);

    say("measuring one check of a token");
    let mut validator = workspace.cargo(["run", "--quiet", "--release", "--package", "valet-validator-rig"]);
    validator.env("VALET_COMPONENTS", workspace.artifacts().join("components"));
    let validator = output(validator)?;
    say("measuring sign-in");
    let sign_in = output(stage.sign_in_bench(&built.native)?)?;
    let text = format!(
        "## Both servers\n\n{}\n\n## One check of a token\n\n{validator}\n\n## Sign-in\n\n{sign_in}",
        report.markdown()
    );
    let path = workspace.artifacts().join("bench.md");
    std::fs::write(&path, &text).with_context(|| format!("writing {}", path.display()))?;
    say(&format!("\n{text}\n{} has the same", path.display()));
    Ok(())
}

fn build(workspace: &Workspace) -> Result<Built> {
    let built = artifacts::build(workspace, true)?;
    say("building the yardstick and the load");
    let mut cargo = workspace.cargo(["build", "--release"]);
    cargo.args(["--package", "valet-yardstick", "--package", "valet-sign-in-bench"]);
    run_command(cargo)?;
    Ok(built)
}

/// Where [`build`] would have put everything.
fn last_build(workspace: &Workspace) -> Built {
    let programs = workspace.target.join("release");
    Built {
        valet: programs.join("valet"),
        emulator: programs.join("entra-emulator"),
        native: workspace.artifacts().join("native"),
    }
}
