//! The emulator's time: the system's, plus what a test added. Owns also the spellings of a time on the wire.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::macros::format_description;

/// Seconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) i64);

/// How far the clock may be from the system's, seconds: a hundred years, beyond which dates have no spelling.
pub(crate) const FARTHEST: i64 = 100 * 366 * 24 * 3600;

/// A clock that can be put forward, so that tests see expiry without waiting.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// The time now.
    pub(crate) fn now(&self) -> Instant {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Instant(i64::try_from(real).unwrap_or(i64::MAX).saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Puts the clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        self.shift(i64::try_from(by.as_secs()).unwrap_or(i64::MAX));
    }

    /// Puts the clock forward, or back where `seconds` is negative.
    pub(crate) fn shift(&self, seconds: i64) {
        let moved = |ahead: i64| Some(ahead.saturating_add(seconds).clamp(-FARTHEST, FARTHEST));
        // The closure always says yes.
        let _ = self.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved);
    }

    /// Sets how far the clock is ahead of the system's; 0 is the time of day.
    pub(crate) fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds.clamp(-FARTHEST, FARTHEST), Ordering::Relaxed);
    }

    /// How far the clock is ahead of the system's, seconds.
    pub(crate) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }
}

impl Instant {
    /// This time plus `seconds`.
    pub(crate) fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// `2026-11-23 13:00:00Z`, as in Entra's error bodies.
    pub(crate) fn entra(self) -> String {
        self.date()
            .format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z"))
            .unwrap_or_default()
    }

    /// `2026-11-23T13:00:00`, as in Graph's error bodies.
    pub(crate) fn graph(self) -> String {
        self.date()
            .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]"))
            .unwrap_or_default()
    }

    /// `Mon, 23 Nov 2026 13:00:00 GMT` (RFC 9110 section 5.6.7).
    pub(crate) fn http(self) -> String {
        let shape = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        self.date().format(shape).unwrap_or_default()
    }

    fn date(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_back_and_never_off_the_calendar() {
        let clock = Clock::default();
        clock.advance(Duration::from_secs(u64::MAX));
        clock.advance(Duration::from_secs(u64::MAX));
        assert_eq!(clock.ahead(), FARTHEST);
        clock.set_ahead(0);
        clock.shift(-60);
        assert_eq!(clock.ahead(), -60);
    }

    #[test]
    fn the_three_spellings() {
        let t = Instant(1_795_438_800);
        assert_eq!(t.entra(), "2026-11-23 13:00:00Z");
        assert_eq!(t.graph(), "2026-11-23T13:00:00");
        assert_eq!(t.http(), "Mon, 23 Nov 2026 13:00:00 GMT");
    }
}
