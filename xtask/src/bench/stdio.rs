//! Standard input and output: a thousand calls of `whoami`, one after another, and how soon the first message is answered.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::measure::median;
use super::programs::{Side, Stage};

/// Calls that are measured.
pub(super) const CALLS: usize = 1000;

/// What one side was seen to do.
pub(super) struct Figures {
    /// From the start of the process to its answer to `initialize`, in ms.
    pub(super) start_ms: f64,
    /// A call, in the middle of all, in µs.
    pub(super) p50: f64,
    /// A call, longer than all but ten of them, in µs.
    pub(super) p99: f64,
}

/// Both sides, medians over `rounds`, taken in turn. The handshake is that of 2025-11-25, which both speak.
pub(super) fn measure(stage: &Stage, token: &str, rounds: usize) -> Result<[Figures; 2]> {
    let mut taken = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for side in [Side::Valet, Side::Yardstick] {
            taken[side as usize]
                .push(once(stage, side, token).with_context(|| format!("{side:?} over stdio"))?);
        }
    }
    Ok(taken.map(|figures| {
        let over = |figure: fn(&Figures) -> f64| median(&mut figures.iter().map(figure).collect::<Vec<_>>());
        Figures {
            start_ms: over(|figures| figures.start_ms),
            p50: over(|figures| figures.p50),
            p99: over(|figures| figures.p99),
        }
    }))
}

fn once(stage: &Stage, side: Side, token: &str) -> Result<Figures> {
    let started = Instant::now();
    let mut child = stage.stdio(side, token)?.spawn().context("starting")?;
    let input = child.stdin.take().context("no standard input")?;
    let output = BufReader::new(child.stdout.take().context("no standard output")?);
    let mut talk = Talk { input, output };
    let hello = talk.ask(
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#,
    )?;
    let start_ms = started.elapsed().as_secs_f64() * 1000.0;
    ensure!(hello.contains("\"serverInfo\""), "the answer to initialize is {hello}");
    talk.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)?;
    let mut times = Vec::with_capacity(CALLS);
    for id in 1..=CALLS {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"whoami","arguments":{{}}}}}}"#
        );
        let sent = Instant::now();
        let answer = talk.ask(&call)?;
        times.push(sent.elapsed());
        ensure!(
            answer.contains(&format!("\"id\":{id}")) && answer.contains("Adele Vance"),
            "call {id} is answered with {answer}"
        );
    }
    drop(talk);
    ensure!(child.wait()?.success(), "it did not end well after the end of its input");
    times.sort_unstable();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    Ok(Figures { start_ms, p50: micros(times[CALLS / 2]), p99: micros(times[CALLS - CALLS / 100]) })
}

/// Both ends of the child.
struct Talk {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Talk {
    fn say(&mut self, message: &str) -> Result<()> {
        self.input.write_all(format!("{message}\n").as_bytes())?;
        Ok(self.input.flush()?)
    }

    fn ask(&mut self, message: &str) -> Result<String> {
        self.say(message)?;
        let mut line = String::new();
        ensure!(self.output.read_line(&mut line)? > 0, "it has ended");
        Ok(line)
    }
}
