//! `valet-load`: one case of the benchmark. It sends one fixed request over kept connections, one after another on each, and reports.
//!
//! Each answer is compared with the first one, status and body, byte for byte: a server that answers something else under load has not
//! done the work, however fast it was. The report is one line of JSON on standard output.

mod connection;
mod process;
mod run;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

/// Send one MCP request again and again, and report how that went.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Server; loopback only
    #[arg(long)]
    server: SocketAddr,
    /// Path of the endpoint
    #[arg(long, default_value = "/mcp")]
    path: String,
    /// File with tokens, one a line
    #[arg(long)]
    tokens: PathBuf,
    /// MCP method
    #[arg(long)]
    method: String,
    /// Revision of MCP that is spoken
    #[arg(long, default_value = "2026-07-28")]
    revision: String,
    /// Tool, for `tools/call`
    #[arg(long)]
    tool: Option<String>,
    /// Connections at the same time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: u16,
    /// How long to measure
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// How long to send before that
    #[arg(long, default_value_t = 0.3)]
    warm: f64,
    /// Send each token once and end, instead
    #[arg(long)]
    once: bool,
    /// Send one request, print its body and end, instead
    #[arg(long, conflicts_with = "once")]
    show: bool,
    /// Status that is right
    #[arg(long, default_value_t = 200)]
    status: u16,
    /// Text that a right answer contains
    #[arg(long)]
    contains: Vec<String>,
    /// Process of the server, for its CPU time and its memory
    #[arg(long)]
    pid: u32,
}

impl Arguments {
    fn check(&self) -> Result<()> {
        ensure!(self.server.ip().is_loopback(), "{} is not loopback", self.server);
        let bounded = |seconds: f64| (0.0..=60.0).contains(&seconds);
        ensure!(bounded(self.seconds) && bounded(self.warm), "times are between 0 and 60 seconds");
        Ok(())
    }

    fn measured(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    fn unmeasured(&self) -> Duration {
        Duration::from_secs_f64(self.warm)
    }
}

// One thread is enough for servers that do real work, and leaves the other cores to them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    arguments.check()?;
    let tokens = std::fs::read_to_string(&arguments.tokens)
        .with_context(|| format!("reading {}", arguments.tokens.display()))?;
    let text = match arguments.show {
        true => run::show(&arguments, &tokens).await?,
        false => run::run(&arguments, &tokens).await?,
    };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
