//! The local server of somebody who has signed in before: how soon it answers, what a silent call asks for, what it holds when nothing happens.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use entra_emulator::{Operation, ids};
use serde_json::{Value, json};
use valet_suite::ask::{LEGACY, modern};
use valet_suite::desk::{Desk, PLAIN};
use valet_suite::rig::emulator;
use valet_suite::stdio::Stdio;

use crate::bus::{Bus, Keyring};
use crate::process::resident_mib;
use crate::{median, unlimited};

/// Starts of each kind.
const STARTS: usize = 15;

/// Calls one after another.
const CALLS: usize = 200;

/// What was seen with one kind of cache.
struct Figures {
    /// To the answer to `initialize`, and to that to `server/discover`, in ms.
    starts: [f64; 2],
    resident: f64,
    /// A silent call, in µs.
    p50: f64,
    /// Requests to Graph and to Entra for all silent calls.
    asked: [u64; 2],
}

pub(crate) async fn table() -> Result<String> {
    // Each with an Entra of its own, where nobody has permitted anything yet.
    let desk = async || Desk::at(emulator().await, unlimited);
    let file = figures(&desk().await, &[PLAIN]).await?;
    let keychain = match desktop().await {
        Some((bus, _keyring)) => Some(figures(&desk().await.on_bus(&bus.address), &[]).await?),
        None => None,
    };
    let row = |name: &str, figure: fn(&Figures) -> String| {
        let keychain = keychain.as_ref().map_or_else(|| "–".to_owned(), figure);
        format!("| {name} | {} | {keychain} |\n", figure(&file))
    };
    Ok(format!(
        "`valet stdio` of a user who has signed in before, with the emulator's account; the cache is a plain file, or in the keychain (`gnome-keyring` on a bus of its own, \
         unlocked; – where there is none). {STARTS} starts of each kind, medians.\n\n\
         | local server | file | keychain |\n| --- | ---: | ---: |\n{}{}{}{}{}{}",
        row("process to the answer to `initialize`, ms", |it| format!("{:.0}", it.starts[0])),
        row("process to the answer to `server/discover`, ms", |it| format!("{:.0}", it.starts[1])),
        row("resident 200 ms later, MiB", |it| format!("{:.1}", it.resident)),
        row(&format!("{CALLS} silent calls of `GetUserDetailsFromGraph`: p50, µs"), |it| format!(
            "{:.0}",
            it.p50
        )),
        row("requests to Graph for them", |it| it.asked[0].to_string()),
        row("requests to Entra for them", |it| it.asked[1].to_string()),
    ))
}

/// A keychain on a bus of its own; none where the machine has not got what that takes (Debian: `dbus`, `gnome-keyring`).
async fn desktop() -> Option<(Bus, Keyring)> {
    let bus = Bus::start().await?;
    let keyring = bus.keyring().await?;
    Some((bus, keyring))
}

/// Measures at `desk` with programs that are started with `arguments`.
async fn figures(desk: &Desk, arguments: &[&str]) -> Result<Figures> {
    desk.log_in_with(arguments, ids::ADELE_UPN).await;
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" },
    }});
    let discover = modern("server/discover", json!({}));
    let (mut legacy, mut newer, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        for (message, taken) in [(&initialize, &mut legacy), (&discover, &mut newer)] {
            let began = Instant::now();
            let mut server = desk.stdio_with(arguments, false);
            let answer = ask(&mut server, message).await?;
            taken.push(began.elapsed().as_secs_f64() * 1e3);
            ensure!(answer["result"].is_object(), "the answer is {answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            idle.push(resident_mib(server.id())?);
        }
    }
    let (p50, asked) = silent_calls(desk, arguments).await?;
    Ok(Figures { starts: [median(legacy), median(newer)], resident: median(idle), p50, asked })
}

/// How long a call takes that asks its user for nothing, in µs, and what all of them ask of Graph and of Entra.
async fn silent_calls(desk: &Desk, arguments: &[&str]) -> Result<(f64, [u64; 2])> {
    let mut server = desk.stdio_with(arguments, true);
    let call = modern("tools/call", json!({ "name": "GetUserDetailsFromGraph", "arguments": {} }));
    // The first call asks for the permission.
    desk.close_browser();
    server.message(&call);
    desk.finish(ids::ADELE_UPN).await;
    server.line().await.context("it has ended")?;
    let faults = desk.emulator.faults();
    faults.reset_counts();
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let began = Instant::now();
        let answer = ask(&mut server, &call).await?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
        let mail = &answer["result"]["structuredContent"]["mail"];
        ensure!(mail == "adele.vance@contoso.example", "the answer is {answer}");
    }
    let asked = |operations: &[Operation]| operations.iter().map(|it| faults.count(*it)).sum::<u64>();
    let graph = asked(&[Operation::Graph]);
    let entra = asked(&[Operation::Metadata, Operation::Keys, Operation::Authorize, Operation::Token]);
    Ok((median(times), [graph, entra]))
}

async fn ask(server: &mut Stdio, message: &Value) -> Result<Value> {
    server.message(message);
    server.line().await.context("it has ended")
}
