//! Instants as Graph spells and accepts them (ISO 8601): in `$filter`, in `calendarView`, in events.

use time::{Date, Month, OffsetDateTime, Time};

/// Reads `2026-11-23`, `2026-11-23T10:00`, seconds and fractions optional, then `Z`, an offset or nothing. Returns
/// seconds since 1970 and whether a zone was said; without one the time is taken as UTC.
pub(super) fn parse(text: &str) -> Option<(i64, bool)> {
    let (date, rest) = match text.split_once(['T', 't']) {
        Some((date, rest)) => (date, Some(rest)),
        None => (text, None),
    };
    let date = parse_date(date)?;
    let Some(rest) = rest else { return Some((date.midnight().assume_utc().unix_timestamp(), false)) };
    let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = (rest.get(..zone_at)?, rest.get(zone_at..)?);
    let local = date.with_time(parse_time(time)?).assume_utc().unix_timestamp();
    match zone {
        "" => Some((local, false)),
        "Z" | "z" => Some((local, true)),
        offset => Some((local.checked_sub(parse_offset(offset)?)?, true)),
    }
}

fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

fn parse_time(text: &str) -> Option<Time> {
    let whole = match text.split_once('.') {
        Some((_, fraction)) if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) => {
            return None;
        }
        Some((whole, _)) => whole,
        None => text,
    };
    let mut parts = whole.split(':').map(two_digits);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    match parts.next() {
        None => Time::from_hms(hour, minute, second).ok(),
        Some(_) => None,
    }
}

fn parse_offset(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 14 && minutes < 60).then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

fn two_digits(text: &str) -> Option<u8> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// `2026-11-23T10:00:00Z`.
pub(super) fn zulu(seconds: i64) -> String {
    format!("{}Z", local(seconds))
}

/// `2026-11-23T10:00:00.0000000`, as in the `dateTime` of events.
pub(super) fn wall(seconds: i64) -> String {
    format!("{}.0000000", local(seconds))
}

fn local(seconds: i64) -> String {
    crate::clock::Instant(seconds).graph()
}

/// The year of an instant, UTC.
pub(super) fn year(seconds: i64) -> i32 {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH).year()
}

/// Midnight UTC of the last Sunday of `month` in `year`, or of its `nth` Sunday.
pub(super) fn sunday(year: i32, month: Month, nth: Option<u8>) -> i64 {
    let first = Date::from_calendar_date(year, month, 1).unwrap_or(Date::MIN);
    let to_sunday = i64::from((7 - first.weekday().number_days_from_sunday()) % 7);
    let length = i64::from(month.length(year));
    let day = match nth {
        Some(nth) => to_sunday + 7 * i64::from(nth.saturating_sub(1)),
        None => to_sunday + 7 * ((length - 1 - to_sunday) / 7),
    };
    first.midnight().assume_utc().unix_timestamp() + day * 86_400
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_what_is_not() {
        let at = |text: &str| parse(text);
        assert_eq!(at("2026-11-23T13:00:00Z"), Some((1_795_438_800, true)));
        assert_eq!(at("2026-11-23T13:00"), Some((1_795_438_800, false)));
        assert_eq!(at("2026-11-23T14:00:00.1234567+01:00"), Some((1_795_438_800, true)));
        assert_eq!(at("2026-11-23"), Some((1_795_392_000, false)));
        for bad in [
            "",
            "T",
            "now",
            "2026-13-01",
            "2026-02-30",
            "2026-1-1T0",
            "2026-11-23T25:00",
            "2026-11-23T10:00:00.",
            "2026-11-23T10:00+99:00",
            "2026-11-23T10:00 01:00",
            "2026-11-23T10:00:00:00",
            "-2026-11-23",
            "é2026",
            "2026-11-23T+é",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn sundays() {
        assert_eq!(zulu(sunday(2026, Month::March, None)), "2026-03-29T00:00:00Z");
        assert_eq!(zulu(sunday(2026, Month::October, None)), "2026-10-25T00:00:00Z");
        assert_eq!(zulu(sunday(2026, Month::March, Some(2))), "2026-03-08T00:00:00Z");
        assert_eq!(zulu(sunday(2026, Month::November, Some(1))), "2026-11-01T00:00:00Z");
    }
}
