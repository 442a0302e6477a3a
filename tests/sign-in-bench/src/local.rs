//! The local server of somebody who has signed in before: how soon it answers, what a silent call asks for, what it holds when nothing happens.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use entra_emulator::{Operation, ids};
use serde_json::{Value, json};
use valet_suite::ask::{LEGACY, modern};
use valet_suite::desk::Desk;
use valet_suite::stdio::Stdio;

use crate::process::resident_mib;
use crate::{median, unlimited};

/// Starts of each kind.
const STARTS: usize = 15;

/// Calls one after another.
const CALLS: usize = 200;

pub(crate) async fn table() -> Result<String> {
    let desk = Desk::with(unlimited).await;
    desk.log_in(ids::ADELE_UPN).await;
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" },
    }});
    let discover = modern("server/discover", json!({}));
    let (mut legacy, mut newer, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        for (message, taken) in [(&initialize, &mut legacy), (&discover, &mut newer)] {
            let began = Instant::now();
            let mut server = desk.stdio(false);
            let answer = ask(&mut server, message).await?;
            taken.push(began.elapsed().as_secs_f64() * 1e3);
            ensure!(answer["result"].is_object(), "the answer is {answer}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            idle.push(resident_mib(server.id())?);
        }
    }

    let mut server = desk.stdio(true);
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
    let others = asked(&[Operation::Metadata, Operation::Keys, Operation::Authorize, Operation::Token]);
    Ok(format!(
        "`valet stdio` of a user who has signed in before, with the emulator's account; the cache is a file. {STARTS} starts of each kind, medians.\n\n\
         | local server | |\n| --- | ---: |\n| process to the answer to `initialize`, ms | {:.0} |\n| process to the answer to `server/discover`, ms | {:.0} |\n\
         | resident 200 ms later, MiB | {:.1} |\n| {CALLS} silent calls of `GetUserDetailsFromGraph`: p50, µs | {:.0} |\n\
         | requests to Graph for them | {graph} |\n| requests to Entra for them | {others} |\n",
        median(legacy),
        median(newer),
        median(idle),
        median(times),
    ))
}

async fn ask(server: &mut Stdio, message: &Value) -> Result<Value> {
    server.message(message);
    server.line().await.context("it has ended")
}
