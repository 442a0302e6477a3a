//! What the tests of the store share: a clock that they move, and a real Redis server.
#![allow(dead_code, reason = "each test program uses its part")]

#[path = "../../../../tests/suite/src/absent/mod.rs"]
mod absent;
#[path = "../../../../tests/suite/src/ports.rs"]
mod ports;
pub(crate) mod redis_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use valet_store::Clock;

pub(crate) use self::absent::not_run;

/// A lifetime that no test waits for.
pub(crate) const LONG: Option<Duration> = Some(Duration::from_secs(3600));

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
pub(crate) struct Hands(Arc<AtomicU64>);

impl Hands {
    pub(crate) fn forward(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000) + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Numbers that are the same in every run.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    /// The next one below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // Knuth's MMIX generator; its upper bits are good enough to choose moments and bytes.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
