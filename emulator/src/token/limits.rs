//! The two throttles of the login service: a client that loops, and an application that asks too often.
//!
//! Off unless the registrations set them. Each count covers a window that begins with its first request, so what is
//! remembered is two numbers a key, and the number of keys is bounded.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Call;
use crate::clock::Instant;
use crate::errors::Refusal;
use crate::shelf::Shelf;

/// How many users-and-requests, and how many applications, are counted at once.
const COUNTED: usize = 10_000;

/// Windows, seconds.
const LOOP_WINDOW: i64 = 300;
const APP_WINDOW: i64 = 60;

/// The counts of one emulator.
#[derive(Debug)]
pub(crate) struct Throttle {
    equal: Mutex<Shelf<Window>>,
    apps: Mutex<Shelf<Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Instant,
    count: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { equal: Mutex::new(Shelf::new(COUNTED)), apps: Mutex::new(Shelf::new(COUNTED)) }
    }
}

/// Counts a request of `user`; refuses when the client repeats itself. The grant's own text does not count: a loop brings
/// a new code or refresh token every time.
pub(super) fn equal_request(call: &Call<'_>, user: Uuid) -> Result<(), Refusal> {
    let Some(limit) = call.all.limits.equal_requests_in_five_minutes else { return Ok(()) };
    let mut digest = Sha256::new().chain_update(user).chain_update(call.client.client_id);
    for name in ["grant_type", "scope", "claims"] {
        digest = digest.chain_update(call.params.get(name).unwrap_or_default()).chain_update([0]);
    }
    let key = format!("{:x}", digest.finalize());
    let over = more_than(limit, &call.state.throttle.equal, key, call.state.clock.now(), LOOP_WINDOW);
    if over { Err(Refusal::LoopDetected) } else { Ok(()) }
}

/// Counts a request of an application in its own name.
pub(super) fn app_request(call: &Call<'_>) -> Result<(), Refusal> {
    let Some(limit) = call.all.limits.app_requests_in_a_minute else { return Ok(()) };
    let key = call.client.client_id.to_string();
    let over = more_than(limit, &call.state.throttle.apps, key, call.state.clock.now(), APP_WINDOW);
    if over { Err(Refusal::Throttled) } else { Ok(()) }
}

fn more_than(limit: u32, counts: &Mutex<Shelf<Window>>, key: String, now: Instant, length: i64) -> bool {
    // One map operation follows, so a panic elsewhere leaves no half-made state.
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    match counts.get_mut(&key).filter(|w| w.ends > now) {
        Some(window) => {
            window.count = window.count.saturating_add(1);
            window.count > limit
        }
        None => {
            let ends = now.plus(length);
            counts.insert(now, key, Window { ends, count: 1 }, ends);
            limit == 0
        }
    }
}
