//! When keys are fetched, and for how long they are used.

use std::cell::RefCell;

use serde_json::json;

use super::super::TENANT;
use super::{CURRENT, NEWER, START, Turn, URL, World, discovery_url, keys_url, names, unreachable, waiting};
use crate::key_cache::{
    Authority, KeysError, LAST_KNOWN_GOOD, Ports, REFRESH_AFTER, RETRY_FLOOR, RETRY_FLOOR_WITHOUT_KEYS,
    current,
};
use crate::keys::KeySetError;

/// The other tests go by the names. Microsoft's guidance on signing key rollover gives the first two; a day is what its validators keep.
#[test]
fn the_schedule_is_an_hour_five_minutes_and_a_day() {
    assert_eq!([REFRESH_AFTER, RETRY_FLOOR, LAST_KNOWN_GOOD], [3_600, 300, 86_400]);
}

#[test]
fn keys_are_fetched_once_and_kept_for_an_hour() {
    let world = World::serving(&["a"]);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    assert_eq!(*world.asked.borrow(), [discovery_url(TENANT), keys_url(TENANT)]);
    world.serve(TENANT, &["b"]);
    for _ in 0..100 {
        assert_eq!(world.check(CURRENT), names(&["a"]));
    }
    world.pass(REFRESH_AFTER - 1);
    assert_eq!((world.check(CURRENT), world.attempts()), (names(&["a"]), 1));
    world.pass(1);
    assert_eq!(
        (world.check(CURRENT), world.attempts()),
        (names(&["b"]), 2),
        "a removed key is gone within the hour"
    );
}

#[test]
fn a_flood_of_unknown_keys_causes_one_fetch_in_five_minutes() {
    let world = World::serving(&["a"]);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    world.serve(TENANT, &["a", "b"]);
    for _ in 0..RETRY_FLOOR - 1 {
        world.pass(1);
        assert_eq!(world.check(NEWER), names(&["a"]));
    }
    assert_eq!(world.attempts(), 1, "not before the floor");
    world.pass(1);
    for _ in 0..1000 {
        assert_eq!(world.check(NEWER), names(&["a", "b"]));
    }
    assert_eq!(world.attempts(), 2);
    for _ in 0..3600 {
        world.pass(1);
        assert_eq!(world.check(NEWER), names(&["a", "b"]));
    }
    assert_eq!(world.attempts(), 2 + 3600 / usize::try_from(RETRY_FLOOR).unwrap());
}

#[test]
fn the_floor_is_the_operators() {
    for floor in [1, 30, 3600, 2 * REFRESH_AFTER] {
        let world = World::serving(&["a"]);
        world.retry_floor.set(floor);
        assert_eq!(world.check(NEWER), names(&["a"]));
        world.serve(TENANT, &["a", "b"]);
        world.pass(floor - 1);
        assert_eq!(world.check(NEWER), names(&["a"]), "{floor}");
        world.pass(1);
        assert_eq!(world.check(NEWER), names(&["a", "b"]), "{floor}");
        assert_eq!(world.attempts(), 2);
        world.pass(REFRESH_AFTER.max(floor) - 1);
        assert_eq!(world.check(CURRENT), names(&["a", "b"]));
        assert_eq!(world.attempts(), 2, "a look at the set at hand is no reason to fetch sooner, {floor}");
    }
}

#[test]
fn the_floor_holds_also_while_the_authority_fails() {
    let world = World::serving(&["a"]);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    world.reachable.set(false);
    for _ in 0..3000 {
        world.pass(1);
        assert_eq!(world.check(NEWER), names(&["a"]));
    }
    assert_eq!(world.attempts(), 11);
}

#[test]
fn the_last_good_set_serves_a_day_and_no_longer() {
    let world = World::serving(&["a"]);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    world.reachable.set(false);
    while world.now.get() < START + LAST_KNOWN_GOOD - 60 {
        world.pass(60);
        assert_eq!(world.check(CURRENT), names(&["a"]));
    }
    world.pass(60);
    let refusal = world.check(CURRENT);
    assert!(matches!(refusal, Err(KeysError::Fetch(_) | KeysError::Waiting { .. })), "{refusal:?}");
    world.reachable.set(true);
    world.pass(RETRY_FLOOR);
    assert_eq!(world.check(CURRENT), names(&["a"]), "and it recovers");
}

#[test]
fn without_a_set_it_is_tried_again_soon() {
    let world = World::serving(&["a"]);
    world.reachable.set(false);
    for call in [CURRENT, NEWER, CURRENT] {
        assert_eq!(world.check(call), unreachable());
        assert_eq!(world.check(call), waiting(RETRY_FLOOR_WITHOUT_KEYS));
        world.pass(RETRY_FLOOR_WITHOUT_KEYS);
    }
    assert_eq!(world.attempts(), 3);
    world.reachable.set(true);
    assert_eq!(world.check(CURRENT), names(&["a"]));
}

#[test]
fn whoever_runs_the_server_hears_of_a_set_that_is_not_renewed() {
    let world = World::serving(&["a"]);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    world.document(keys_url(TENANT), r#"{"keys":[]}"#);
    world.pass(REFRESH_AFTER);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    let told = (format!("{URL}/{TENANT}"), KeysError::KeySet(KeySetError::NoKeys));
    assert_eq!(world.told.take(), [told]);
    // Once for each attempt; and where there is nothing to serve from, the request itself fails.
    assert_eq!(world.check(CURRENT), names(&["a"]));
    world.pass(LAST_KNOWN_GOOD);
    assert_eq!(world.check(CURRENT), Err(KeysError::KeySet(KeySetError::NoKeys)));
    assert_eq!(world.told.take(), []);
}

#[test]
fn with_a_set_that_is_too_old_it_is_tried_again_soon_too() {
    let world = World::serving(&["a"]);
    assert_eq!(world.check(CURRENT), names(&["a"]));
    world.pass(10 * LAST_KNOWN_GOOD);
    world.reachable.set(false);
    assert_eq!(world.check(CURRENT), unreachable());
    assert_eq!(world.check(CURRENT), waiting(RETRY_FLOOR_WITHOUT_KEYS));
    world.reachable.set(true);
    world.pass(RETRY_FLOOR_WITHOUT_KEYS);
    assert_eq!(world.check(CURRENT), names(&["a"]));
}

#[test]
fn an_entry_from_the_future_is_not_believed_to_be_fresh() {
    for (fetched_at, attempted_at) in
        [(u64::MAX, u64::MAX), (START + 1, START + 1), (u64::MAX, START), (START, u64::MAX)]
    {
        let world = World::serving(&["a"]);
        assert_eq!(world.check(CURRENT), names(&["a"]));
        let mut entry = world.entry();
        (entry["fetched_at"], entry["attempted_at"]) = (json!(fetched_at), json!(attempted_at));
        world.set_entry(entry.to_string());
        world.serve(TENANT, &["b"]);
        world.reachable.set(false);
        assert_eq!(
            (world.check(CURRENT), world.attempts()),
            (names(&["a"]), 2),
            "tried, and the old set serves"
        );
        assert_eq!(
            (world.check(CURRENT), world.attempts()),
            (names(&["a"]), 2),
            "the floor holds from now on"
        );
        world.reachable.set(true);
        world.pass(REFRESH_AFTER);
        assert_eq!(world.check(CURRENT), names(&["b"]));
        world.reachable.set(false);
        world.pass(LAST_KNOWN_GOOD);
        assert_eq!(world.check(CURRENT), unreachable());
    }
    let world = World::serving(&["a"]);
    world.set_entry(json!({ "fetched_at": 0, "attempted_at": u64::MAX, "set": null }).to_string());
    assert_eq!(world.check(CURRENT), names(&["a"]), "no waiting for a time that never comes");
}

/// A world in which other requests come while the keys are being fetched.
struct Busy<'w>(&'w World, RefCell<Vec<Result<Vec<String>, KeysError>>>);

impl Ports for Busy<'_> {
    type Turn = Turn;

    fn now(&self) -> u64 {
        self.0.now()
    }

    fn take_turn(&self, name: &str) -> Turn {
        self.0.take_turn(name)
    }

    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.0.load(name)
    }

    fn keep(&self, name: &str, entry: &[u8]) {
        self.0.keep(name, entry);
    }

    fn not_renewed(&self, name: &str, why: &KeysError) {
        self.0.not_renewed(name, why);
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        self.1.borrow_mut().extend((0..10).flat_map(|_| [self.0.check(CURRENT), self.0.check(NEWER)]));
        self.0.get(url)
    }
}

#[test]
fn requests_that_come_during_a_fetch_are_served_from_the_set_at_hand() {
    for reachable in [true, false] {
        let world = World::serving(&["a"]);
        assert_eq!(world.check(CURRENT), names(&["a"]));
        world.serve(TENANT, &["b"]);
        world.reachable.set(reachable);
        world.pass(REFRESH_AFTER);
        let busy = Busy(&world, RefCell::default());
        current(
            &busy,
            Authority { url: URL, tenant: TENANT, retry_floor: RETRY_FLOOR, may_be_emulator: false },
        )
        .unwrap();
        assert!(busy.1.into_inner().into_iter().all(|answer| answer == names(&["a"])));
        assert_eq!(world.attempts(), 2, "they do not fetch too");
        assert_eq!(world.check(CURRENT), names(if reachable { &["b"] } else { &["a"] }));
    }
}

#[test]
fn who_had_to_wait_for_the_turn_finds_what_was_fetched_meanwhile() {
    let world = World::serving(&["a"]);
    world.ahead.set(Some(|world| assert_eq!(world.check(CURRENT), names(&["a"]))));
    assert_eq!((world.check(CURRENT), world.attempts()), (names(&["a"]), 1), "the first keys");

    world.serve(TENANT, &["b"]);
    world.pass(RETRY_FLOOR);
    world.ahead.set(Some(|world| assert_eq!(world.check(NEWER), names(&["b"]))));
    assert_eq!((world.check(NEWER), world.attempts()), (names(&["b"]), 2), "an unknown key");
}

#[test]
fn who_had_to_wait_for_a_failed_attempt_does_not_repeat_it() {
    let world = World::serving(&["a"]);
    world.reachable.set(false);
    world.ahead.set(Some(|world| assert_eq!(world.check(CURRENT), unreachable())));
    assert_eq!((world.check(CURRENT), world.attempts()), (waiting(RETRY_FLOOR_WITHOUT_KEYS), 1));
}

/// A fetch that lasts longer than the floor: the floor counts from its end.
struct Slow<'w>(&'w World);

impl Ports for Slow<'_> {
    type Turn = Turn;

    fn now(&self) -> u64 {
        self.0.now()
    }

    fn take_turn(&self, name: &str) -> Turn {
        self.0.take_turn(name)
    }

    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.0.load(name)
    }

    fn keep(&self, name: &str, entry: &[u8]) {
        self.0.keep(name, entry);
    }

    fn not_renewed(&self, name: &str, why: &KeysError) {
        self.0.not_renewed(name, why);
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        self.0.pass(10 * RETRY_FLOOR_WITHOUT_KEYS);
        self.0.get(url)
    }
}

#[test]
fn the_floor_counts_from_the_end_of_a_slow_attempt() {
    let world = World::serving(&["a"]);
    world.reachable.set(false);
    let authority = Authority { url: URL, tenant: TENANT, retry_floor: RETRY_FLOOR, may_be_emulator: false };
    assert!(matches!(current(&Slow(&world), authority), Err(KeysError::Fetch(_))));
    assert_eq!((world.check(CURRENT), world.attempts()), (waiting(RETRY_FLOOR_WITHOUT_KEYS), 1));
    world.reachable.set(true);
    world.pass(RETRY_FLOOR_WITHOUT_KEYS);
    assert_eq!(world.check(CURRENT), names(&["a"]));
}
