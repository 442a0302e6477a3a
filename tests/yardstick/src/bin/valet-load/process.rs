//! What Linux knows of the server's process: CPU time and memory (proc(5)).

use anyhow::{Context as _, Result};

/// Ticks a second of the times in `/proc/PID/stat`. The kernel's `USER_HZ` is 100 on every architecture that Rust knows.
const TICKS: u64 = 100;

/// A process.
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Self(pid)
    }

    /// User and system time of all its threads in µs, in steps of 10 ms.
    pub(crate) fn cpu_micros(&self) -> Result<u64> {
        let stat = self.file("stat")?;
        // The second field is the program's name in parentheses, in which anything may stand.
        let rest = stat.rsplit_once(')').context("no name in /proc/PID/stat")?.1;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // Fields 14 and 15; `rest` begins with field 3.
        let ticks =
            |at: usize| fields.get(at - 3).and_then(|text| text.parse::<u64>().ok()).context("no time");
        Ok((ticks(14)? + ticks(15)?) * (1_000_000 / TICKS))
    }

    /// Lets the peak begin anew. Where that is not allowed it stays the peak since the start.
    pub(crate) fn forget_peak(&self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.0), "5");
    }

    /// Peak of the resident memory in KiB.
    pub(crate) fn peak_kib(&self) -> Result<u64> {
        let status = self.file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        line.trim().trim_end_matches("kB").trim().parse().context("VmHWM is no number")
    }

    fn file(&self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.0);
        std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))
    }
}
