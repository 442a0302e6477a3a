//! The emulator's time: the system's, plus what a test added. Owns also the spellings of a time on the wire.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::macros::format_description;

/// Seconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) i64);

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
        self.ahead.fetch_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX), Ordering::Relaxed);
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
    use super::Instant;

    #[test]
    fn the_three_spellings() {
        let t = Instant(1_795_438_800);
        assert_eq!(t.entra(), "2026-11-23 13:00:00Z");
        assert_eq!(t.graph(), "2026-11-23T13:00:00");
        assert_eq!(t.http(), "Mon, 23 Nov 2026 13:00:00 GMT");
    }
}
