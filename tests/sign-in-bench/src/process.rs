//! What Linux knows of a process: CPU time and memory (proc(5)).

use anyhow::{Context as _, Result};

/// Ticks a second of the times in `/proc/PID/stat`. The kernel's `USER_HZ` is 100 on every architecture that Rust knows.
const TICKS: f64 = 100.0;

/// User and system time of all threads of process `id`, in µs, in steps of 10 ms.
pub(crate) fn cpu_micros(id: u32) -> Result<f64> {
    let stat = file(id, "stat")?;
    // The second field is the program's name in parentheses, in which anything may stand; fields 14 and 15 are wanted.
    let rest = stat.rsplit_once(')').context("no name in /proc/PID/stat")?.1;
    let mut ticks = rest.split_whitespace().skip(11).map(str::parse::<f64>);
    let (user, system) = ticks.next().zip(ticks.next()).context("no times in /proc/PID/stat")?;
    Ok((user? + system?) / TICKS * 1e6)
}

/// Resident memory of process `id` now, in MiB.
pub(crate) fn resident_mib(id: u32) -> Result<f64> {
    let status = file(id, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is no number")?;
    Ok(kib / 1024.0)
}

fn file(id: u32, name: &str) -> Result<String> {
    let path = format!("/proc/{id}/{name}");
    std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))
}
