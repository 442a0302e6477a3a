//! The report: Markdown for `docs/performance.md`, with what has to be known to read the figures.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::Result;

use super::Arguments;
use super::measure::{Figures, Row};
use super::programs::{Side, Stage};
use super::{refused, stdio};
use crate::workspace::{output, say};

/// What has been measured so far.
pub(super) struct Report {
    conditions: String,
    sizes: String,
    starts: [f64; 2],
    stdio: Option<[stdio::Figures; 2]>,
    refused: Option<[f64; 2]>,
    rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(stage: &Stage, arguments: &Arguments) -> Result<Self> {
        Ok(Self {
            conditions: conditions(stage, arguments),
            sizes: sizes(stage)?,
            starts: [0.0; 2],
            stdio: None,
            refused: None,
            rows: Vec::new(),
        })
    }

    pub(super) fn starts(&mut self, starts: [f64; 2]) {
        self.starts = starts;
    }

    pub(super) fn stdio(&mut self, figures: [stdio::Figures; 2]) {
        self.stdio = Some(figures);
    }

    pub(super) fn refused(&mut self, resident: [f64; 2]) {
        self.refused = Some(resident);
    }

    /// Takes a row, and shows it at once: a later failure does not lose it.
    pub(super) fn row(&mut self, row: Row) {
        say(&line(&row));
        self.rows.push(row);
    }

    /// All of it.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        let out = &mut text;
        writeln!(out, "{}", self.conditions).expect(WRITES);
        writeln!(
            out,
            "Each cell is Valet, the yardstick, and Valet divided by the yardstick.\n\n\
             | case | connections | requests/s | p50 µs | p99 µs | CPU µs/request | peak RSS MiB |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
        )
        .expect(WRITES);
        for row in &self.rows {
            writeln!(out, "{}", line(row)).expect(WRITES);
        }
        if self.rows.iter().any(Row::starved) {
            let note = "\n\\* In at least one sample a server with requests waiting got less than 90 % of its core: something else ran on \
                        this machine. All figures of these rows are worse than the servers are, CPU too (shared caches, hyperthreads): measure again on a quiet machine.";
            writeln!(out, "{note}").expect(WRITES);
        }
        let [valet, yardstick] = self.starts;
        writeln!(
            out,
            "\n| cold start, process to first `whoami` | ms |\n| --- | ---: |\n| Valet | {valet:.1} |\n| yardstick | {yardstick:.1} |\n"
        )
        .expect(WRITES);
        if let Some([valet, yardstick]) = &self.stdio {
            writeln!(
                out,
                "| stdio, {} calls of `whoami` one after another | Valet / yardstick |\n| --- | ---: |\n\
                 | process to the answer to `initialize`, ms | {} |\n| a call, p50 µs | {} |\n| a call, p99 µs | {} |\n",
                stdio::CALLS,
                pair(valet.start_ms, yardstick.start_ms),
                pair(valet.p50, yardstick.p50),
                pair(valet.p99, yardstick.p99),
            )
            .expect(WRITES);
        }
        if let Some([some, many]) = self.refused {
            let [few, all] = refused::AFTER;
            writeln!(
                out,
                "| Valet after refused tokens, each another: half of a key that nobody has, half with a wrong signature | resident MiB |\n| --- | ---: |\n\
                 | {few} | {some:.1} |\n| {all} | {many:.1} |\n"
            )
            .expect(WRITES);
        }
        out.push_str(&self.sizes);
        text
    }
}

/// A row of the table.
fn line(row: &Row) -> String {
    let (valet, yardstick) = (row.figures(Side::Valet), row.figures(Side::Yardstick));
    let cell = |figure: fn(&Figures) -> f64| pair(figure(&valet), figure(&yardstick));
    format!(
        "| {}{} | {} | {} | {} | {} | {} | {} |",
        row.name,
        if row.starved() { " \\*" } else { "" },
        row.connections,
        cell(|figures| figures.requests_per_second),
        cell(|figures| figures.p50),
        cell(|figures| figures.p99),
        cell(|figures| figures.cpu),
        cell(|figures| figures.peak_mib),
    )
}

const WRITES: &str = "a String takes all text";

fn pair(valet: f64, yardstick: f64) -> String {
    let shown = |value: f64| if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    format!("{} / {} = {:.2}", shown(valet), shown(yardstick), valet / yardstick)
}

/// Where and how, in sentences.
fn conditions(stage: &Stage, arguments: &Arguments) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let pinning = match stage.pinned {
        true => {
            "The server under test has core 0 for itself (one worker thread); load generator and emulator share core 1, so \
             with the Graph tool requests/s and latency are bounded by them, and CPU is the figure to look at."
        }
        false => {
            "Nothing was pinned to a core: server, load and emulator compete, so only CPU says something."
        }
    };
    let (rounds, seconds) = (arguments.rounds(), arguments.seconds());
    format!(
        "`cargo xtask bench`: {cpu}, {cores} cores, Linux {}. {rounds} rounds of {seconds} s a server, interleaved; medians. Plain HTTP/1.1 on \
         loopback, kept connections, {} distinct token(s); HTTPS to the emulator of Entra and Graph. Audit lines of both go to a file. {pinning} \
         CPU is user and system time of the server's process, in steps of 10 ms. Peak RSS is that of the sample, in processes started for the case; it includes what earlier samples of the case left. Every answer was the \
         same byte for byte, and the two servers' results are equal. \"Each token new\" is {} tokens a round, each sent once: Valet \
         remembers which signatures were good, the yardstick checks each anew in every case.\n",
        kernel.trim(),
        arguments.tokens,
        arguments.new_tokens,
    )
}

/// Bytes of what is shipped.
fn sizes(stage: &Stage) -> Result<String> {
    let mut text = String::from("| file | MiB | stripped |\n| --- | ---: | ---: |\n");
    for (name, path) in stage.shipped() {
        let mib = |path: &std::path::Path| {
            Ok::<_, anyhow::Error>(std::fs::metadata(path)?.len() as f64 / f64::from(1 << 20))
        };
        let stripped = stage.file("stripped");
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(&stripped).arg(&path);
        let is_program = path.extension().is_none();
        // Without binutils there is no such figure.
        let stripped = match is_program && output(strip).is_ok() {
            true => format!("{:.1}", mib(&stripped)?),
            false => "–".to_owned(),
        };
        writeln!(text, "| {name} | {:.1} | {stripped} |", mib(&path)?).expect(WRITES);
    }
    Ok(text)
}
