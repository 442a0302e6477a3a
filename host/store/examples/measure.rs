//! Measures the store on disk: memory and look-up time with 100,000 sessions, and writes in a second. Prints what it finds.
//!
//! `cargo run --release -p valet-store --example measure [FOLDER]`; give a folder on a real disk, where the system's temporary one is in memory.
#![expect(clippy::print_stdout, reason = "a program that prints")]

use std::path::Path;
use std::time::{Duration, Instant};

use valet_store::{Range, Ranged, Store, SystemClock};

const SESSIONS: usize = 100_000;
const SESSION_BYTES: usize = 1200;
const LIFETIME: Option<Duration> = Some(Duration::from_secs(24 * 3600));

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let folder = tempfile::tempdir_in(folder).expect("the folder can be written");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("there are threads");
    runtime.block_on(measure(&folder.path().join("store.redb")));
}

async fn measure(path: &Path) {
    let before = resident();
    println!("resident at start: {before:.0} MB");
    let range = Store::disk(path, SystemClock).await.expect("the file can be made").range(Range::Sessions);
    for tasks in [1, 16, 256] {
        let writes = 125 * tasks;
        let time = write(&range, "warm-up", writes, tasks).await;
        println!("writes by {tasks:3} tasks: {:6.0} a second", per_second(writes, time));
    }
    write(&range, "session", 1000, 256).await;
    look_up(&range, 1000).await;
    let time = write(&range, "session", SESSIONS, 256).await;
    println!("{SESSIONS} sessions of {SESSION_BYTES} bytes written in {time:.1?}");
    look_up(&range, SESSIONS).await;
    let file = std::fs::metadata(path).expect("the file is there").len();
    println!(
        "resident: {:.0} MB, {:.0} MB more than at start; file: {:.0} MB",
        resident(),
        resident() - before,
        megabytes(file)
    );
    drop(range);
    let opening = Instant::now();
    let range = Store::disk(path, SystemClock).await.expect("the file can be opened").range(Range::Sessions);
    println!("opened and checked in {:.2?}; resident: {:.0} MB", opening.elapsed(), resident());
    look_up(&range, SESSIONS).await;
}

/// Writes sessions `0..count` from so many tasks.
async fn write(range: &Ranged, kind: &str, count: usize, tasks: usize) -> Duration {
    let began = Instant::now();
    let writers: Vec<_> = (0..tasks)
        .map(|task| {
            let (range, kind) = (range.clone(), kind.to_owned());
            tokio::spawn(async move {
                for number in (task..count).step_by(tasks) {
                    range
                        .set(&name(&kind, number), &[7; SESSION_BYTES], LIFETIME)
                        .await
                        .expect("it can be written");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer ends well");
    }
    began.elapsed()
}

/// Prints the median and the 99th percentile of look-ups in a scattered order.
async fn look_up(range: &Ranged, sessions: usize) {
    let mut times = Vec::new();
    for step in 0..20_000 {
        let name = name("session", step * 7919 % sessions);
        let began = Instant::now();
        assert!(range.get(&name).await.expect("it can be read").is_some());
        times.push(began.elapsed());
    }
    times.sort_unstable();
    println!("look-up among {sessions:6}: median {:.1?}, 99 % within {:.1?}", times[10_000], times[19_800]);
}

/// As long as a hash in hexadecimal, and as scattered.
fn name(kind: &str, number: usize) -> String {
    format!("{kind}/{:016x}{number:048x}", (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Memory of this process in megabytes.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("this is Linux");
    let pages: u64 = pages
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("the second number is that of resident pages");
    megabytes(pages * 4096)
}

#[expect(clippy::cast_precision_loss, reason = "printed with no digit after the point")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "printed with no digit after the point")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
