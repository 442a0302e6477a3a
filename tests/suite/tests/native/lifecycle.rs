//! Start, stop, crash, start again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use entra_emulator::{Endpoint, Fault, Operation, ids};
use tokio::net::TcpStream;
use valet_suite::config::Config;
use valet_suite::process::Process;
use valet_suite::rig::emulator;
use valet_suite::wire::Wire;
use valet_suite::{Rig, run};

const TOOL: &str = "GetUserDetailsFromGraph";

#[test]
fn a_signal_lets_open_requests_end() {
    run(async {
        let mut rig = Rig::own().await;
        let token = rig.token(ids::ADELE_UPN);
        rig.emulator.faults().set_times(Endpoint::Graph, Fault::Delay(Duration::from_secs(2)), 1);
        let (http, ask) = (rig.http.clone(), valet_suite::Ask::tool(TOOL).bearer(&token));
        let answer = {
            let open = rig.send_with(&http, ask);
            let stop = async {
                tokio::time::sleep(Duration::from_millis(500)).await;
                rig.process.terminate();
                rig.log()
                    .wait(0, "stopping", |event| event["message"] == "stopping: waiting for open requests")
                    .await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                assert!(TcpStream::connect(rig.address).await.is_err(), "no new connections");
            };
            tokio::join!(open, stop).0
        };
        assert_eq!(answer.result()["structuredContent"]["displayName"], "Adele Vance");
        let ended = rig.process.end(Duration::from_secs(5));
        assert_eq!(ended.and_then(|status| status.code()), Some(0));
    });
}

#[test]
fn idle_connections_do_not_hold_up_the_end() {
    run(async {
        let mut rig = Rig::start().await;
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        let one = rig.client().http1_only().build().unwrap();
        rig.send_with(&one, valet_suite::Ask::get("/healthz")).await;
        let idle = Wire::open(rig.address).await;
        let began = Instant::now();
        assert_eq!(rig.process.stop().and_then(|status| status.code()), Some(0));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        drop(idle);
    });
}

#[test]
fn what_is_on_disk_survives_a_crash() {
    run(async {
        let mut rig = Rig::start_with(emulator().await, Config::on_disk).await;
        let token = rig.token(ids::ADELE_UPN);
        let faults = rig.emulator.faults();
        for _ in 0..3 {
            rig.call(TOOL, &token).await.result();
            rig.process.kill();
            assert!(rig.process.end(Duration::from_secs(5)).is_some());
            rig.restart().await;
        }
        rig.call(TOOL, &token).await.result();
        let counts = (
            faults.count(Operation::OnBehalfOf),
            faults.count(Operation::Keys),
            faults.count(Operation::Graph),
        );
        assert_eq!(counts, (1, 1, 4), "neither the exchange nor the keys were needed again");
    });
}

#[test]
fn a_crash_in_the_middle_of_calls_leaves_a_store_that_opens() {
    run(async {
        let mut rig = Rig::start_with(emulator().await, Config::on_disk).await;
        for round in 0..3 {
            let tokens: Vec<String> = (0..20).map(|_| rig.token(ids::ADELE_UPN)).collect();
            let shared = Arc::new((rig.http.clone(), tokens));
            let mut calls = tokio::task::JoinSet::new();
            for number in 0..20 {
                let shared = Arc::clone(&shared);
                calls.spawn(async move {
                    let ask = shared.0.post("https://valet.example/mcp").bearer_auth(&shared.1[number]);
                    let ask = ask.header("content-type", "application/json");
                    // Cut short by the crash, most of them.
                    let _ = ask.body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"GetUserDetailsFromGraph"}}"#).send().await;
                });
            }
            tokio::time::sleep(Duration::from_millis(10 + 15 * round)).await;
            rig.process.kill();
            assert!(rig.process.end(Duration::from_secs(5)).is_some());
            calls.join_all().await;
            rig.restart().await;
            rig.call(TOOL, &shared.1[0]).await.result();
        }
    });
}

#[test]
fn another_sealing_key_costs_another_exchange() {
    run(async {
        let mut rig = Rig::start_with(emulator().await, Config::on_disk).await;
        let token = rig.token(ids::ADELE_UPN);
        rig.call(TOOL, &token).await.result();
        assert_eq!(rig.process.stop().and_then(|status| status.code()), Some(0));
        rig.folder.write("sealing-key", "YWJjZGVmMDEyMzQ1Njc4OTAxMjM0NTY3ODlhYmNkZWY=");
        rig.restart().await;
        rig.call(TOOL, &token).await.result();
        assert_eq!(rig.emulator.faults().count(Operation::OnBehalfOf), 2);
    });
}

#[test]
fn one_store_has_one_server() {
    run(async {
        let rig = Rig::changed(Config::on_disk).await;
        let mut second = Process::start(&["serve"], &rig.folder.path("valet.toml"), &[]);
        let ended = second.end(Duration::from_secs(10)).expect("the second server gives up");
        assert_eq!(ended.code(), Some(1));
        let text = second.log().text();
        assert!(text.starts_with("valet: storage: `storage.path` /"), "{text}");
        assert!(
            text.ends_with(
                "is open in another process; several processes share a Redis (`storage.redis_url_file`)"
            ),
            "{text}"
        );
        rig.call(TOOL, &rig.token(ids::ADELE_UPN)).await.result();
    });
}

#[test]
fn an_address_that_is_taken_is_named() {
    run(async {
        let rig = Rig::start().await;
        let taken = rig.address.to_string();
        let variables = [("VALET_SERVER_LISTEN", taken.as_str())];
        let mut second = Process::start(&["serve"], &rig.folder.path("valet.toml"), &variables);
        assert_eq!(second.end(Duration::from_secs(10)).and_then(|status| status.code()), Some(1));
        assert_eq!(
            second.log().text(),
            format!("valet: server.listen {taken}: Address already in use (os error 98)")
        );
    });
}
