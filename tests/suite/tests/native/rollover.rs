//! Drills with the authority's keys: floods, and an endpoint in trouble. Several tenants with keys of their own are in `tenants.rs`.

use std::time::{Duration, Instant};

use entra_emulator::{Endpoint, Fault, Operation, ids};
use serde_json::{Value, json};
use valet_minting::{base64url, with};
use valet_suite::check::{Refusal, refused};
use valet_suite::config::list;
use valet_suite::rig::{QUIET, emulator};
use valet_suite::surroundings::Surroundings;
use valet_suite::troubles::{Trouble, troubles};
use valet_suite::{Ask, Rig, run};

fn fetches(rig: &Rig) -> u64 {
    rig.emulator.faults().count(Operation::Keys)
}

fn not_accepted(audit: &str) -> Refusal {
    Refusal::challenge(401, "invalid_token", "the token was not accepted", &format!("denied {audit}"))
}

/// A server that asks for keys again after `floor` seconds.
async fn with_floor(floor: i64) -> Rig {
    Rig::start_with(emulator().await, |config| config.set("entra.keys_floor", floor)).await
}

/// A token with a `kid` that nobody has. Its signature is another token's; it is not reached.
fn of_unknown_key(good: &str, number: usize) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": format!("invented-{number}") });
    let rest = good.split_once('.').unwrap().1;
    format!("{}.{rest}", base64url(header.to_string()))
}

#[test]
fn ten_thousand_unknown_keys_cost_one_fetch_a_floor() {
    const FLOOR: u64 = 3;
    run(async {
        let rig = Rig::logging(QUIET, emulator().await, |config| config.set("entra.keys_floor", 3)).await;
        let good = rig.token(ids::ADELE_UPN);
        rig.call("whoami", &good).await.result();
        assert_eq!(fetches(&rig), 1);
        let (rig, begin) = (std::sync::Arc::new(rig), Instant::now());
        let mut flood = tokio::task::JoinSet::new();
        for lane in 0..20 {
            let (rig, good) = (std::sync::Arc::clone(&rig), good.clone());
            flood.spawn(async move {
                for number in 0..500 {
                    let token = of_unknown_key(&good, lane * 500 + number);
                    assert_eq!(rig.call("whoami", &token).await.status, 401);
                }
                assert_eq!(rig.call("whoami", &good).await.status, 200);
            });
        }
        flood.join_all().await;
        let (took, fetched) = (begin.elapsed().as_secs(), fetches(&rig));
        assert!(fetched <= 1 + took / FLOOR + 1, "{fetched} fetches in {took} s");
        // Past the floor the next one has them fetched, and only that.
        tokio::time::sleep(Duration::from_secs(FLOOR + 1)).await;
        assert_eq!(rig.call("whoami", &of_unknown_key(&good, 10_000)).await.status, 401);
        assert_eq!(fetches(&rig), fetched + 1);
    });
}

/// Whoever shows an unknown key has the keys fetched, once a floor. If leaving broke that off, a stranger could keep everybody from a new key, floor by floor.
#[test]
fn who_leaves_breaks_no_renewal_off() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let rig = Rig::within(surroundings.variables(), emulator().await, |config| config).await;
        let good = rig.token(ids::ADELE_UPN);
        rig.call("whoami", &good).await.result();
        rig.emulator.rotate_keys().unwrap();
        rig.emulator.faults().set_times(Endpoint::Keys, Fault::Delay(Duration::from_secs(1)), 1);
        // Past the floor, so that an unknown key is reason to fetch.
        surroundings.set_clock(301);
        rig.emulator.set_clock_offset(301);
        let unknown = of_unknown_key(&good, 1);
        asks_and_leaves(&rig, Ask::tool("whoami").bearer(&unknown)).await;
        // An hour later they are fetched whoever asks, be it whether the server is ready.
        rig.emulator.rotate_keys().unwrap();
        rig.emulator.faults().set_times(Endpoint::Keys, Fault::Delay(Duration::from_secs(1)), 1);
        surroundings.set_clock(4000);
        rig.emulator.set_clock_offset(4000);
        asks_and_leaves(&rig, Ask::get("/readyz")).await;
    });
}

/// Sends `ask`, leaves while the keys are fetched for it, and waits for a token of the new key to be good.
async fn asks_and_leaves(rig: &Rig, ask: Ask) {
    let before = fetches(rig);
    let mut left = Box::pin(rig.send(ask));
    while fetches(rig) == before {
        tokio::select! {
            answer = &mut left => panic!("answered before the keys were asked for: {answer:?}"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    }
    drop(left);
    // The server's clock stands still in this floor, so the new key is known by what that fetch brings or not at all.
    let new = rig.token(ids::ADELE_UPN);
    let end = Instant::now() + Duration::from_secs(20);
    while rig.call("whoami", &new).await.status != 200 {
        assert!(Instant::now() < end, "the fetch was broken off");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(fetches(rig), before + 1);
}

#[test]
fn an_endpoint_in_trouble_leaves_known_keys_alone_and_is_left_alone() {
    run(async {
        let rig = std::sync::Arc::new(with_floor(1).await);
        let old = rig.token(ids::ADELE_UPN);
        rig.call("whoami", &old).await.result();
        for Trouble { name, fault, why } in troubles() {
            rig.emulator.rotate_keys().unwrap();
            let new = rig.token(ids::ADELE_UPN);
            rig.emulator.faults().set(Endpoint::Keys, fault.clone());
            tokio::time::sleep(Duration::from_millis(1100)).await;
            let (before, mark) = (fetches(&rig), rig.log().mark());
            let unknown = tokio::spawn({
                let (rig, new) = (std::sync::Arc::clone(&rig), new.clone());
                async move { rig.call("whoami", &new).await.status }
            });
            while fetches(&rig) == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // While that one waits for the endpoint, known keys serve.
            assert_eq!(rig.call("whoami", &old).await.status, 200, "{name}");
            if matches!(fault, Fault::Delay(_)) {
                assert!(!unknown.is_finished(), "{name}: the known key did not wait");
            }
            assert_eq!(unknown.await.unwrap(), if why.is_some() { 401 } else { 200 }, "{name}");
            assert_eq!(fetches(&rig), before + 1, "{name}: tried once");
            if let Some(why) = why {
                let told = |event: &Value| event["why"].as_str().is_some_and(|text| text.contains(why));
                let event = rig.log().wait(mark, why, told).await;
                assert_eq!(event["level"], "WARN", "{name}: {event}");
            }
            rig.emulator.faults().clear_all();
            tokio::time::sleep(Duration::from_millis(1100)).await;
            rig.call("whoami", &new).await.result();
            rig.call("whoami", &old).await.result();
        }
    });
}

#[test]
fn only_listed_clients_may_call() {
    run(async {
        let daemon = ids::DAEMON.to_string();
        let rig =
            Rig::changed(|config| config.set("entra.clients", list(&[&ids::DEMO_CLIENT.to_string()]))).await;
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        let other = rig.signed(with(rig.claims(), "azp", json!(daemon)));
        let audit = format!("foreign_client: client `{daemon}` is not among the applications that may call");
        refused(&rig, "another client", Ask::tool("whoami").bearer(&other), &not_accepted(&audit)).await;
    });
}
