//! Host names with ports, and web origins: read strictly, written one way, so that comparing them is comparing text.
//! No resolution, no IDNA (configuration gives the ASCII form).

/// What is wrong with a host or an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A host with an optional port, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    /// `host` or `host:port`; port 443 is left out, being implied by `https`.
    pub(crate) text: String,
    /// The host alone is a loopback name.
    pub(crate) loopback: bool,
}

impl Authority {
    /// Reads `host[:port]` (RFC 9110 section 7.2), the host being a name, an IPv4 address or `[IPv6]`.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let (host, port) = split(text)?;
        let well_formed = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
            // An underscore is in no host name but in many container networks.
            None => {
                !host.is_empty()
                    && host
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            }
        };
        if !well_formed || host.len() > 255 {
            return Err(Malformed);
        }
        let mut text = host.to_ascii_lowercase();
        let loopback = matches!(text.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        if let Some(port) = port.filter(|port| *port != "443") {
            text.push(':');
            text.push_str(port);
        }
        Ok(Self { text, loopback })
    }
}

/// A web origin `scheme://host[:port]` (RFC 6454 section 6.2), in lower case and without a default port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The one way of writing it.
    pub(crate) text: String,
    /// An `http` or `https` origin on a loopback name.
    pub(crate) loopback: bool,
}

impl Origin {
    /// Reads an origin. `null`, a path, user information and several origins are malformed.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let (scheme, rest) = text.split_once("://").ok_or(Malformed)?;
        let scheme = scheme.to_ascii_lowercase();
        // Desktop clients have origins such as `vscode-webview://…`; only the characters are judged here.
        let well_formed = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !well_formed {
            return Err(Malformed);
        }
        let (host, port) = split(rest)?;
        let Authority { text: host, loopback } = Authority::parse(host)?;
        let mut text = format!("{scheme}://{host}");
        let default = match scheme.as_str() {
            "https" => Some("443"),
            "http" => Some("80"),
            _ => None,
        };
        if let Some(port) = port.filter(|port| Some(*port) != default) {
            text.push(':');
            text.push_str(port);
        }
        Ok(Self { text, loopback: loopback && default.is_some() })
    }
}

/// Host and port of `host[:port]`; a port is one to five digits that make a number below 65536.
fn split(text: &str) -> Result<(&str, Option<&str>), Malformed> {
    let after_host = match text.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(Malformed)? + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(after_host).ok_or(Malformed)?;
    let Some(port) = rest.strip_prefix(':') else {
        return if rest.is_empty() { Ok((host, None)) } else { Err(Malformed) };
    };
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    if digits && port.parse::<u16>().is_ok() { Ok((host, Some(port))) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_one_way() {
        let check = |text, expected: &str| assert_eq!(Authority::parse(text).unwrap().text, expected);
        check("mcp.example.com", "mcp.example.com");
        check("MCP.Example.COM:443", "mcp.example.com");
        check("mcp.example.com:8443", "mcp.example.com:8443");
        check("[::1]:3000", "[::1]:3000");
        check("127.0.0.1:1", "127.0.0.1:1");
    }

    #[test]
    fn malformed_hosts_are_refused() {
        for text in [
            "", ":", ":80", "a:", "a:0", "a:080", "a:65536", "a:1:2", "a b", "a/b", "a@b", "a,b", "[::1",
            "[]", "[::1]x", "[a]", "a?b", "a#b", "a\\b", "é", "[é]", "::1",
        ] {
            assert_eq!(Authority::parse(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn only_loopback_names_are_loopback() {
        for (text, expected) in [
            ("localhost", true),
            ("LOCALHOST:8080", true),
            ("127.0.0.1:9", true),
            ("[::1]", true),
            ("localhost.evil.example", false),
            ("evil-localhost", false),
            ("127.0.0.1.evil.example", false),
            ("0.0.0.0", false),
            ("localhost.", false),
        ] {
            assert_eq!(Authority::parse(text).unwrap().loopback, expected, "{text}");
        }
    }

    #[test]
    fn origins_are_written_one_way_and_strictly_read() {
        let check = |text, expected: &str| assert_eq!(Origin::parse(text).unwrap().text, expected);
        check("https://App.Example.com", "https://app.example.com");
        check("https://app.example.com:443", "https://app.example.com");
        check("http://localhost:80", "http://localhost");
        check("http://app.example.com:443", "http://app.example.com:443");
        check("https://app.example.com:80", "https://app.example.com:80");
        check("vscode-webview://0abc", "vscode-webview://0abc");
        for text in
            ["null", "", "https://", "https://a/", "https://u@a", "https://a https://b", "//a", "1a://b"]
        {
            assert_eq!(Origin::parse(text), Err(Malformed), "{text}");
        }
    }
}
