//! What may be sent to Graph: one host, known API roots, no tricks in the path.
//!
//! A tool names a path and parameters; the host is the operator's. The rules keep a tool (or a model that fills its arguments) from steering a
//! request, and the token with it, anywhere else.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Roots below which a path may lie.
const ROOTS: [&str; 2] = ["/v1.0/", "/beta/"];

/// Longest path and longest query value in bytes. Graph refuses URLs past about 8 kB.
const MAX_BYTES: usize = 2048;

/// Query characters left as they are: the unreserved ones (RFC 3986 section 2.3) and those that OData uses and RFC 3986 section 3.4 allows.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'$')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'\'')
    .remove(b'/')
    .remove(b':');

/// Why a call is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The method is not one that tools may use yet.
    Method(String),
    /// The path lies outside the API roots.
    Root,
    /// The path has empty or dot segments, or characters that have no place in one.
    Path,
    /// The path or a parameter is too long.
    TooLong,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method(method) => write!(f, "method `{}` is not allowed", method.escape_default()),
            Self::Root => write!(f, "the path is not below {}", ROOTS.join(" or ")),
            Self::Path => {
                write!(f, "the path has an empty or dot segment, or a character that has no place in one")
            }
            Self::TooLong => write!(f, "the path or a parameter has more than {MAX_BYTES} bytes"),
        }
    }
}

/// The absolute URL of a call below `base` (scheme and host, without trailing slash).
///
/// # Errors
/// [`Refused`] for whatever is not a plain read below an API root.
pub fn url(base: &str, method: &str, path: &str, query: &[(String, String)]) -> Result<String, Refused> {
    if method != "GET" {
        return Err(Refused::Method(method.chars().take(16).collect()));
    }
    if path.len() > MAX_BYTES || query.iter().any(|(name, value)| name.len() + value.len() > MAX_BYTES) {
        return Err(Refused::TooLong);
    }
    let root = ROOTS.into_iter().find(|root| path.starts_with(root)).ok_or(Refused::Root)?;
    if !path[root.len()..].split('/').all(is_plain_segment) {
        return Err(Refused::Path);
    }
    let mut url = format!("{base}{path}");
    for (at, (name, value)) in query.iter().enumerate() {
        url.push(if at == 0 { '?' } else { '&' });
        url.extend(utf8_percent_encode(name, QUERY));
        url.push('=');
        url.extend(utf8_percent_encode(value, QUERY));
    }
    Ok(url)
}

/// A segment that every server reads alike: no dot segment (RFC 3986 section 3.3), nothing encoded that could become a separator.
fn is_plain_segment(segment: &str) -> bool {
    let encoded = segment.to_ascii_lowercase();
    !segment.is_empty()
        && segment != "."
        && segment != ".."
        && !["%2e", "%2f", "%5c", "%00", "%25"].iter().any(|trick| encoded.contains(trick))
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~$()'!*,=:@%+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Result<&str, Refused>) {
        let url = url("https://graph.example", "GET", path, &[]);
        assert_eq!(url.as_deref().map_err(Clone::clone), expected, "{path}");
    }

    #[test]
    fn plain_paths_pass() {
        check("/v1.0/me", Ok("https://graph.example/v1.0/me"));
        check("/v1.0/users/a%20b@example.com", Ok("https://graph.example/v1.0/users/a%20b@example.com"));
    }

    #[test]
    fn paths_that_could_lead_elsewhere_are_refused() {
        check("/me", Err(Refused::Root));
        check("@evil.example/v1.0/me", Err(Refused::Root));
        check("/v1.0/../admin", Err(Refused::Path));
        check("/v1.0/me/%2e%2e/x", Err(Refused::Path));
        check("/v1.0/me%2Fmessages", Err(Refused::Path));
        check("/v1.0//me", Err(Refused::Path));
        check("/v1.0/me?x=y", Err(Refused::Path));
        check("/v1.0/me#x", Err(Refused::Path));
        check("/v1.0/me\\x", Err(Refused::Path));
        check("/v1.0/me\r\nx: y", Err(Refused::Path));
        check(&format!("/v1.0/{}", "a".repeat(MAX_BYTES)), Err(Refused::TooLong));
    }

    #[test]
    fn other_methods_are_refused() {
        let refused = url("https://graph.example", "DELETE", "/v1.0/me", &[]);
        assert_eq!(refused, Err(Refused::Method("DELETE".into())));
    }

    #[test]
    fn query_values_are_encoded() {
        let query =
            [("$select".to_owned(), "id,name".to_owned()), ("$filter".to_owned(), "a eq 'b&c'#".to_owned())];
        let url = url("https://graph.example", "GET", "/v1.0/me", &query).unwrap();
        assert_eq!(url, "https://graph.example/v1.0/me?$select=id,name&$filter=a%20eq%20'b%26c'%23");
    }
}
