//! What a request to the MCP endpoint must look like before anyone is authenticated: method, `Host`, `Origin`,
//! `Content-Type`, `Accept`. It does not look at the token (`bearer`) or into the body (`reader`).
//!
//! These are the rules that keep a web page in a user's browser from using a server that the browser can reach: DNS
//! rebinding shows as a foreign `Host`, a cross-site request as a foreign `Origin`, and a request without preflight
//! can only carry `text/plain` or a form.

use crate::authority::{Authority, Origin};
use crate::fields::{self, Field};
use crate::limits;

/// Which hosts and origins a server answers to. From configuration; never from a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportRules {
    hosts: Vec<String>,
    origins: Vec<String>,
    loopback: bool,
}

/// Why the lists of a configuration are not rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesError {
    /// The host list is empty: such a server would answer nobody. For a local one, say so with
    /// [`TransportRules::loopback`].
    NoHosts,
    /// Not `host` or `host:port`: a URL, a wildcard, or a name in Unicode.
    InvalidHost(String),
    /// Not `scheme://host[:port]`: a path, a wildcard, or `null`.
    InvalidOrigin(String),
}

impl core::fmt::Display for RulesError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoHosts => write!(f, "the list of allowed hosts is empty"),
            Self::InvalidHost(host) => write!(f, "`{host}` is not of the form `host` or `host:port`"),
            Self::InvalidOrigin(origin) => {
                write!(f, "`{origin}` is not of the form `https://host` or `https://host:port`")
            }
        }
    }
}

impl core::error::Error for RulesError {}

impl TransportRules {
    /// Rules for a server that is reached under `hosts` (`host` or `host:port`; port 443 may be left out), and that
    /// web pages of `origins` may call. No origin at all is a fine answer: other programs send none.
    ///
    /// # Errors
    ///
    /// [`RulesError`] for the first entry that can match nothing, and for an empty host list.
    pub fn parse<'a>(
        hosts: impl IntoIterator<Item = &'a str>,
        origins: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RulesError> {
        let hosts = hosts
            .into_iter()
            .map(|host| match Authority::parse(host) {
                Ok(authority) => Ok(authority.text),
                Err(_) => Err(RulesError::InvalidHost(host.to_owned())),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if hosts.is_empty() {
            return Err(RulesError::NoHosts);
        }
        let origins = origins
            .into_iter()
            .map(|origin| match Origin::parse(origin) {
                Ok(parsed) => Ok(parsed.text),
                Err(_) => Err(RulesError::InvalidOrigin(origin.to_owned())),
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { hosts, origins, loopback: false })
    }

    /// Rules for a server on this machine only: `localhost`, `127.0.0.1` and `[::1]` with any port, as host and as
    /// origin.
    #[must_use]
    pub const fn loopback() -> Self {
        Self { hosts: Vec::new(), origins: Vec::new(), loopback: true }
    }

    /// The same rules, and loopback names with any port as well. For a server that is reached both ways.
    #[must_use]
    pub fn and_loopback(self) -> Self {
        Self { loopback: true, ..self }
    }

    /// Judges the head of a request. `method` in upper case, header names in lower case.
    ///
    /// The order is that of trust: who is asking (host, origin) before what (method, types).
    ///
    /// # Errors
    ///
    /// The first rule that is broken. The fault knows its status.
    pub fn check(&self, method: &str, headers: &[(String, String)]) -> Result<(), TransportFault> {
        self.check_host(headers)?;
        self.check_origin(headers)?;
        // MCP `basic/transports/streamable-http#sending-messages`: POST only. A legacy GET opens a stream and a
        // DELETE ends a session; we have neither, and 405 is how each revision says so.
        if method != "POST" {
            return Err(TransportFault::MethodNotAllowed { method: clip(method) });
        }
        check_content_type(headers)?;
        check_accept(headers)
    }

    /// RFC 9112 section 3.2: exactly one `Host`. Ours must be in it, or a rebound DNS name would do.
    pub(crate) fn check_host(&self, headers: &[(String, String)]) -> Result<(), TransportFault> {
        let host = match fields::field(headers, "host") {
            Field::Absent => return Err(TransportFault::MissingHost),
            Field::Repeated => return Err(TransportFault::RepeatedHost),
            Field::Once(host) => host,
        };
        match Authority::parse(host) {
            Err(_) => Err(TransportFault::MalformedHost { host: clip(host) }),
            Ok(found) if self.loopback && found.loopback => Ok(()),
            Ok(found) if self.hosts.contains(&found.text) => Ok(()),
            Ok(_) => Err(TransportFault::HostNotAllowed { host: clip(host) }),
        }
    }

    /// MCP `basic/transports/streamable-http#security--endpoint`: present and invalid is 403; absent is fine, since
    /// only browsers send it.
    pub(crate) fn check_origin(&self, headers: &[(String, String)]) -> Result<(), TransportFault> {
        let origin = match fields::field(headers, "origin") {
            Field::Absent => return Ok(()),
            Field::Repeated => return Err(TransportFault::RepeatedOrigin),
            Field::Once(origin) => origin,
        };
        match Origin::parse(origin) {
            Ok(found) if self.loopback && found.loopback => Ok(()),
            Ok(found) if self.origins.contains(&found.text) => Ok(()),
            // `null` (a sandboxed frame, a local file) is malformed to us and thus refused like any stranger.
            _ => Err(TransportFault::OriginNotAllowed { origin: clip(origin) }),
        }
    }
}

/// A rule of the transport that a request broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportFault {
    /// 405, with `Allow: POST`.
    MethodNotAllowed {
        /// What was asked for.
        method: String,
    },
    /// 400: no `Host`.
    MissingHost,
    /// 400: several `Host` fields, of which two parties may read different ones.
    RepeatedHost,
    /// 400: not a host name.
    MalformedHost {
        /// The value.
        host: String,
    },
    /// 403: not a name of this server. If it should be one, it is missing in the list of allowed hosts.
    HostNotAllowed {
        /// The value.
        host: String,
    },
    /// 403: several `Origin` fields.
    RepeatedOrigin,
    /// 403: `null`, malformed, or not in the list of allowed origins.
    OriginNotAllowed {
        /// The value.
        origin: String,
    },
    /// 415: the body is not declared as `application/json`, or several times.
    UnsupportedMediaType {
        /// The value, if there is exactly one.
        content_type: Option<String>,
    },
    /// 415: the body is compressed. Nobody compresses a request of this size but to hide its real one.
    UnsupportedContentEncoding {
        /// The value.
        encoding: String,
    },
    /// 406: the client refuses JSON, and we answer in nothing else.
    NotAcceptable {
        /// The first value.
        accept: String,
    },
}

impl TransportFault {
    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::MissingHost | Self::RepeatedHost | Self::MalformedHost { .. } => 400,
            Self::HostNotAllowed { .. } | Self::RepeatedOrigin | Self::OriginNotAllowed { .. } => 403,
            Self::MethodNotAllowed { .. } => 405,
            Self::NotAcceptable { .. } => 406,
            Self::UnsupportedMediaType { .. } | Self::UnsupportedContentEncoding { .. } => 415,
        }
    }

    /// What the caller is told: the rule, and never the lists it is checked against.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        match self {
            Self::MethodNotAllowed { .. } => "Method not allowed: use POST",
            Self::MissingHost => "Host header missing",
            Self::RepeatedHost => "More than one Host header",
            Self::MalformedHost { .. } => "Host header malformed",
            Self::HostNotAllowed { .. } => "Host not allowed",
            Self::RepeatedOrigin => "More than one Origin header",
            Self::OriginNotAllowed { .. } => "Origin not allowed",
            Self::UnsupportedMediaType { .. } => "Content-Type must be application/json",
            Self::UnsupportedContentEncoding { .. } => "Content-Encoding is not supported",
            Self::NotAcceptable { .. } => "Accept must admit application/json",
        }
    }
}

impl core::fmt::Display for TransportFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message())?;
        match self {
            Self::MethodNotAllowed { method: value }
            | Self::MalformedHost { host: value }
            | Self::HostNotAllowed { host: value }
            | Self::OriginNotAllowed { origin: value }
            | Self::UnsupportedMediaType { content_type: Some(value) }
            | Self::UnsupportedContentEncoding { encoding: value }
            | Self::NotAcceptable { accept: value } => write!(f, " (got {value:?})"),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for TransportFault {}

/// RFC 9110 section 8.3: one media type, here `application/json` with any parameters. JSON has no charset but UTF-8
/// (RFC 8259 section 8.1), which the reader of the body checks.
fn check_content_type(headers: &[(String, String)]) -> Result<(), TransportFault> {
    if let Some(encoding) =
        fields::all(headers, "content-encoding").find(|it| !it.eq_ignore_ascii_case("identity"))
    {
        return Err(TransportFault::UnsupportedContentEncoding { encoding: clip(encoding) });
    }
    let Field::Once(value) = fields::field(headers, "content-type") else {
        return Err(TransportFault::UnsupportedMediaType { content_type: None });
    };
    let media_type = value.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(TransportFault::UnsupportedMediaType { content_type: Some(clip(value)) })
    }
}

/// Whether the client takes server-sent events. MCP asks clients to list both types; one that names JSON alone gets its
/// answers whole.
#[must_use]
pub fn accepts_event_stream(headers: &[(String, String)]) -> bool {
    // A client that accepts anything by a wildcard is not known to understand events.
    fields::field(headers, "accept") != Field::Absent && accepted(headers, "text", "event-stream", 2).1.1
}

fn check_accept(headers: &[(String, String)]) -> Result<(), TransportFault> {
    match accepted(headers, "application", "json", 0) {
        (None, _) | (Some(_), (_, true)) => Ok(()),
        (Some(accept), _) => Err(TransportFault::NotAcceptable { accept: clip(accept) }),
    }
}

/// RFC 9110 section 12.5.1: the most specific range that covers a media type decides, `q=0` excludes, and no field at all
/// admits everything. Gives the first field, and how specific the deciding range is (3 to 1) with what it says; ranges
/// below `least` decide nothing.
fn accepted<'a>(
    headers: &'a [(String, String)],
    kind: &str,
    subtype: &str,
    least: u8,
) -> (Option<&'a str>, (u8, bool)) {
    let mut first = None;
    let mut best = (least, false);
    for value in fields::all(headers, "accept") {
        first = first.or(Some(value));
        if value.len() > limits::NEGOTIATION_VALUE {
            break;
        }
        for range in value.split(',') {
            let mut parts = range.split(';').map(|part| part.trim_matches([' ', '\t']));
            let media_range = parts.next().unwrap_or_default();
            let specificity = match media_range.split_once('/') {
                Some((it, rest)) if it.eq_ignore_ascii_case(kind) && rest.eq_ignore_ascii_case(subtype) => 3,
                Some((it, "*")) if it.eq_ignore_ascii_case(kind) => 2,
                Some(("*", "*")) => 1,
                _ => continue,
            };
            if specificity >= best.0 {
                best = (specificity, !parts.any(is_zero_quality));
            }
        }
    }
    (first, best)
}

/// `q=0`, `q=0.`, `q=0.000` (RFC 9110 section 12.4.2).
fn is_zero_quality(parameter: &str) -> bool {
    parameter
        .split_once('=')
        .filter(|(name, _)| name.trim_end().eq_ignore_ascii_case("q"))
        .is_some_and(|(_, value)| value.trim_start().bytes().all(|byte| matches!(byte, b'0' | b'.')))
}

/// At most [`limits::ECHO`] characters of a caller's text, for a fault.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(limits::ECHO).collect()
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
