//! Redirect URIs: which ones a client may have, and which of them a request may name.
//!
//! A request's URI has to be one of the client's, character for character (RFC 9700 section 2.1). The one exception is the port of a loopback URI,
//! which a native client cannot know beforehand (RFC 8252 section 7.3).

use core::fmt;

use crate::limits;
use crate::uri::{Uri, UriError};

/// Where an answer goes, by how sure one can be who gets it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `https`: whoever has the host's certificate.
    Web,
    /// `http` on a loopback address: whichever program on the user's machine listens there.
    Loopback,
    /// A scheme of its own: whichever program registered it with the user's system.
    PrivateScheme,
}

/// A redirect URI of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    kind: Kind,
    origin: String,
}

/// Why a client cannot have a redirect URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectError {
    /// Longer than [`limits::REDIRECT_URI`].
    TooLong {
        /// Its length.
        length: usize,
    },
    /// Not a URI, or one that parsers read differently.
    Uri(UriError),
    /// `http` elsewhere than on a loopback address: the code would be readable on the way.
    NotSecure {
        /// The host.
        host: String,
    },
    /// A scheme that means code, data or a file to a browser, or one that is no redirection.
    DangerousScheme {
        /// The scheme.
        scheme: String,
    },
    /// A scheme of the client's own, which only a configured client may have: any program can claim one.
    PrivateScheme {
        /// The scheme.
        scheme: String,
    },
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { length } => {
                write!(f, "a redirect URI has {length} bytes, at most {} are allowed", limits::REDIRECT_URI)
            }
            Self::Uri(error) => {
                write!(f, "a redirect URI is not an absolute URI in its plain form: {error:?}")
            }
            Self::NotSecure { host } => {
                write!(f, "a redirect URI is http at `{host}`, which is not loopback")
            }
            Self::DangerousScheme { scheme } => write!(f, "a redirect URI has the scheme `{scheme}`"),
            Self::PrivateScheme { scheme } => {
                write!(f, "a redirect URI has the scheme `{scheme}`, which only a configured client may have")
            }
        }
    }
}

impl core::error::Error for RedirectError {}

/// Schemes that are no private use of a native client, whatever the operator writes.
const DANGEROUS: [&str; 18] = [
    "about",
    "blob",
    "chrome",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "livescript",
    "mailto",
    "ms-its",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

impl RedirectUri {
    /// Reads a URI of any client: `https`, or `http` on loopback.
    ///
    /// # Errors
    ///
    /// [`RedirectError`].
    pub fn parse(text: &str) -> Result<Self, RedirectError> {
        let uri = Self::parse_configured(text)?;
        if uri.kind == Kind::PrivateScheme {
            let scheme = uri.origin.trim_end_matches(':').to_owned();
            let scheme = scheme.split_once("://").map_or(scheme.as_str(), |(scheme, _)| scheme).to_owned();
            return Err(RedirectError::PrivateScheme { scheme });
        }
        Ok(uri)
    }

    /// Reads a URI of a client that the operator configured, which may also have a scheme of its own (RFC 8252 section 7.1).
    ///
    /// # Errors
    ///
    /// [`RedirectError`].
    pub fn parse_configured(text: &str) -> Result<Self, RedirectError> {
        if text.len() > limits::REDIRECT_URI {
            return Err(RedirectError::TooLong { length: text.len() });
        }
        let uri = Uri::parse(text).map_err(RedirectError::Uri)?;
        let kind = match uri.scheme {
            "https" | "http" if uri.host.is_empty() => return Err(RedirectError::Uri(UriError::Host)),
            "https" => Kind::Web,
            "http" if uri.is_loopback() => Kind::Loopback,
            "http" => return Err(RedirectError::NotSecure { host: uri.host.to_owned() }),
            scheme if DANGEROUS.contains(&scheme) => {
                return Err(RedirectError::DangerousScheme { scheme: scheme.to_owned() });
            }
            _ => Kind::PrivateScheme,
        };
        Ok(Self { text: text.to_owned(), kind, origin: uri.origin() })
    }

    /// The URI as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Who can get an answer there.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Scheme, host and port, as shown to people.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What a permission to this URI is remembered for: its origin, without the port where that is free to change.
    #[must_use]
    pub fn audience(&self) -> String {
        match (self.kind, Uri::parse(&self.text)) {
            (Kind::Loopback, Ok(uri)) => format!("http://{}", uri.host),
            _ => self.origin.clone(),
        }
    }

    /// Whether a permission that was given once may stand for the next request. With a loopback address or a private scheme any program of the
    /// user's machine can claim to be the client, so a person has to say yes each time (RFC 8252 section 8.6). An operator who configures a client vouches for
    /// its id, not for who listens there.
    #[must_use]
    pub fn may_be_remembered(&self) -> bool {
        self.kind == Kind::Web
    }

    /// Whether a request may name `asked` for this one.
    pub(crate) fn admits(&self, asked: &Self) -> bool {
        if self.text == asked.text {
            return true;
        }
        let (Ok(own), Ok(other)) = (Uri::parse(&self.text), Uri::parse(&asked.text)) else { return false };
        let loopback = self.kind == Kind::Loopback && asked.kind == Kind::Loopback;
        loopback && (own.host, own.path, own.query) == (other.host, other.path, other.query)
    }

    /// The URI with parameters added to its query (RFC 6749 section 4.1.2), which may have some already.
    pub(crate) fn with(&self, parameters: &[(&str, &str)]) -> String {
        with_query(&self.text, parameters)
    }
}

/// A URI with parameters added to its query.
pub(crate) fn with_query(uri: &str, parameters: &[(&str, &str)]) -> String {
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{uri}{separator}{query}")
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
