//! The time zones that events may be written and read in: the fixed ones, and those of the European Union and the
//! United States with their summer time as it is today. A name that is not here is refused, as Graph refuses a name
//! that Exchange does not know.

use time::Month;

use super::when::{sunday, year};

const HOUR: i64 = 3600;

/// When clocks go forward by an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Summer {
    Never,
    /// Last Sundays of March and October, 01:00 UTC (Directive 2000/84/EC).
    Europe,
    /// Second Sunday of March and first of November, 02:00 by the clock (15 U.S.C. 260a).
    America,
}

/// A zone: offset in winter, and the rule of summer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone {
    offset: i64,
    summer: Summer,
}

/// Names of Windows and of IANA, as Graph takes both.
const ZONES: [(&[&str], i64, Summer); 18] = [
    (&["UTC", "Etc/UTC", "Etc/GMT", "GMT", "tzone://Microsoft/Utc"], 0, Summer::Never),
    (&["GMT Standard Time", "Europe/London", "Europe/Dublin", "Europe/Lisbon"], 0, Summer::Europe),
    (
        &["W. Europe Standard Time", "Europe/Berlin", "Europe/Amsterdam", "Europe/Vienna"],
        HOUR,
        Summer::Europe,
    ),
    (&["Europe/Rome", "Europe/Zurich", "Europe/Stockholm", "Europe/Oslo"], HOUR, Summer::Europe),
    (&["Romance Standard Time", "Europe/Paris", "Europe/Madrid", "Europe/Brussels"], HOUR, Summer::Europe),
    (&["Central Europe Standard Time", "Europe/Prague", "Europe/Budapest"], HOUR, Summer::Europe),
    (&["Central European Standard Time", "Europe/Warsaw"], HOUR, Summer::Europe),
    (&["FLE Standard Time", "Europe/Helsinki", "Europe/Kyiv"], 2 * HOUR, Summer::Europe),
    (&["GTB Standard Time", "Europe/Athens", "Europe/Bucharest"], 2 * HOUR, Summer::Europe),
    (&["Eastern Standard Time", "America/New_York", "America/Toronto"], -5 * HOUR, Summer::America),
    (&["Central Standard Time", "America/Chicago"], -6 * HOUR, Summer::America),
    (&["Mountain Standard Time", "America/Denver"], -7 * HOUR, Summer::America),
    (&["US Mountain Standard Time", "America/Phoenix"], -7 * HOUR, Summer::Never),
    (&["Pacific Standard Time", "America/Los_Angeles"], -8 * HOUR, Summer::America),
    (&["India Standard Time", "Asia/Kolkata", "Asia/Calcutta"], 5 * HOUR + HOUR / 2, Summer::Never),
    (&["China Standard Time", "Asia/Shanghai"], 8 * HOUR, Summer::Never),
    (&["Singapore Standard Time", "Asia/Singapore"], 8 * HOUR, Summer::Never),
    (&["Tokyo Standard Time", "Asia/Tokyo"], 9 * HOUR, Summer::Never),
];

impl Zone {
    /// The zone of that name, letters of any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = ZONES.iter().find(|(names, ..)| names.iter().any(|n| n.eq_ignore_ascii_case(name)));
        found.map(|&(_, offset, summer)| Self { offset, summer })
    }

    /// The instant of a wall clock. In the hour that occurs twice the first is meant.
    pub(super) fn instant(self, wall: i64) -> i64 {
        let early = wall - self.offset - HOUR;
        match self.is_summer(early) {
            true => early,
            false => wall - self.offset,
        }
    }

    /// The wall clock of an instant.
    pub(super) fn wall(self, instant: i64) -> i64 {
        instant + self.offset + if self.is_summer(instant) { HOUR } else { 0 }
    }

    fn is_summer(self, instant: i64) -> bool {
        let year = year(instant);
        let (from, until) = match self.summer {
            Summer::Never => return false,
            Summer::Europe => {
                (sunday(year, Month::March, None) + HOUR, sunday(year, Month::October, None) + HOUR)
            }
            Summer::America => (
                sunday(year, Month::March, Some(2)) + 2 * HOUR - self.offset,
                sunday(year, Month::November, Some(1)) + HOUR - self.offset,
            ),
        };
        (from..until).contains(&instant)
    }
}

#[cfg(test)]
mod tests {
    use super::super::when::{parse, zulu};
    use super::*;

    #[test]
    fn summer_and_winter_in_both_directions() {
        for (zone, wall, utc) in [
            ("UTC", "2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z"),
            ("europe/berlin", "2026-07-01T12:00:00Z", "2026-07-01T10:00:00Z"),
            ("W. Europe Standard Time", "2026-12-01T12:00:00Z", "2026-12-01T11:00:00Z"),
            ("Pacific Standard Time", "2026-07-01T12:00:00Z", "2026-07-01T19:00:00Z"),
            ("America/New_York", "2026-11-01T00:30:00Z", "2026-11-01T04:30:00Z"),
            ("America/New_York", "2026-11-01T03:30:00Z", "2026-11-01T08:30:00Z"),
            ("India Standard Time", "2026-07-01T12:00:00Z", "2026-07-01T06:30:00Z"),
        ] {
            let (zone, wall) = (Zone::named(zone).unwrap(), parse(wall).unwrap().0);
            assert_eq!(zulu(zone.instant(wall)), utc);
            assert_eq!(zone.wall(zone.instant(wall)), wall);
        }
        assert_eq!(Zone::named("Mars/Olympus"), None);
    }
}
