//! Absolute URIs, read strictly: only what has one reading for every parser. Nothing is normalised, because redirect URIs and client ids
//! are compared as they are written (RFC 9700 section 2.1, RFC 3986 section 6.2.1).
//!
//! This is no general parser. What it does not take is refused, which is the safe side for every use here.

/// The parts of a URI; all are parts of the one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    /// In lower case.
    pub(crate) scheme: &'a str,
    /// A name, an IPv4 address or `[IPv6]`; empty where the scheme has no authority.
    pub(crate) host: &'a str,
    /// Without its colon.
    pub(crate) port: Option<&'a str>,
    /// From its first slash on; may be empty.
    pub(crate) path: &'a str,
    /// Without its question mark.
    pub(crate) query: Option<&'a str>,
}

/// Why a text is not taken for a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriError {
    /// A character that no URI has, or one that parsers read differently: a space, `\`, a control character, anything beyond ASCII.
    Character,
    /// No scheme, or not in lower case.
    Scheme,
    /// Something before an `@` (RFC 3986 section 3.2.1).
    Userinfo,
    /// A fragment (RFC 6749 section 3.1.2).
    Fragment,
    /// A host that is none, or is not written in lower case.
    Host,
    /// A port that is no number from 1 to 65535.
    Port,
    /// A segment `.` or `..`, plain or encoded.
    DotSegment,
    /// A `*`: such a URI is meant as a pattern.
    Wildcard,
}

impl<'a> Uri<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, UriError> {
        let legal = |byte: u8| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte);
        if !text.bytes().all(legal) {
            return Err(UriError::Character);
        }
        if text.contains('*') {
            return Err(UriError::Wildcard);
        }
        if text.contains('#') {
            return Err(UriError::Fragment);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Scheme)?;
        let plain =
            scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b));
        if !plain || !scheme.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(UriError::Scheme);
        }
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        if authority.contains('@') {
            return Err(UriError::Userinfo);
        }
        let (host, port) = split_port(authority)?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        if has_dot_segment(path) {
            return Err(UriError::DotSegment);
        }
        Ok(Self { scheme, host, port, path, query })
    }

    /// A web server's URI: `https` or `http` with a host.
    pub(crate) fn is_web(&self) -> bool {
        matches!(self.scheme, "https" | "http") && !self.host.is_empty()
    }

    /// `127.0.0.1`, `[::1]` (RFC 8252 section 7.3) or `localhost` (section 8.3 advises against it, but most clients register it).
    pub(crate) fn is_loopback(&self) -> bool {
        matches!(self.host, "127.0.0.1" | "[::1]" | "localhost")
    }

    /// `scheme://host[:port]`, or `scheme:` where there is no host. For showing and for binding a permission.
    pub(crate) fn origin(&self) -> String {
        match (self.host, self.port) {
            ("", _) => format!("{}:", self.scheme),
            (host, None) => format!("{}://{host}", self.scheme),
            (host, Some(port)) => format!("{}://{host}:{port}", self.scheme),
        }
    }
}

/// Host and port. A host is what every parser takes for the same: a name in lower case whose last label begins with a letter (so that it is no
/// IPv4 address in disguise), four decimal numbers, or an IPv6 address.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), UriError> {
    let after_host = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(UriError::Host)? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at_checked(after_host).ok_or(UriError::Host)?;
    if !(authority.is_empty() || is_name(host) || is_address(host)) {
        return Err(UriError::Host);
    }
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok((host, None)),
        Some(port) if is_port(port) => Ok((host, Some(port))),
        _ => Err(UriError::Port),
    }
}

/// A DNS name in lower case. A trailing dot is refused: it names the same host with another text.
pub(crate) fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253
        && host.split('.').all(label)
        && last.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_address(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // Written back, so that only one spelling is taken.
        Some(inner) => inner.parse::<core::net::Ipv6Addr>().is_ok_and(|address| address.to_string() == inner),
        None => host.parse::<core::net::Ipv4Addr>().is_ok(),
    }
}

fn is_port(port: &str) -> bool {
    !port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

fn has_dot_segment(path: &str) -> bool {
    // A percent-encoded slash may become one behind a proxy, so it separates here too.
    let path = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    path.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: UriError) {
        assert_eq!(Uri::parse(text), Err(expected), "{text}");
    }

    #[test]
    fn a_uri_is_taken_apart() {
        let uri = Uri::parse("https://app.example:8443/a/b?c=d").unwrap();
        assert_eq!((uri.scheme, uri.host, uri.port), ("https", "app.example", Some("8443")));
        assert_eq!(
            (uri.path, uri.query, uri.is_web(), uri.is_loopback()),
            ("/a/b", Some("c=d"), true, false)
        );
        assert_eq!(uri.origin(), "https://app.example:8443");
        let uri = Uri::parse("com.example.app:/cb").unwrap();
        assert_eq!(
            (uri.host, uri.path, uri.origin().as_str(), uri.is_web()),
            ("", "/cb", "com.example.app:", false)
        );
        assert!(Uri::parse("cursor://anysphere.cursor/oauth").is_ok());
        for text in ["http://127.0.0.1", "http://[::1]:1/", "http://localhost:65535/x?y"] {
            assert!(Uri::parse(text).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn a_host_that_only_looks_like_loopback_is_not() {
        for text in
            ["http://localhost.evil/", "http://127.0.0.1.evil/", "http://evil-localhost/", "http://0.0.0.0/"]
        {
            assert!(!Uri::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "http://localhost./",
            "http://LOCALHOST/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://[::0001]/",
            "http://[::ffff:7f00:1]/",
            "http://[::1/",
            "http://[]/",
            "http://a..b/",
        ] {
            refused(text, UriError::Host);
        }
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for text in [
            "https://h/ x",
            "https://h/\\x",
            "https://h/\u{e9}",
            "https://h\t/",
            "https://h/<",
            "https:\\\\evil",
        ] {
            refused(text, UriError::Character);
        }
        refused("https://h/#f", UriError::Fragment);
        refused("https://u@h/", UriError::Userinfo);
        refused("https://h:p@evil/", UriError::Userinfo);
        for text in ["", "h/path", "//h/", "1a://h", "HTTPS://h/", "://h"] {
            refused(text, UriError::Scheme);
        }
        for text in [
            "https://h:/",
            "https://h:0/",
            "https://h:080/",
            "https://h:65536/",
            "https://h:1:2/",
            "http://[::1]x/",
        ] {
            refused(text, UriError::Port);
        }
        for text in [
            "https://h/../x",
            "https://h/a/./b",
            "https://h/%2e%2E/x",
            "https://h/a%2f..",
            "https://h/.%2e%5cx",
        ] {
            refused(text, UriError::DotSegment);
        }
        refused("https://*.example/", UriError::Wildcard);
    }
}
