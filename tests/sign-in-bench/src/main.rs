//! What sign-in costs, as tables for people: `cargo run --release -p valet-sign-in-bench`, or the end of `cargo xtask bench`, which pins the server to a core of
//! its own. It measures and judges nothing but one thing: that every answer is right.

#[path = "../../../host/sign-in/tests/suite/bus.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "a part of the tests of the sign-in, which lock the keychain too"
)]
mod bus;
mod calls;
mod local;
mod many;
mod process;
mod sign_ins;

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Result, ensure};
use valet_suite::config::Config;

/// How often a sample is taken; medians are reported.
const ROUNDS: usize = 5;

/// How long a sample takes.
const SAMPLE: Duration = Duration::from_secs(2);

fn main() -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "CPU time and memory are read from Linux's /proc");
    let mut result = Ok(());
    valet_suite::run(async {
        result = measure().await;
    });
    result
}

async fn measure() -> Result<()> {
    // Each as soon as it is there: a later failure does not lose it.
    let say = |table: String| writeln!(std::io::stdout(), "{table}");
    say(calls::table().await?)?;
    say(sign_ins::table().await?)?;
    say(many::table().await?)?;
    say(local::table().await?)?;
    Ok(())
}

/// Without a limit on calls, which a load would reach at once.
fn unlimited(config: Config) -> Config {
    config.set("limits.calls_per_minute", 100_000_000)
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
