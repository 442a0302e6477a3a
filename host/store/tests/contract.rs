//! What every kind of store keeps to: the same tests in memory, on disk and in Redis.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod common;

use std::time::Duration;

use tempfile::TempDir;
use valet_store::limits::{COUNTED_NAMES, NAME_BYTES, NAMES_AT_ONCE, VALUE_BYTES};
use valet_store::{Part, Range, Store, StoreError, Term};

use common::redis_server::RedisServer;
use common::{Hands, LONG};

const SHORT: Option<Duration> = Some(Duration::from_millis(40));
const WHOLE_RANGE: [Range; 5] = [Range::Keys, Range::Tokens, Range::Sessions, Range::Grants, Range::Portable];

/// A store and the means to let time pass for it.
struct Fixture {
    store: Store,
    time: Time,
    _folder: Option<TempDir>,
    _server: Option<RedisServer>,
}

enum Time {
    Moved(Hands),
    Real,
}

impl Fixture {
    async fn memory() -> Option<Self> {
        let hands = Hands::default();
        let store = Store::memory(hands.clone());
        Some(Self { store, time: Time::Moved(hands), _folder: None, _server: None })
    }

    async fn disk() -> Option<Self> {
        let (hands, folder) = (Hands::default(), tempfile::tempdir().unwrap());
        let store = Store::disk(&folder.path().join("store.redb"), hands.clone()).await.unwrap();
        Some(Self { store, time: Time::Moved(hands), _folder: Some(folder), _server: None })
    }

    async fn redis() -> Option<Self> {
        let server = RedisServer::start()?;
        let store = server.store().await;
        Some(Self { store, time: Time::Real, _folder: None, _server: Some(server) })
    }

    async fn pass(&self, time: Duration) {
        match &self.time {
            Time::Moved(hands) => hands.forward(time),
            // Redis has no clock that we could move. Nothing depends on how much longer this takes.
            Time::Real => tokio::time::sleep(time).await,
        }
    }
}

macro_rules! in_every_store {
    (@$kind:ident $($test:ident)*) => {
        mod $kind {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(fixture) = super::Fixture::$kind().await {
                    super::$test(fixture).await;
                }
            })*
        }
    };
    ($($test:ident)*) => {
        in_every_store!(@memory $($test)*);
        in_every_store!(@disk $($test)*);
        in_every_store!(@redis $($test)*);
    };
}

in_every_store! {
    a_value_is_kept_replaced_and_deleted
    a_value_is_any_bytes_and_a_name_any_text
    ranges_do_not_mix
    a_value_is_gone_once_its_lifetime_is_over
    a_name_can_be_used_again_after_its_lifetime
    the_last_lifetime_counts
    a_value_is_taken_once
    one_of_many_takers_gets_the_value
    a_value_is_swapped_only_for_what_was_expected
    no_swap_is_lost
    names_are_listed_by_prefix_and_in_pages
    names_are_counted_up_to_a_bound
    sizes_are_bounded
    a_lease_has_one_holder
    a_lease_waits_for_its_release
    the_lease_of_a_lost_holder_ends
    leases_of_other_names_and_ranges_are_free
    holders_of_a_lease_never_overlap
}

async fn a_value_is_kept_replaced_and_deleted(fixture: Fixture) {
    let range = fixture.store.range(Range::Sessions);
    assert_eq!(range.get("a").await.unwrap(), None);
    assert!(!range.exists("a").await.unwrap());
    range.set("a", b"1", LONG).await.unwrap();
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    assert!(range.exists("a").await.unwrap());
    range.set("a", b"2", None).await.unwrap();
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"2"[..]));
    range.delete("a").await.unwrap();
    assert_eq!(range.get("a").await.unwrap(), None);
    range.delete("a").await.unwrap();
}

async fn a_value_is_any_bytes_and_a_name_any_text(fixture: Fixture) {
    let range = fixture.store.range(Range::Portable);
    let every_byte: Vec<u8> = (0..=255).collect();
    for name in ["a\0b", "*", "ü/\n{}", "[", "(", "\u{10ffff}"] {
        range.set(name, &every_byte, LONG).await.unwrap();
        assert_eq!(range.get(name).await.unwrap(), Some(every_byte.clone()), "{name:?}");
        assert!(range.swap(name, Some(&every_byte), b"", LONG).await.unwrap());
        assert_eq!(range.names(name, "", 9).await.unwrap(), [name]);
        assert_eq!(range.take(name).await.unwrap(), Some(Vec::new()));
    }
}

async fn ranges_do_not_mix(fixture: Fixture) {
    for (number, range) in WHOLE_RANGE.into_iter().enumerate() {
        fixture.store.range(range).set("a", number.to_string().as_bytes(), None).await.unwrap();
    }
    fixture.store.range(Range::Grants).delete("a").await.unwrap();
    for (number, range) in WHOLE_RANGE.into_iter().enumerate() {
        let expected = (range != Range::Grants).then(|| number.to_string().into_bytes());
        assert_eq!(fixture.store.range(range).get("a").await.unwrap(), expected, "{range:?}");
        assert_eq!(
            fixture.store.range(range).count("", 9).await.unwrap(),
            usize::from(range != Range::Grants)
        );
    }
}

async fn a_value_is_gone_once_its_lifetime_is_over(fixture: Fixture) {
    let range = fixture.store.range(Range::Grants);
    range.set("at-once", b"", Some(Duration::ZERO)).await.unwrap();
    assert_eq!(range.get("at-once").await.unwrap(), None);
    range.set("long", b"", LONG).await.unwrap();
    range.set("always", b"", None).await.unwrap();
    range.set("for-ever", b"", Some(Duration::MAX)).await.unwrap();
    for name in ["get", "exists", "take", "swap", "names"] {
        range.set(name, b"old", SHORT).await.unwrap();
    }
    fixture.pass(SHORT.unwrap()).await;
    assert_eq!(range.get("get").await.unwrap(), None);
    assert!(!range.exists("exists").await.unwrap());
    assert_eq!(range.names("", "", 9).await.unwrap(), ["always", "for-ever", "long"]);
    assert_eq!(range.count("", 9).await.unwrap(), 3);
    assert!(!range.swap("swap", Some(b"old"), b"new", LONG).await.unwrap());
    assert_eq!(range.take("take").await.unwrap(), None);
}

async fn a_name_can_be_used_again_after_its_lifetime(fixture: Fixture) {
    let range = fixture.store.range(Range::Grants);
    range.set("set", b"old", SHORT).await.unwrap();
    range.set("swap", b"old", SHORT).await.unwrap();
    fixture.pass(SHORT.unwrap()).await;
    range.set("set", b"new", LONG).await.unwrap();
    assert!(range.swap("swap", None, b"new", LONG).await.unwrap());
    // More writes, which sweep.
    range.set("other", b"", LONG).await.unwrap();
    for name in ["set", "swap"] {
        assert_eq!(range.get(name).await.unwrap().as_deref(), Some(&b"new"[..]), "{name}");
    }
    assert_eq!(range.count("s", 9).await.unwrap(), 2);
}

async fn the_last_lifetime_counts(fixture: Fixture) {
    let range = fixture.store.range(Range::Tokens);
    range.set("longer", b"", SHORT).await.unwrap();
    range.set("longer", b"", LONG).await.unwrap();
    range.set("endless", b"", SHORT).await.unwrap();
    assert!(range.swap("endless", Some(b""), b"", None).await.unwrap());
    range.set("shorter", b"", None).await.unwrap();
    range.set("shorter", b"", SHORT).await.unwrap();
    fixture.pass(SHORT.unwrap()).await;
    range.set("sweeps", b"", LONG).await.unwrap();
    assert_eq!(range.names("", "", 9).await.unwrap(), ["endless", "longer", "sweeps"]);
    assert!(range.exists("longer").await.unwrap());
}

async fn a_value_is_taken_once(fixture: Fixture) {
    let range = fixture.store.range(Range::Grants);
    range.set("code", b"whose", LONG).await.unwrap();
    assert_eq!(range.take("code").await.unwrap().as_deref(), Some(&b"whose"[..]));
    assert_eq!(range.take("code").await.unwrap(), None);
    assert_eq!(range.count("", 9).await.unwrap(), 0);
}

async fn one_of_many_takers_gets_the_value(fixture: Fixture) {
    let range = fixture.store.range(Range::Grants);
    for round in 0..20 {
        let name = format!("code-{round}");
        range.set(&name, b"whose", LONG).await.unwrap();
        let takers: Vec<_> = (0..16)
            .map(|_| {
                let (range, name) = (range.clone(), name.clone());
                tokio::spawn(async move { range.take(&name).await.unwrap() })
            })
            .collect();
        let mut taken = 0;
        for taker in takers {
            taken += usize::from(taker.await.unwrap().is_some());
        }
        assert_eq!(taken, 1);
    }
}

async fn a_value_is_swapped_only_for_what_was_expected(fixture: Fixture) {
    let range = fixture.store.range(Range::Sessions);
    assert!(!range.swap("a", Some(b""), b"1", LONG).await.unwrap(), "nothing is not an empty value");
    assert_eq!(range.get("a").await.unwrap(), None);
    assert!(range.swap("a", None, b"1", LONG).await.unwrap());
    assert!(!range.swap("a", None, b"2", LONG).await.unwrap());
    assert!(!range.swap("a", Some(b"0"), b"2", LONG).await.unwrap());
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"1"[..]));
    assert!(range.swap("a", Some(b"1"), b"2", LONG).await.unwrap());
    assert_eq!(range.get("a").await.unwrap().as_deref(), Some(&b"2"[..]));
}

async fn no_swap_is_lost(fixture: Fixture) {
    let range = fixture.store.range(Range::Sessions);
    let counters: Vec<_> = (0..8)
        .map(|_| {
            let range = range.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    loop {
                        let old = range.get("counter").await.unwrap();
                        let count = old
                            .as_deref()
                            .map_or(0, |old| std::str::from_utf8(old).unwrap().parse().unwrap());
                        let new = u32::to_string(&(count + 1));
                        if range.swap("counter", old.as_deref(), new.as_bytes(), LONG).await.unwrap() {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for counter in counters {
        counter.await.unwrap();
    }
    assert_eq!(range.get("counter").await.unwrap().as_deref(), Some(&b"80"[..]));
}

async fn names_are_listed_by_prefix_and_in_pages(fixture: Fixture) {
    let range = fixture.store.range(Range::Portable);
    assert_eq!(range.names("a/", "", 9).await.unwrap(), [""; 0]);
    fixture.store.range(Range::Keys).set("a/other-range", b"", None).await.unwrap();
    for name in ["a/1", "a/2", "a/3", "a", "b/1", "a0", "ä"] {
        range.set(name, b"", LONG).await.unwrap();
    }
    assert_eq!(range.names("a/", "", 2).await.unwrap(), ["a/1", "a/2"]);
    assert_eq!(range.names("a/", "a/2", 2).await.unwrap(), ["a/3"]);
    assert_eq!(range.names("a/", "a/20", 2).await.unwrap(), ["a/3"], "`after` need not exist");
    assert_eq!(range.names("a/", "b", 2).await.unwrap(), [""; 0]);
    assert_eq!(range.names("a/", "", 0).await.unwrap(), [""; 0]);
    assert_eq!(range.names("", "", 9).await.unwrap(), ["a", "a/1", "a/2", "a/3", "a0", "b/1", "ä"]);
    range.delete("a/1").await.unwrap();
    range.take("a/2").await.unwrap();
    assert_eq!(range.names("a/", "", 9).await.unwrap(), ["a/3"]);
}

async fn names_are_counted_up_to_a_bound(fixture: Fixture) {
    let range = fixture.store.range(Range::Grants);
    let writers: Vec<_> = (0..NAMES_AT_ONCE + 50)
        .map(|number| {
            let range = range.clone();
            // Every other name is over when they are counted.
            let lifetime = if number % 2 == 0 { SHORT } else { LONG };
            tokio::spawn(
                async move { range.set(&format!("client/{number:05}"), b"", lifetime).await.unwrap() },
            )
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    range.set("other", b"", LONG).await.unwrap();
    fixture.pass(SHORT.unwrap()).await;
    assert_eq!(range.count("client/", COUNTED_NAMES).await.unwrap(), (NAMES_AT_ONCE + 50) / 2);
    assert_eq!(range.count("client/", 10).await.unwrap(), 10);
    assert_eq!(range.count("nothing", 10).await.unwrap(), 0);
}

async fn sizes_are_bounded(fixture: Fixture) {
    let range = fixture.store.range(Range::Tokens);
    let (longest_name, largest_value) = ("n".repeat(NAME_BYTES), vec![7; VALUE_BYTES]);
    let name = || StoreError::TooLarge { part: Part::Name, bytes: NAME_BYTES + 1, most: NAME_BYTES };
    let value = || StoreError::TooLarge { part: Part::Value, bytes: VALUE_BYTES + 1, most: VALUE_BYTES };
    let term = Term { lifetime: Duration::from_secs(60), patience: Duration::ZERO };
    let (long_name, large_value) = ("n".repeat(NAME_BYTES + 1), vec![7; VALUE_BYTES + 1]);

    assert_eq!(range.get(&long_name).await, Err(name()));
    assert_eq!(range.exists(&long_name).await, Err(name()));
    assert_eq!(range.set(&long_name, b"", LONG).await, Err(name()));
    assert_eq!(range.delete(&long_name).await, Err(name()));
    assert_eq!(range.take(&long_name).await, Err(name()));
    assert_eq!(range.swap(&long_name, None, b"", LONG).await, Err(name()));
    assert_eq!(range.names(&long_name, "", 1).await, Err(name()));
    assert_eq!(range.names("", &long_name, 1).await, Err(name()));
    assert_eq!(range.lease(&long_name, term).await.err(), Some(name()));
    assert_eq!(range.set("", b"", LONG).await, Err(StoreError::EmptyName));
    assert_eq!(range.set("n", &large_value, LONG).await, Err(value()));
    assert_eq!(range.swap("n", None, &large_value, LONG).await, Err(value()));
    assert_eq!(range.count("", 9).await.unwrap(), 0);

    range.set(&longest_name, &largest_value, LONG).await.unwrap();
    assert_eq!(range.get(&longest_name).await.unwrap().as_ref(), Some(&largest_value));
    assert!(range.swap(&longest_name, Some(&largest_value), b"", LONG).await.unwrap());
    drop(range.lease(&longest_name, term).await.unwrap());
}

/// A lease that nobody has to wait for the end of.
const HOUR: Duration = Duration::from_secs(3600);

async fn a_lease_has_one_holder(fixture: Fixture) {
    let range = fixture.store.range(Range::Sessions);
    let once = Term { lifetime: HOUR, patience: Duration::ZERO };
    let lease = range.lease("alice", once).await.unwrap();
    assert_eq!(range.lease("alice", once).await.err(), Some(StoreError::Held { waited: Duration::ZERO }));
    assert!(lease.release().await.unwrap());
    assert!(range.lease("alice", once).await.unwrap().release().await.unwrap());
}

async fn a_lease_waits_for_its_release(fixture: Fixture) {
    let range = fixture.store.range(Range::Sessions);
    let term = Term { lifetime: HOUR, patience: HOUR };
    let lease = range.lease("alice", term).await.unwrap();
    let waiting = tokio::spawn({
        let range = range.clone();
        async move { range.lease("alice", term).await }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(lease);
    drop(waiting.await.unwrap().unwrap());
    drop(range.lease("alice", term).await.unwrap());
}

async fn the_lease_of_a_lost_holder_ends(fixture: Fixture) {
    let range = fixture.store.range(Range::Sessions);
    let lost =
        range.lease("alice", Term { lifetime: Duration::from_millis(50), patience: HOUR }).await.unwrap();
    let next = range.lease("alice", Term { lifetime: HOUR, patience: HOUR }).await.unwrap();
    assert!(!lost.release().await.unwrap(), "it is another's now, who keeps it");
    let once = Term { lifetime: HOUR, patience: Duration::ZERO };
    assert_eq!(range.lease("alice", once).await.err(), Some(StoreError::Held { waited: Duration::ZERO }));
    assert!(next.release().await.unwrap());
}

async fn leases_of_other_names_and_ranges_are_free(fixture: Fixture) {
    let once = Term { lifetime: HOUR, patience: Duration::ZERO };
    let sessions = fixture.store.range(Range::Sessions);
    let _alice = sessions.lease("alice", once).await.unwrap();
    let _bob = sessions.lease("bob", once).await.unwrap();
    let _other = fixture.store.range(Range::Tokens).lease("alice", once).await.unwrap();
    assert_eq!(sessions.count("", 9).await.unwrap(), 0, "a lease is no value");
}

async fn holders_of_a_lease_never_overlap(fixture: Fixture) {
    let range = fixture.store.range(Range::Sessions);
    let term = Term { lifetime: HOUR, patience: HOUR };
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let range = range.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let lease = range.lease("alice", term).await.unwrap();
                    // Fails if another is between these two lines.
                    assert!(range.swap("inside", None, b"", None).await.unwrap());
                    range.delete("inside").await.unwrap();
                    lease.release().await.unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
}
