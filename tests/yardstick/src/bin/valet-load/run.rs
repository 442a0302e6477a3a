//! A run: check one answer, warm up, measure, report.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use hyper::header::HeaderValue;
use serde_json::json;
use tokio::task::LocalSet;

use crate::Arguments;
use crate::connection::{Answer, Connection, Template};
use crate::process::Process;

/// Longest latency that is told apart from longer ones: a minute, in ns.
const LONGEST: u64 = 60_000_000_000;

/// Which answers count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Warm,
    Measured,
    Over,
}

/// What the connections share. One thread, so no locks.
struct Shared {
    template: Template,
    bearers: Vec<HeaderValue>,
    next: Cell<usize>,
    once: bool,
    right: Answer,
    phase: Cell<Phase>,
    latencies: RefCell<Histogram<u64>>,
    unexpected: Cell<u64>,
    example: RefCell<Option<String>>,
}

/// One answer's body, after its check.
pub(crate) async fn show(arguments: &Arguments, tokens: &str) -> Result<String> {
    let (_, _, answer) = first(arguments, tokens).await?;
    String::from_utf8(answer.body.into()).context("the answer is not text")
}

/// The report of one run.
pub(crate) async fn run(arguments: &Arguments, tokens: &str) -> Result<String> {
    let (template, bearers, right) = first(arguments, tokens).await?;
    let shared = Rc::new(Shared {
        template,
        bearers,
        // The first token has been sent.
        next: Cell::new(usize::from(arguments.once)),
        once: arguments.once,
        right,
        phase: Cell::new(if arguments.once { Phase::Measured } else { Phase::Warm }),
        latencies: RefCell::new(Histogram::new_with_bounds(1, LONGEST, 3)?),
        unexpected: Cell::new(0),
        example: RefCell::default(),
    });
    let process = Process::new(arguments.pid);
    let local = LocalSet::new();
    let report = local.run_until(measure(arguments, Rc::clone(&shared), &process)).await?;
    if shared.unexpected.get() > 0 {
        let example = shared.example.take().unwrap_or_default();
        anyhow::bail!("{} answers were not the first one; for example {example}", shared.unexpected.get());
    }
    Ok(report)
}

/// Asks once, and checks the answer.
async fn first(arguments: &Arguments, tokens: &str) -> Result<(Template, Vec<HeaderValue>, Answer)> {
    let template = Template::new(arguments)?;
    let bearers = tokens.lines().map(Template::bearer).collect::<Result<Vec<_>>>()?;
    let bearer = bearers.first().context("no token")?;
    let answer = Connection::open(arguments).await?.ask(&template, bearer).await?;
    answer.check(arguments)?;
    Ok((template, bearers, answer))
}

async fn measure(arguments: &Arguments, shared: Rc<Shared>, process: &Process) -> Result<String> {
    let mut connections = Vec::new();
    for _ in 0..arguments.connections {
        connections.push(Connection::open(arguments).await?);
    }
    process.forget_peak();
    let (mut cpu, mut start) = (process.cpu_micros()?, Instant::now());
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|connection| tokio::task::spawn_local(drive(connection, Rc::clone(&shared))))
        .collect();
    if !arguments.once {
        tokio::time::sleep(arguments.unmeasured()).await;
        process.forget_peak();
        (cpu, start) = (process.cpu_micros()?, Instant::now());
        shared.phase.set(Phase::Measured);
        tokio::time::sleep(arguments.measured()).await;
        shared.phase.set(Phase::Over);
    }
    let (mut cpu_spent, mut elapsed) = (process.cpu_micros()?.saturating_sub(cpu), start.elapsed());
    for task in tasks {
        task.await.context("a connection's task panicked")??;
    }
    if arguments.once {
        (cpu_spent, elapsed) = (process.cpu_micros()?.saturating_sub(cpu), start.elapsed());
    }
    let latencies = shared.latencies.borrow();
    ensure!(!latencies.is_empty(), "no request was answered in time");
    let micros = |quantile: f64| latencies.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(json!({
        "requests": latencies.len(),
        "seconds": elapsed.as_secs_f64(),
        "p50": micros(0.5),
        "p99": micros(0.99),
        "cpu": cpu_spent,
        "peak": process.peak_kib()?,
    })
    .to_string())
}

/// One request after another until the run is over.
async fn drive(mut connection: Connection, shared: Rc<Shared>) -> Result<()> {
    while let Some(bearer) = shared.next_bearer() {
        let start = Instant::now();
        let answer = connection.ask(&shared.template, bearer).await?;
        let took = start.elapsed();
        if answer != shared.right {
            shared.unexpected.set(shared.unexpected.get() + 1);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            shared.example.borrow_mut().get_or_insert(format!("status {}: {text}", answer.status));
        }
        if shared.phase.get() == Phase::Measured {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(LONGEST);
            shared.latencies.borrow_mut().saturating_record(nanos);
        }
    }
    Ok(())
}

impl Shared {
    /// The token of the next request, none after the last.
    fn next_bearer(&self) -> Option<&HeaderValue> {
        let at = self.next.replace(self.next.get() + 1);
        match (self.once, self.phase.get()) {
            (true, _) => self.bearers.get(at),
            (false, Phase::Over) => None,
            (false, _) => Some(&self.bearers[at % self.bearers.len()]),
        }
    }
}
