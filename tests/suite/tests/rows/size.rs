//! What the server's process holds in memory.

use valet_suite::Rig;

/// What may stay after a group of rows: pool slots that were touched for the first time, buffers of the allocator. A leak of one request body a row
/// would be more.
const SLACK: u64 = 48 * 1024 * 1024;

/// Resident bytes, as Linux counts them.
pub(crate) fn resident(rig: &Rig) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", rig.process.id().as_raw_nonzero())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

/// Fails if the server stays larger than `before` by more than what may stay. Memory goes back in its own time, so it is given some.
pub(crate) async fn back_to(rig: &Rig, before: u64) {
    let mut now = resident(rig);
    for _ in 0..50 {
        if now <= before + SLACK {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        now = resident(rig);
    }
    panic!("the server had {} MiB and keeps {} MiB", before >> 20, now >> 20);
}
