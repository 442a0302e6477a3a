//! Numbers as JSON Schema compares them: by value, `1.0` being an integer. It reads no JSON.
//!
//! Integers of 64 bits are exact. Larger ones, and all fractions, are what `f64` makes of them.

use core::cmp::Ordering;
use core::fmt;

/// A JSON number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(Kind);

/// A value has one form only, so that equal numbers are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Positive(u64),
    Negative(i64),
    /// Finite, and no value that the others can hold.
    Float(f64),
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(Kind::Positive(value))
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(u64::try_from(value).map_or(Kind::Negative(value), Kind::Positive))
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        // From -2^63 up to, but without, 2^64.
        if value.fract() != 0.0
            || !(-9_223_372_036_854_775_808.0..18_446_744_073_709_551_616.0).contains(&value)
        {
            return Self(Kind::Float(value));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "integers in range, as just seen"
        )]
        if value < 0.0 { Self(Kind::Negative(value as i64)) } else { Self(Kind::Positive(value as u64)) }
    }
}

impl Number {
    /// Without a fraction, however it is written (JSON Schema Core 4.2.3).
    pub(crate) fn is_integer(self) -> bool {
        match self.0 {
            Kind::Positive(_) | Kind::Negative(_) => true,
            Kind::Float(value) => value.fract() == 0.0,
        }
    }

    pub(crate) fn is_positive(self) -> bool {
        self.compare(Self::from(0_u64)) == Ordering::Greater
    }

    /// An integer from zero up, huge ones as the largest.
    pub(crate) fn as_count(self) -> Option<u64> {
        match self.0 {
            Kind::Positive(value) => Some(value),
            Kind::Float(value) if value > 0.0 && value.fract() == 0.0 => Some(u64::MAX),
            Kind::Negative(_) | Kind::Float(_) => None,
        }
    }

    fn exact(self) -> Option<i128> {
        match self.0 {
            Kind::Positive(value) => Some(value.into()),
            Kind::Negative(value) => Some(value.into()),
            Kind::Float(_) => None,
        }
    }

    fn approximate(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "see `compare`")]
        match self.0 {
            Kind::Positive(value) => value as f64,
            Kind::Negative(value) => value as f64,
            Kind::Float(value) => value,
        }
    }

    /// By value.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        let by_float = || self.approximate().total_cmp(&other.approximate());
        match (self.exact(), other.exact()) {
            (Some(one), Some(other)) => one.cmp(&other),
            // A float is either beyond all exact integers or has a fraction, which ends at 2^53: rounding an exact one
            // cannot carry it past a float, and onto one at 2^64 only.
            (Some(_), None) => by_float().then(Ordering::Less),
            (None, Some(_)) => by_float().then(Ordering::Greater),
            (None, None) => by_float(),
        }
    }

    /// Whether this is a multiple of `divisor`, as both are written in decimal: 0.3 is one of 0.1, though not in binary.
    pub(crate) fn is_multiple_of(self, divisor: Self) -> bool {
        let ((value, value_exponent), (unit, unit_exponent)) = (self.decimal(), divisor.decimal());
        let shift = value_exponent - unit_exponent;
        let power = shift.unsigned_abs();
        if value == 0 || unit == 0 {
            return value == 0;
        }
        if shift >= 0 {
            // Both factors stay below `unit`, which has 64 bits.
            ((value % unit) * power_of_ten(power, unit)).is_multiple_of(unit)
        } else {
            // A `unit` of more than 128 bits divides no `value`.
            let unit = 10_u128.checked_pow(power).and_then(|power| unit.checked_mul(power));
            unit.is_some_and(|unit| value.is_multiple_of(unit))
        }
    }

    /// The shortest decimal that reads as this number, without its sign: digits and exponent.
    fn decimal(self) -> (u128, i32) {
        match self.0 {
            Kind::Positive(value) => (value.into(), 0),
            Kind::Negative(value) => (value.unsigned_abs().into(), 0),
            Kind::Float(value) => {
                let text = format!("{:e}", value.abs());
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                let number = |text: &str| text.bytes().fold(0, |sum, byte| sum * 10 + u128::from(byte & 15));
                let digits =
                    number(whole) * 10_u128.pow(fraction.len().try_into().unwrap_or(0)) + number(fraction);
                (digits, exponent.parse().unwrap_or(0) - i32::try_from(fraction.len()).unwrap_or(0))
            }
        }
    }
}

/// 10^`power` modulo `modulus`.
fn power_of_ten(power: u32, modulus: u128) -> u128 {
    (0..power).fold(1 % modulus, |product, _| product * 10 % modulus)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Positive(value) => write!(f, "{value}"),
            Kind::Negative(value) => write!(f, "{value}"),
            // `Debug` writes 1e300 where `Display` writes 301 digits.
            Kind::Float(value) => write!(f, "{value:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        match crate::Json::parse(text) {
            Ok(crate::Json::Number(number)) => number,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_values_are_equal_however_they_are_written() {
        for (one, other) in [("1", "1.0"), ("0", "-0.0"), ("-3", "-3e0"), ("1e3", "1000"), ("1e22", "10e21")]
        {
            assert_eq!(number(one), number(other), "{one}");
            assert_eq!(number(one).compare(number(other)), Ordering::Equal, "{one}");
        }
        assert_ne!(number("9007199254740993"), number("9007199254740992"), "beyond what f64 tells apart");
    }

    #[test]
    fn order_is_by_value() {
        let sorted = [
            "-1e300",
            "-9223372036854775808",
            "-9223372036854775807",
            "-1.5",
            "-1",
            "0",
            "1e-300",
            "0.5",
            "1",
            "9007199254740991.0",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
        ];
        for (index, one) in sorted.iter().enumerate() {
            for (other_index, other) in sorted.iter().enumerate() {
                assert_eq!(number(one).compare(number(other)), index.cmp(&other_index), "{one} {other}");
            }
        }
    }

    #[test]
    fn multiples_are_those_of_the_decimals() {
        for (value, unit, expected) in [
            ("10", "2", true),
            ("7", "2", false),
            ("-9", "3", true),
            ("0", "0.01", true),
            ("4.5", "1.5", true),
            ("35", "1.5", false),
            ("0.3", "0.1", true),
            ("19.99", "0.01", true),
            ("19.995", "0.01", false),
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("18446744073709551615", "5", true),
            ("18446744073709551614", "5", false),
            ("1e308", "0.5", true),
            ("1e308", "0.123456789", false),
            ("5e-324", "1e300", false),
            ("12391239123", "1e-8", true),
        ] {
            assert_eq!(number(value).is_multiple_of(number(unit)), expected, "{value} of {unit}");
        }
    }

    #[test]
    fn integers_have_no_fraction() {
        for (text, expected) in
            [("1", true), ("1.0", true), ("1.1", false), ("1e100", true), ("-1e-1", false)]
        {
            assert_eq!(number(text).is_integer(), expected, "{text}");
        }
        assert_eq!(number("1e100").as_count(), Some(u64::MAX));
        assert_eq!(number("-1").as_count(), None);
        assert_eq!(number("2.5").as_count(), None);
    }
}
