//! Finding the access token of a request (RFC 6750 section 2.1), and nothing more: whether it is good is for the
//! validator.
//!
//! Three outcomes, not two: a request without credentials gets a challenge without `error` (RFC 6750 section 3.1),
//! one with credentials that we do not take is told so.

use core::fmt;

use crate::challenge::Challenge;
use crate::fields::{self, Field};
use crate::limits;

/// What a request has for credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// None. Answer 401 with [`Challenge::unauthenticated`](crate::challenge::Challenge::unauthenticated).
    None,
    /// One token, as sent: 1 to [`limits::BEARER`] bytes of the `b64token` alphabet.
    Token(&'a str),
    /// Credentials that we do not take. Answer with [`BearerFault::challenge`].
    Refused(BearerFault),
}

// Written by hand: a token must not reach a log through a `{:?}` of whatever holds it.
impl fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Token(token) => write!(f, "Token({} bytes)", token.len()),
            Self::Refused(fault) => write!(f, "Refused({fault:?})"),
        }
    }
}

/// Why credentials were not taken. None of the variants holds the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerFault {
    /// Two `Authorization` fields: two parties could read two callers.
    Repeated,
    /// Another scheme, for example `Basic`.
    OtherScheme,
    /// `Bearer` with nothing after it, or an empty field.
    Empty,
    /// Whitespace, a control character, or another character that is in no token.
    Malformed,
    /// Longer than [`limits::BEARER`].
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A token in the query (RFC 6750 section 2.3), which lands in logs. MCP `basic/authorization` forbids it; it is
    /// refused even beside a good header, so that a client learns of it.
    InQuery,
}

impl BearerFault {
    /// The answer: 401 `invalid_token` where there is no token to judge, so that a client goes and gets one; 400
    /// `invalid_request` where the request is malformed (RFC 6750 section 3.1).
    #[must_use]
    pub const fn challenge(self) -> Challenge<'static> {
        match self {
            Self::OtherScheme | Self::Empty | Self::Malformed => Challenge::invalid_token(self.message()),
            Self::Repeated | Self::TooLong { .. } | Self::InQuery => {
                Challenge::invalid_request(self.message())
            }
        }
    }

    /// The `error_description` for the caller.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Repeated => "more than one Authorization header",
            Self::OtherScheme => "only the Bearer scheme is accepted",
            Self::Empty => "the access token is empty",
            Self::Malformed => "the access token is malformed",
            Self::TooLong { .. } => "the access token is too long",
            Self::InQuery => "an access token must not be sent in the query",
        }
    }
}

impl fmt::Display for BearerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        match self {
            Self::TooLong { length } => write!(f, " ({length} bytes, at most {})", limits::BEARER),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for BearerFault {}

/// The credentials of a request. `target` is path and query as received, for example `/mcp?x=1`.
#[must_use]
pub fn bearer<'a>(target: &str, headers: &'a [(String, String)]) -> Bearer<'a> {
    if has_token_in_query(target) {
        return Bearer::Refused(BearerFault::InQuery);
    }
    let value = match fields::field(headers, "authorization") {
        Field::Absent => return Bearer::None,
        Field::Repeated => return Bearer::Refused(BearerFault::Repeated),
        Field::Once(value) => value,
    };
    // RFC 9110 section 11.4: a scheme, one or more spaces, the credentials. The scheme has no case (section 11.1).
    let (scheme, credentials) = value.split_once(' ').unwrap_or((value, ""));
    let token = credentials.trim_start_matches(' ');
    Bearer::Refused(if scheme.is_empty() {
        BearerFault::Empty
    } else if !scheme.eq_ignore_ascii_case("bearer") {
        BearerFault::OtherScheme
    } else if token.is_empty() {
        BearerFault::Empty
    } else if token.len() > limits::BEARER {
        BearerFault::TooLong { length: token.len() }
    } else if !is_b64token(token) {
        BearerFault::Malformed
    } else {
        return Bearer::Token(token);
    })
}

/// `b64token` of RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    // Without an early exit the compiler judges 16 bytes at a time; tokens have thousands.
    !body.is_empty()
        && body.bytes().fold(true, |good, byte| {
            good & (byte.is_ascii_alphanumeric()
                | (byte == b'-')
                | (byte == b'.')
                | (byte == b'_')
                | (byte == b'~')
                | (byte == b'+')
                | (byte == b'/'))
        })
}

/// Whether the query has a parameter `access_token`, with or without a value, however its name is written: a name
/// that some other party would decode to it counts too.
fn has_token_in_query(target: &str) -> bool {
    let Some((_, query)) = target.split_once('?') else {
        return false;
    };
    query.split(['&', ';']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_decoded_eq(name.as_bytes(), b"access_token")
    })
}

/// Whether `encoded`, percent-decoded, is `plain`; letters without case.
fn percent_decoded_eq(mut encoded: &[u8], plain: &[u8]) -> bool {
    for expected in plain {
        let (found, rest) = match encoded {
            [b'%', high, low, rest @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, rest),
                _ => return false,
            },
            [byte, rest @ ..] => (*byte, rest),
            [] => return false,
        };
        if !found.eq_ignore_ascii_case(expected) {
            return false;
        }
        encoded = rest;
    }
    encoded.is_empty()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(target: &str, authorization: &[&str], expected: Bearer<'_>) {
        let headers: Vec<_> =
            authorization.iter().map(|value| ("authorization".to_owned(), (*value).to_owned())).collect();
        assert_eq!(bearer(target, &headers), expected, "{target} {authorization:?}");
    }

    #[test]
    fn no_header_is_not_a_refusal() {
        check("/mcp", &[], Bearer::None);
        check("/mcp?x=access_token", &[], Bearer::None);
        check("/mcp?access_tokens=1&xaccess_token=2", &[], Bearer::None);
    }

    #[test]
    fn one_token_is_found_whatever_the_case_of_the_scheme() {
        check("/mcp", &["Bearer a.b-c_d~e+f/g=="], Bearer::Token("a.b-c_d~e+f/g=="));
        check("/mcp", &["bearer abc"], Bearer::Token("abc"));
        check("/mcp", &["BEARER   abc  "], Bearer::Token("abc"));
    }

    #[test]
    fn credentials_of_another_kind_are_refused() {
        use BearerFault::{Empty, Malformed, OtherScheme, Repeated};
        for (values, fault) in [
            (&["Bearer a", "Bearer b"][..], Repeated),
            (&["Bearer a", "Bearer a"], Repeated),
            (&["Basic dXNlcjpwYXNz"], OtherScheme),
            (&["Bearerabc"], OtherScheme),
            (&["abc"], OtherScheme),
            (&["DPoP abc"], OtherScheme),
            (&[""], Empty),
            (&["Bearer"], Empty),
            (&["Bearer   "], Empty),
            (&["Bearer a b"], Malformed),
            (&["Bearer a\tb"], Malformed),
            (&["Bearer \tab"], Malformed),
            (&["Bearer a,b"], Malformed),
            (&["Bearer a\u{0}b"], Malformed),
            (&["Bearer a\r\nb"], Malformed),
            (&["Bearer é"], Malformed),
            (&["Bearer =="], Malformed),
            (&["Bearer a=b"], Malformed),
            (&["Bearer \"abc\""], Malformed),
        ] {
            check("/mcp", values, Bearer::Refused(fault));
        }
    }

    #[test]
    fn a_token_has_a_longest_length() {
        let longest = "a".repeat(limits::BEARER);
        check("/mcp", &[&format!("Bearer {longest}")], Bearer::Token(&longest));
        let fault = BearerFault::TooLong { length: limits::BEARER + 1 };
        check("/mcp", &[&format!("Bearer {longest}a")], Bearer::Refused(fault));
    }

    #[test]
    fn a_token_in_the_query_is_refused_even_beside_a_good_header() {
        for target in [
            "/mcp?access_token=abc",
            "/mcp?a=b&access_token=abc",
            "/mcp?access_token",
            "/mcp?x;access_token=abc",
            "/mcp?access%5Ftoken=abc",
            "/mcp?%61ccess_token=abc",
            "/mcp?ACCESS_TOKEN=abc",
        ] {
            check(target, &[], Bearer::Refused(BearerFault::InQuery));
            check(target, &["Bearer abc"], Bearer::Refused(BearerFault::InQuery));
        }
    }

    #[test]
    fn a_refusal_says_whether_a_new_token_would_help() {
        for (fault, status, error) in [
            (BearerFault::OtherScheme, 401, "invalid_token"),
            (BearerFault::Empty, 401, "invalid_token"),
            (BearerFault::Malformed, 401, "invalid_token"),
            (BearerFault::Repeated, 400, "invalid_request"),
            (BearerFault::InQuery, 400, "invalid_request"),
            (BearerFault::TooLong { length: 1 }, 400, "invalid_request"),
        ] {
            let challenge = fault.challenge();
            assert_eq!((challenge.status(), challenge.error()), (status, Some(error)), "{fault:?}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        assert_eq!(format!("{:?}", Bearer::Token("secret")), "Token(6 bytes)");
    }
}
