//! kill −9 at any moment: whoever opens the file afterwards finds each value whole, and it is the last one that was answered for or the one that was being written.
//!
//! The program starts itself with the path of a file, and kills that child at a seeded moment.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use valet_store::{Range, Ranged, Store, SystemClock};

use common::{LONG, Seeded};

const SEED: u64 = 6;
const ROUNDS: u64 = 100;
const WRITERS: usize = 4;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match std::env::args().nth(1) {
        Some(path) if Path::new(&path).extension().is_some_and(|extension| extension == "redb") => {
            runtime.block_on(write_until_killed(Path::new(&path)));
        }
        // What `cargo test` passes on is for other harnesses.
        _ => {
            runtime.block_on(kill_again_and_again());
            runtime.block_on(kill_while_the_file_is_made());
        }
    }
}

fn value(number: u64) -> Vec<u8> {
    format!("{number} ").repeat(150).into_bytes()
}

/// The number of a value that is whole.
fn number(value: &[u8]) -> u64 {
    let text = std::str::from_utf8(value).expect("the value is text");
    let number = text.split(' ').next().unwrap().parse().expect("the value begins with its number");
    assert_eq!(value, self::value(number), "the value is whole");
    number
}

async fn current(range: &Ranged, writer: usize) -> u64 {
    range.get(&writer.to_string()).await.unwrap().map_or(0, |value| number(&value))
}

/// Says each number once it is kept.
async fn write_until_killed(path: &Path) {
    let range = Store::disk(path, SystemClock).await.unwrap().range(Range::Sessions);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let range = range.clone();
            tokio::spawn(async move {
                let name = writer.to_string();
                let mut last = current(&range, writer).await;
                loop {
                    // Renewal of a session: what was read is swapped for what is new.
                    let old = (last > 0).then(|| value(last));
                    assert!(range.swap(&name, old.as_deref(), &value(last + 1), LONG).await.unwrap());
                    last += 1;
                    let mut output = std::io::stdout().lock();
                    if writeln!(output, "{writer} {last}").and_then(|()| output.flush()).is_err() {
                        return; // whoever was to kill us is gone
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn kill_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut seeded = Seeded(SEED);
    let mut kept = [0; WRITERS];
    let mut in_flight = 0;
    for round in 0..ROUNDS {
        let answered =
            write_and_kill(&path, &Moment::Writing(Duration::from_micros(seeded.below(40_000))), kept);
        let range = Store::disk(&path, SystemClock).await.unwrap().range(Range::Sessions);
        for writer in 0..WRITERS {
            let found = current(&range, writer).await;
            let answered = answered[writer];
            assert!(
                found == answered || found == answered + 1,
                "round {round}, writer {writer}: {found} was found, {answered} was answered for"
            );
            in_flight += u64::from(found != answered);
            kept[writer] = found;
        }
        assert_eq!(range.count("", 9).await.unwrap(), kept.iter().filter(|kept| **kept > 0).count());
    }
    assert!(kept.iter().all(|kept| *kept > 0), "the children got to write: {kept:?}");
    report(&format!(
        "{ROUNDS} kills with seed {SEED}: {} writes kept, {in_flight} of them unanswered",
        kept.iter().sum::<u64>()
    ));
}

async fn kill_while_the_file_is_made() {
    let mut seeded = Seeded(SEED);
    for _ in 0..ROUNDS / 3 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let answered = write_and_kill(
            &path,
            &Moment::Starting(Duration::from_micros(seeded.below(30_000))),
            [0; WRITERS],
        );
        let range = Store::disk(&path, SystemClock).await.unwrap().range(Range::Sessions);
        assert!(current(&range, 0).await >= answered[0]);
    }
}

/// When a child is killed.
enum Moment {
    /// So long after it answered for its first write.
    Writing(Duration),
    /// So long after it was started.
    Starting(Duration),
}

/// The last number of each writer that the child answered for.
fn write_and_kill(path: &Path, moment: &Moment, mut answered: [u64; WRITERS]) -> [u64; WRITERS] {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program).arg(path).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    match moment {
        Moment::Writing(after) => {
            output.read_line(&mut lines).unwrap();
            sleep(*after);
        }
        Moment::Starting(after) => sleep(*after),
    }
    child.kill().unwrap();
    output.read_to_string(&mut lines).unwrap();
    child.wait().unwrap();
    // The last line may be cut off: then it is no answer.
    for line in lines.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (writer, number) = line.split_once(' ').unwrap();
        answered[writer.parse::<usize>().unwrap()] = number.parse().unwrap();
    }
    answered
}

#[expect(clippy::print_stdout, reason = "it is its own harness")]
fn report(text: &str) {
    println!("{text}");
}
