//! A server that keeps a hundred thousand sessions in its file, and is called with some that lie all over it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::{Emulator, ids};
use valet_store::{Range, Ranged, Store, SystemClock};
use valet_suite::Rig;
use valet_suite::browser::Browser;
use valet_suite::oauth::{session_id, sign_in};
use valet_suite::process::Process;
use valet_suite::rig::{QUIET, emulator};

use crate::calls::{TOOLS, sample};
use crate::process::resident_mib;
use crate::{ROUNDS, SAMPLE, median, unlimited};

const SESSIONS: usize = 100_000;

/// People whose sessions are called with in turn, one each. Names of sessions begin with tenant and user, so these are in as many places of the file, with
/// [`SESSIONS`] divided by this between two of them.
const CALLERS: usize = 500;

/// Writers at the same time.
const WRITERS: usize = 256;

/// What is kept for a session of somebody who has one, by the beginnings of its names: itself, the family of its refresh tokens, and what the person permitted.
const KEPT: [(Range, &str); 3] =
    [(Range::Sessions, ""), (Range::Grants, "refresh/"), (Range::Grants, "account/")];

struct Figures {
    resident: f64,
    cpu: f64,
    p50: f64,
}

pub(crate) async fn table() -> Result<String> {
    let change = |config: valet_suite::config::Config| unlimited(config.with_sessions().on_disk());
    let emulator = emulator().await;
    let people = populate(&emulator)?;
    let mut rig = Rig::logging(QUIET, emulator, change).await;
    let mut tokens = Vec::new();
    for person in &people {
        tokens.push(sign_in(&rig, &mut Browser::new(&rig, person)).await.access);
    }
    let few = figures(&rig, &tokens).await?;

    ensure!(rig.process.stop().is_some(), "the server did not stop");
    let path = rig.folder.path("store.redb");
    let bytes = fill(&path, &tokens).await?;
    let file = std::fs::metadata(&path)?.len() / (1 << 20);
    let arguments = ["serve", "--log", QUIET, "--log-format", "json"];
    rig.process = Process::start(&arguments, &rig.folder.path("valet.toml"), &[]);
    rig.address = rig.process.address().await;
    let many = figures(&rig, &tokens).await?;

    let row = |name: &str, figure: fn(&Figures) -> f64| {
        format!("| {name} | {:.0} | {:.0} |\n", figure(&few), figure(&many))
    };
    Ok(format!(
        "The same server with {CALLERS} sessions, one a person, and with {SESSIONS} of other people beside them, records of {bytes} bytes for each as a sign-in leaves \
         them, in a file of {file} MiB. Calls of `whoami` with the {CALLERS} in turn, over 16 connections, {ROUNDS} rounds of {} s, medians; between two of them, in the order of the \
         file, are some {} of the others.\n\n| sessions | {CALLERS} | {} |\n| --- | ---: | ---: |\n{}{}{}",
        SAMPLE.as_secs(),
        SESSIONS / CALLERS,
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

/// Gives the tenant so many more people like Adele, whose ids are at equal distances, and gives their user names.
fn populate(emulator: &Emulator) -> Result<Vec<String>> {
    let mut people = Vec::new();
    for number in 0..CALLERS {
        let first = (number << 32) / CALLERS;
        people.push((
            format!("{first:08x}-0000-4000-8000-{number:012x}").parse()?,
            format!("p{number}@contoso.example"),
        ));
    }
    let names = people.iter().map(|(_, name)| name.clone()).collect();
    emulator.change_registrations(|all| {
        let adele = all.user(ids::ADELE_UPN).expect("the sample has Adele").clone();
        for (id, name) in people {
            let mut person = adele.clone();
            (person.id, person.user_principal_name) = (id, name);
            all.users.push(person);
        }
    });
    Ok(names)
}

/// Copies what a stopped server keeps for one of its sessions under other names, and gives how many bytes that is for each. `tokens` are of the sessions that are there.
async fn fill(path: &std::path::Path, tokens: &[String]) -> Result<usize> {
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
    check_spread(&store.range(Range::Sessions), tokens).await?;
    Ok(bytes)
}

async fn copy(range: &Ranged, (name, value): (String, Vec<u8>)) -> Result<()> {
    let value = Arc::new(value);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (range, name, value) = (range.clone(), name.clone(), Arc::clone(&value));
            tokio::spawn(async move {
                for number in (writer..SESSIONS).step_by(WRITERS) {
                    let name = another(&name, number as u64)?;
                    range.set(&name, &value, Some(Duration::from_secs(24 * 3600))).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for writer in writers {
        writer.await.context("a writer ended")??;
    }
    Ok(())
}

/// The name of copy `number` of the record `name`: of the same form, and in another place of the range from its first free digit on, as ids are in which all is random.
fn another(name: &str, number: u64) -> Result<String> {
    // Multiples of the golden ratio, of which any so many lie evenly.
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let user = format!("{:08x}-{:04x}-4000-9000-{number:012x}", spread >> 32, spread & 0xffff);
    let random = |bytes: usize| {
        let mut random = [spread.to_be_bytes(), number.to_be_bytes()].concat();
        random.resize(bytes, 0);
        URL_SAFE_NO_PAD.encode(random)
    };
    let another = if let Some(account) = name.strip_prefix("account/") {
        let (tenant, _) = account.split_once('/').context("an account is of a tenant")?;
        format!("account/{tenant}/{user}")
    } else if name.starts_with("refresh/") {
        format!("refresh/{}", random(16))
    } else {
        let (tenant, _) = name.split_once('.').context("a session is of a tenant")?;
        format!("{tenant}.{user}.{}", random(32))
    };
    ensure!(another.len() == name.len(), "{another} has not the form of {name}");
    Ok(another)
}

/// Whether each session that is called with has another neighbour than the next that is called with: else few places of the file would be looked at.
async fn check_spread(sessions: &Ranged, tokens: &[String]) -> Result<()> {
    let called: BTreeSet<String> = tokens.iter().map(|token| session_id(token)).collect();
    ensure!(called.len() == tokens.len(), "two tokens are of one session");
    for session in &called {
        let next = sessions.names("", session, SESSIONS / CALLERS / 2).await?;
        let near = next.iter().filter(|name| called.contains(*name)).count();
        ensure!(
            near == 0 && !next.is_empty(),
            "{near} of {} sessions behind {session} are called with, too",
            next.len()
        );
    }
    Ok(())
}
