//! A server that keeps a hundred thousand sessions in its file.

use anyhow::{Context as _, Result, ensure};
use entra_emulator::ids;
use valet_store::{Range, Ranged, Store, SystemClock};
use valet_suite::Rig;
use valet_suite::browser::Browser;
use valet_suite::oauth::sign_in;
use valet_suite::process::Process;
use valet_suite::rig::{QUIET, shared_emulator};

use crate::calls::{TOOLS, sample};
use crate::process::resident_mib;
use crate::{ROUNDS, median, unlimited};

const SESSIONS: usize = 100_000;

/// Sessions that are called with in turn (one person has 64 at most), so that no record is looked for twice in a row. Their random ids are spread among the others'.
const CALLERS: usize = 60;

/// Writers at the same time.
const WRITERS: usize = 256;

/// What is kept for a session, by the beginnings of its names: itself, and the family of its refresh tokens.
const KEPT: [(Range, &str); 2] = [(Range::Sessions, ""), (Range::Grants, "refresh/")];

struct Figures {
    resident: f64,
    cpu: f64,
    p50: f64,
}

pub(crate) async fn table() -> Result<String> {
    let change = |config: valet_suite::config::Config| unlimited(config.with_sessions().on_disk());
    let mut rig = Rig::logging(QUIET, shared_emulator().await, change).await;
    let mut browser = Browser::new(&rig, ids::ADELE_UPN);
    let mut tokens = Vec::new();
    for _ in 0..CALLERS {
        tokens.push(sign_in(&rig, &mut browser).await.access);
    }
    let few = figures(&rig, &tokens).await?;

    ensure!(rig.process.stop().is_some(), "the server did not stop");
    let path = rig.folder.path("store.redb");
    let bytes = fill(&path).await?;
    let file = std::fs::metadata(&path)?.len() / (1 << 20);
    let arguments = ["serve", "--log", QUIET, "--log-format", "json"];
    rig.process = Process::start(&arguments, &rig.folder.path("valet.toml"), &[]);
    rig.address = rig.process.address().await;
    let many = figures(&rig, &tokens).await?;

    let row = |name: &str, figure: fn(&Figures) -> f64| {
        format!("| {name} | {:.0} | {:.0} |\n", figure(&few), figure(&many))
    };
    Ok(format!(
        "The same server with {CALLERS} sessions, and with {SESSIONS} beside them, records of {bytes} bytes for each as a sign-in leaves them, in a file of {file} MiB; \
         calls of `whoami` with the {CALLERS} in turn.\n\n| sessions | {CALLERS} | {} |\n| --- | ---: | ---: |\n{}{}{}",
        CALLERS + SESSIONS,
        row("resident after the calls, MiB", |figures| figures.resident),
        row("CPU µs/request", |figures| figures.cpu),
        row("p50 µs", |figures| figures.p50),
    ))
}

async fn figures(rig: &Rig, tokens: &[String]) -> Result<Figures> {
    let (tool, expected) = TOOLS[0];
    let (mut cpu, mut p50) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let sample = sample(rig, tool, expected, tokens, 16).await?;
        cpu.push(sample.cpu);
        p50.push(sample.p50);
    }
    let id = u32::try_from(rig.process.id().as_raw_nonzero().get())?;
    Ok(Figures { resident: resident_mib(id)?, cpu: median(cpu), p50: median(p50) })
}

/// Copies what a stopped server keeps for one of its sessions under other names, and gives how many bytes that is for each.
async fn fill(path: &std::path::Path) -> Result<usize> {
    let store = Store::disk(path, SystemClock).await?;
    let mut bytes = 0;
    for (range, names) in KEPT {
        let range = store.range(range);
        let mut longest = (String::new(), Vec::new());
        for name in range.names(names, "", 100).await? {
            let value = range.get(&name).await?.context("what is listed is there")?;
            if value.len() > longest.1.len() {
                longest = (name, value);
            }
        }
        ensure!(!longest.1.is_empty(), "the sign-in left nothing");
        bytes += longest.1.len();
        copy(&range, longest).await?;
    }
    Ok(bytes)
}

async fn copy(range: &Ranged, (name, value): (String, Vec<u8>)) -> Result<()> {
    let value = std::sync::Arc::new(value);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (range, name, value) = (range.clone(), name.clone(), value.clone());
            tokio::spawn(async move {
                for number in (writer..SESSIONS).step_by(WRITERS) {
                    // Of the same length, and spread like the names of records.
                    let mark = format!("{:08x}", (number as u32).wrapping_mul(0x9e37_79b9));
                    let name = format!("{}{mark}", &name[..name.len() - mark.len()]);
                    range.set(&name, &value, Some(std::time::Duration::from_secs(24 * 3600))).await?;
                }
                Ok::<(), valet_store::StoreError>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await.context("a writer ended")??;
    }
    Ok(())
}
