//! The authority's keys change under both portable layouts, where the cache is the key-value store and each request has fresh instances. `native/rollover.rs` has more.

use std::time::Duration;

use entra_emulator::{Endpoint, Fault, Operation};

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

    // An endpoint in trouble leaves the last good keys alone.
    bench.emulator.faults().set(Endpoint::Keys, Fault::Status { code: 503, retry_after: None });
    tokio::time::sleep(Duration::from_secs(2)).await;
    bench.vary(&[("keys_floor", "1")]);
    assert_eq!((status(&bench, &old).await, status(&bench, &new).await), (401, 200), "{layout:?}");
    assert_eq!(fetches(&bench), 3, "{layout:?}");
    bench.emulator.faults().clear_all();
    assert_eq!(status(&bench, &bench.token(Token::Adele).unwrap()).await, 200, "{layout:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_follows_the_keys() {
    check(Layout::Single).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn split_follows_the_keys() {
    check(Layout::Split).await;
}
