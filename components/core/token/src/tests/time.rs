//! `exp`, `nbf` and `iat` to the second.

use serde_json::json;

use super::{
    Given, LEEWAY, NOW, PERFECT, RULES, accepted, claims, header, mint, mint_text, refused, with, with_text,
    without,
};
use crate::{MAX_LEEWAY, Rules, TokenError};

const ISSUED: u64 = NOW - 300;
const EXPIRES: u64 = NOW + 3600;

fn at(now: u64) -> Given<'static> {
    Given { now, ..Given::token(&*PERFECT) }
}

fn with_times(not_before: u64, issued_at: u64, expires_at: u64) -> Given<'static> {
    let claims = with(with(claims(), "nbf", json!(not_before)), "iat", json!(issued_at));
    Given::token(mint(&header(), &with(claims, "exp", json!(expires_at))))
}

/// The perfect token with the member `name` written as `text`.
fn with_literal(name: &str, text: &str) -> Given<'static> {
    let claims = with_text(&without(claims(), name), &format!(r#""{name}":{text}"#));
    Given::token(mint_text(header().to_string(), claims))
}

#[test]
fn a_token_is_good_until_leeway_after_exp() {
    accepted("at exp", &at(EXPIRES));
    accepted("last second", &at(EXPIRES + LEEWAY - 1));
    for now in [EXPIRES + LEEWAY, EXPIRES + LEEWAY + 1, EXPIRES + 10 * LEEWAY, u64::MAX] {
        refused("expired", &at(now), TokenError::Expired { expires_at: EXPIRES, now });
    }
}

#[test]
fn a_token_is_good_from_leeway_before_nbf() {
    accepted("first second", &at(ISSUED - LEEWAY));
    for now in [ISSUED - LEEWAY - 1, ISSUED - 10 * LEEWAY, 0] {
        refused("early", &at(now), TokenError::NotYetValid { claim: "nbf", from: ISSUED, now });
    }
}

#[test]
fn nbf_and_iat_both_have_to_have_come() {
    let limit = NOW + LEEWAY;
    accepted("both at the limit", &with_times(limit, limit, EXPIRES));
    for (nbf, iat, claim) in [
        (limit + 1, ISSUED, "nbf"),
        (ISSUED, limit + 1, "iat"),
        (limit + 1, limit, "nbf"),
        (limit, limit + 1, "iat"),
        (limit + 1, limit + 2, "nbf"),
    ] {
        let error = TokenError::NotYetValid { claim, from: limit + 1, now: NOW };
        refused("ahead", &with_times(nbf, iat, EXPIRES), error);
    }
    refused(
        "far",
        &with_times(ISSUED, u64::MAX, EXPIRES),
        TokenError::NotYetValid { claim: "iat", from: u64::MAX, now: NOW },
    );
}

#[test]
fn without_leeway_the_second_counts() {
    let strict = Rules { leeway: 0, ..RULES };
    accepted("last", &Given { rules: strict, ..at(EXPIRES - 1) });
    accepted("first", &Given { rules: strict, ..at(ISSUED) });
    let late = TokenError::Expired { expires_at: EXPIRES, now: EXPIRES };
    refused("late", &Given { rules: strict, ..at(EXPIRES) }, late);
    let early = TokenError::NotYetValid { claim: "nbf", from: ISSUED, now: ISSUED - 1 };
    refused("early", &Given { rules: strict, ..at(ISSUED - 1) }, early);
}

#[test]
fn the_largest_leeway_is_applied_whole() {
    let lenient = Rules { leeway: MAX_LEEWAY, ..RULES };
    let leeway = u64::from(MAX_LEEWAY);
    accepted("last", &Given { rules: lenient, ..at(EXPIRES + leeway - 1) });
    let now = EXPIRES + leeway;
    refused("late", &Given { rules: lenient, ..at(now) }, TokenError::Expired { expires_at: EXPIRES, now });
}

#[test]
fn exp_lies_after_nbf() {
    for (nbf, exp) in [(NOW, NOW), (NOW + 1, NOW), (EXPIRES, EXPIRES - 1), (u64::MAX, 0), (NOW - 9, NOW - 10)]
    {
        let error = TokenError::EmptyLifetime { not_before: nbf, expires_at: exp };
        refused("empty", &with_times(nbf, ISSUED, exp), error);
    }
    accepted("one second", &with_times(NOW, ISSUED, NOW + 1));
}

#[test]
fn long_lifetimes_are_the_authoritys_business() {
    let day = accepted("a CAE session", &with_times(ISSUED, ISSUED, ISSUED + 28 * 3600));
    assert_eq!(day.expires_at, ISSUED + 28 * 3600);
    let last = ISSUED + 28 * 3600 + LEEWAY - 1;
    accepted("its last second", &Given { now: last, ..with_times(ISSUED, ISSUED, day.expires_at) });
    let error = TokenError::Expired { expires_at: day.expires_at, now: last + 1 };
    refused("and after", &Given { now: last + 1, ..with_times(ISSUED, ISSUED, day.expires_at) }, error);
    // Nothing overflows; whether such a token is wise is for who signed it.
    assert_eq!(accepted("for ever", &with_times(ISSUED, ISSUED, u64::MAX)).expires_at, u64::MAX);
}

#[test]
fn times_are_whole_numbers_of_seconds() {
    let odd = [
        "1800003600.0",
        "1800003600.5",
        "1.8000036e9",
        "1e400",
        "1e30",
        "-1",
        "-0",
        "-1800003600",
        "18446744073709551616",
        "99999999999999999999999999999999999999",
        "\"1800003600\"",
        "\"\"",
        "null",
        "true",
        "[1800003600]",
        "{}",
    ];
    for name in ["exp", "nbf", "iat"] {
        for text in odd {
            let error = TokenError::Claim { claim: name, found: Some(text.replace("{}", "{...}")) };
            refused(&format!("{name} {text}"), &with_literal(name, text), error);
        }
        // RFC 8259 section 6 has no such numbers, so the payload is not JSON.
        for text in [
            "NaN",
            "Infinity",
            "+1800003600",
            "01800003600",
            "0x6b49d200",
            "1800003600.",
            ".5",
            "1_800_003_600",
        ] {
            let error = TokenError::Malformed { what: "payload is not one JSON object" };
            refused(&format!("{name} {text}"), &with_literal(name, text), error);
        }
    }
}

#[test]
fn milliseconds_are_not_taken_for_seconds() {
    let milliseconds = with_times(ISSUED * 1000, ISSUED * 1000, EXPIRES * 1000);
    let error = TokenError::NotYetValid { claim: "nbf", from: ISSUED * 1000, now: NOW };
    refused("ms", &milliseconds, error);
}

#[test]
fn zero_is_a_time_like_any_other() {
    accepted("nbf and iat", &with_times(0, 0, EXPIRES));
    refused("exp", &with_times(0, 0, 0), TokenError::EmptyLifetime { not_before: 0, expires_at: 0 });
    let expired = TokenError::Expired { expires_at: 1, now: NOW };
    refused("long ago", &with_times(0, 0, 1), expired);
}
