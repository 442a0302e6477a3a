//! The authority's keys change under both portable layouts, where the cache is the key-value store and each request has fresh instances. `native/rollover.rs` has more.

use std::time::Duration;

use entra_emulator::{Endpoint, Operation};
use serde_json::Value;
use valet_suite::troubles::{Trouble, troubles};

use crate::bench::{Bench, Layout, Token};
use crate::cases;

fn fetches(bench: &Bench) -> u64 {
    bench.emulator.faults().count(Operation::Keys)
}

async fn status(bench: &Bench, token: &str) -> u16 {
    cases::call(bench, "whoami", token).await.status().as_u16()
}

async fn check(layout: Layout) {
    let bench = Bench::start(layout).await;
    let old = bench.token(Token::Adele).unwrap();
    for _ in 0..5 {
        assert_eq!(status(&bench, &old).await, 200, "{layout:?}");
    }
    assert_eq!(fetches(&bench), 1, "{layout:?}: one fetch, whatever the number of instances");

    let old_kid = bench.emulator.signing_kid();
    bench.emulator.rotate_keys().unwrap();
    assert!(bench.emulator.remove_key(&old_kid));
    let new = bench.token(Token::Adele).unwrap();
    assert_eq!((status(&bench, &new).await, fetches(&bench)), (401, 1), "{layout:?}: within the floor");
    assert_eq!(bench.last_reason(), "unknown_key", "{layout:?}");

    // Past a floor of one second the first token of the new key brings it, and the old one goes with the same fetch.
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.vary(&[("keys_floor", "1")]);
    assert_eq!((status(&bench, &new).await, fetches(&bench)), (200, 2), "{layout:?}");
    bench.vary(&[]);
    for _ in 0..20 {
        assert_eq!(status(&bench, &old).await, 401, "{layout:?}");
        assert_eq!(bench.last_reason(), "unknown_key", "{layout:?}");
    }
    assert_eq!(fetches(&bench), 2, "{layout:?}: none for a flood of the old one");
}

/// Whatever is the matter with the endpoint, known keys serve without asking it, and a token of a new key has it asked once and is good when it works again. Who waits
/// meanwhile is no question here: no instance can wait for another.
async fn check_troubles(layout: Layout) {
    let bench = Bench::start(layout).await;
    bench.vary(&[("keys_floor", "1")]);
    let mut known = bench.token(Token::Adele).unwrap();
    assert_eq!(status(&bench, &known).await, 200, "{layout:?}");
    for Trouble { name, fault, why } in troubles() {
        bench.emulator.rotate_keys().unwrap();
        let new = bench.token(Token::Adele).unwrap();
        bench.emulator.faults().set(Endpoint::Keys, fault);
        past_the_floor().await;
        let (before, mark) = (fetches(&bench), bench.application.log().len());
        assert_eq!((status(&bench, &known).await, fetches(&bench)), (200, before), "{layout:?}: {name}");
        let expected = if why.is_some() { 401 } else { 200 };
        assert_eq!(
            (status(&bench, &new).await, fetches(&bench)),
            (expected, before + 1),
            "{layout:?}: {name}"
        );
        let told = not_renewed(&bench, mark);
        match (why, told.as_slice()) {
            (None, []) => {}
            (Some(why), [told]) if told.contains(why) => {}
            _ => panic!("{layout:?}: {name}: {why:?}, but the log says {told:?}"),
        }
        bench.emulator.faults().clear_all();
        past_the_floor().await;
        assert_eq!(
            (status(&bench, &new).await, status(&bench, &known).await),
            (200, 200),
            "{layout:?}: {name}"
        );
        known = new;
    }
}

/// Long enough that another second has begun, which is what the floor is counted in.
async fn past_the_floor() {
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

/// Why keys were not renewed since the log was `mark` bytes long.
fn not_renewed(bench: &Bench, mark: usize) -> Vec<String> {
    let log = bench.application.log();
    let events = log[mark..].lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let told = events.filter(|event| event["target"] == "keys");
    told.map(|event| event["why"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn single_follows_the_keys() {
    check(Layout::Single).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn split_follows_the_keys() {
    check(Layout::Split).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_goes_on_with_known_keys_while_their_endpoint_is_in_trouble() {
    check_troubles(Layout::Single).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn split_goes_on_with_known_keys_while_their_endpoint_is_in_trouble() {
    check_troubles(Layout::Split).await;
}
