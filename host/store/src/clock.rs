//! Lifetimes in memory and on disk. Redis has its own clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::limits::LIFETIME;

/// What says what time it is. Lifetimes outlive the process, so this is the time of day.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> SystemTime;
}

impl<F: Fn() -> SystemTime + Send + Sync + 'static> Clock for F {
    fn now(&self) -> SystemTime {
        self()
    }
}

/// The clock of the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Milliseconds since 1970. As the end of a value it is the first moment at which the value is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// The end of what has none.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) fn now(clock: &dyn Clock) -> Self {
        let since = clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(milliseconds(since))
    }

    /// When something ends that begins now.
    pub(crate) fn after(self, lifetime: Option<Duration>) -> Self {
        lifetime
            .map_or(Self::NEVER, |lifetime| Self(self.0.saturating_add(milliseconds(lifetime.min(LIFETIME)))))
    }
}

/// A lifetime in whole milliseconds, which is what all kinds of stores count in.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
