//! Cookies (RFC 6265): read tolerantly, since others share the origin's jar, and written with one set of attributes.
//!
//! All of ours have the `__Host-` prefix: a browser takes such a cookie only with `Secure`, `Path=/` and no `Domain`, so that no other
//! host can set it for us. Their values are sealed by the shell and bound to their names.
//!
//! `SameSite=Lax` comes back on a navigation from another site only with a safe method. That decides how Entra answers: with
//! `response_mode=query`, a GET. A `form_post` from Entra would arrive without the cookie that proves which browser began, and
//! `SameSite=None` would send it with every request that any page makes. The code in the query is worth nothing to who reads it later: it can be
//! redeemed once, by us, with a verifier that is in the cookie.

use core::fmt::Write as _;

/// The cookies of a request.
#[derive(Clone)]
pub struct Cookies<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Cookies<'a> {
    /// Reads the values of all `Cookie` header fields. What is no pair is skipped.
    #[must_use]
    pub fn parse(fields: impl IntoIterator<Item = &'a str>) -> Self {
        Self(
            fields
                .into_iter()
                .flat_map(|field| field.split(';'))
                .filter_map(|pair| pair.trim().split_once('='))
                .filter(|(name, _)| !name.is_empty())
                .collect(),
        )
    }

    /// The value of a cookie; of the first, should there be several. A name is compared whole and with case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The names that begin with `prefix`.
    pub fn names(&self, prefix: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(name, _)| *name).filter(move |name| name.starts_with(prefix))
    }
}

/// The `Set-Cookie` value for a cookie that lives `lifetime` seconds. Name and value have to be of base64url characters, `-` and `.`.
#[must_use]
pub fn set(name: &str, value: &str, lifetime: u64) -> String {
    let mut field = String::with_capacity(name.len() + value.len() + 64);
    let _ = write!(field, "{name}={value}; Max-Age={lifetime}; Path=/; Secure; HttpOnly; SameSite=Lax");
    field
}

/// The `Set-Cookie` value that ends a cookie.
#[must_use]
pub fn clear(name: &str) -> String {
    set(name, "", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_junk_and_the_first_counts() {
        let cookies = Cookies::parse(["a=1; junk; =x;b=2=3 ;;", "__Host-c=\"q\"; a=9"]);
        assert_eq!(
            ["a", "b", "__Host-c", "__host-c", "junk", ""].map(|name| cookies.get(name)),
            [Some("1"), Some("2=3"), Some("\"q\""), None, None, None]
        );
        assert_eq!(cookies.names("__Host-").collect::<Vec<_>>(), ["__Host-c"]);
        assert_eq!(Cookies::parse([]).get("a"), None);
    }

    #[test]
    fn cookies_are_for_this_host_and_no_script() {
        let expected = "__Host-x=v; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(set("__Host-x", "v", 600), expected);
        assert_eq!(clear("__Host-x"), "__Host-x=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax");
    }
}
