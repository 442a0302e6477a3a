//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document, which MCP `basic/authorization` prefers): a client whose id is the URL of
//! a document about it.
//!
//! The URL is a stranger's, and it is fetched. What it may look like is decided here; that its host is no private address is decided by whoever dials it,
//! after the name is resolved. Redirections are not followed: they would be another URL, and the draft forbids it.

use core::fmt;

use serde::Deserialize;

use crate::client::{Client, Origin, display_name, uses_code_flow};
use crate::limits;
use crate::redirect::{RedirectError, RedirectUri};
use crate::uri::{Uri, UriError, is_name};

/// A URL at which a client's document may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentUrl {
    text: String,
    host: String,
}

/// Why a URL cannot be a client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentUrlError {
    /// Not a URI, or one that parsers read differently.
    Uri(UriError),
    /// Not `https`.
    Scheme,
    /// The host is an address, or a name without a dot: nobody in public has a certificate for that.
    Host,
    /// Another port than 443. A document is no way to reach services of all kinds.
    Port,
    /// No path beyond `/`: a whole site is no client.
    Path,
    /// A query: two texts could be one document.
    Query,
}

impl fmt::Display for DocumentUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(error) => write!(f, "not one in its plain form: {error:?}"),
            Self::Scheme => f.write_str("not of https"),
            Self::Host => f.write_str("its host is no public name"),
            Self::Port => f.write_str("it has a port"),
            Self::Path => f.write_str("it has no path"),
            Self::Query => f.write_str("it has a query"),
        }
    }
}

impl DocumentUrl {
    /// Reads a `client_id` as the URL of a document.
    ///
    /// # Errors
    ///
    /// [`DocumentUrlError`].
    pub fn parse(client_id: &str) -> Result<Self, DocumentUrlError> {
        let uri = Uri::parse(client_id).map_err(DocumentUrlError::Uri)?;
        match uri {
            Uri { scheme, .. } if scheme != "https" => Err(DocumentUrlError::Scheme),
            Uri { host, .. } if !is_name(host) || !host.contains('.') => Err(DocumentUrlError::Host),
            Uri { port: Some(_), .. } => Err(DocumentUrlError::Port),
            Uri { path: "" | "/", .. } => Err(DocumentUrlError::Path),
            Uri { query: Some(_), .. } => Err(DocumentUrlError::Query),
            Uri { host, .. } => Ok(Self { text: client_id.to_owned(), host: host.to_owned() }),
        }
    }

    /// The URL to fetch with `Accept: application/json`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The client as far as the token endpoint needs to know it: it is public, whatever else its document says. So a client can refresh its tokens while its
    /// site is down.
    #[must_use]
    pub fn public_client(&self) -> Client {
        Client {
            id: self.text.clone(),
            name: None,
            redirect_uris: Vec::new(),
            origin: Origin::Document,
            secret: None,
        }
    }

    /// Name of the record in which the document is kept.
    #[must_use]
    pub fn record_name(&self) -> String {
        format!("document/{}", crate::secret::digest(&self.text))
    }

    /// Name of the record that says, for [`limits::DOCUMENT_FAILURE_LIFETIME`], that the document could not be had or is none. Apart from the documents, so that failures
    /// take no room of theirs.
    #[must_use]
    pub fn failure_name(&self) -> String {
        format!("no-document/{}", crate::secret::digest(&self.text))
    }
}

/// Why an answer is not the document of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentError {
    /// Another status than 200.
    Status(u16),
    /// Not JSON by its media type.
    MediaType(String),
    /// Longer than [`limits::DOCUMENT`].
    TooLong {
        /// Its length as far as it was read.
        length: usize,
    },
    /// Not one JSON object with members of the right types, each once.
    Json,
    /// Its `client_id` is not the URL at which it is.
    ClientId {
        /// What it says, cut short.
        found: String,
    },
    /// It has a secret in it, which everybody can read.
    Secret,
    /// It wants to authenticate itself in a way that is not offered here.
    AuthMethod(String),
    /// No redirect URI that it may have, or more than [`limits::REDIRECT_URIS`].
    RedirectUris(usize),
    /// A redirect URI that no client may have.
    Redirect(RedirectError),
    /// It says that it does not use the code flow.
    Grants,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the client's document was answered with status {status}"),
            Self::MediaType(found) => write!(f, "the client's document has the media type `{found}`"),
            Self::TooLong { length } => {
                write!(
                    f,
                    "the client's document has {length} bytes or more, at most {} are read",
                    limits::DOCUMENT
                )
            }
            Self::Json => f.write_str("the client's document is not the JSON that it has to be"),
            Self::ClientId { found } => write!(f, "the client's document is about `{found}`"),
            Self::Secret => f.write_str("the client's document has a secret in it"),
            Self::AuthMethod(method) => {
                write!(
                    f,
                    "the client's document has the `token_endpoint_auth_method` `{method}`, and only `none` is taken"
                )
            }
            Self::RedirectUris(count) => {
                write!(f, "the client's document has {count} redirect URIs that it may have")
            }
            Self::Redirect(error) => write!(f, "in the client's document, {error}"),
            Self::Grants => f.write_str("the client's document leaves out the authorization code grant"),
        }
    }
}

impl core::error::Error for DocumentError {}

#[derive(Deserialize)]
struct Document {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_secret: Option<serde::de::IgnoredAny>,
    client_secret_expires_at: Option<serde::de::IgnoredAny>,
}

/// Reads a document that was fetched from `url`, or kept.
///
/// # Errors
///
/// [`DocumentError`].
pub fn read(url: &DocumentUrl, body: &[u8]) -> Result<Client, DocumentError> {
    if body.len() > limits::DOCUMENT {
        return Err(DocumentError::TooLong { length: body.len() });
    }
    let document: Document = serde_json::from_slice(body).map_err(|_| DocumentError::Json)?;
    if document.client_id != url.text {
        return Err(DocumentError::ClientId { found: crate::form::shown(&document.client_id) });
    }
    if document.client_secret.is_some() || document.client_secret_expires_at.is_some() {
        return Err(DocumentError::Secret);
    }
    // RFC 7591 section 2 has a secret as the default, which a document cannot have: absent is the same as `none`.
    // A client that prefers another and can do without says so in a list.
    let offers_none = |list: &Vec<String>| list.iter().any(|method| method == "none");
    if let Some(method) = document.token_endpoint_auth_method.filter(|method| method != "none")
        && !document.token_endpoint_auth_methods_supported.as_ref().is_some_and(offers_none)
    {
        return Err(DocumentError::AuthMethod(crate::form::shown(&method)));
    }
    if !uses_code_flow(document.grant_types.as_deref(), document.response_types.as_deref()) {
        return Err(DocumentError::Grants);
    }
    let mut redirect_uris = Vec::new();
    for uri in &document.redirect_uris {
        match RedirectUri::parse(uri) {
            Ok(uri) => redirect_uris.push(uri),
            // Left out rather than refused: editors list theirs beside the https and loopback ones that they use elsewhere.
            Err(RedirectError::PrivateScheme { .. }) => {}
            Err(error) => return Err(DocumentError::Redirect(error)),
        }
    }
    if !(1..=limits::REDIRECT_URIS).contains(&redirect_uris.len()) {
        return Err(DocumentError::RedirectUris(redirect_uris.len()));
    }
    Ok(Client {
        id: document.client_id,
        name: document.client_name.as_deref().and_then(display_name),
        redirect_uris,
        origin: Origin::Document,
        secret: None,
    })
}

/// Checks status and media type of the answer of `url`, before its body is read with [`read`].
///
/// # Errors
///
/// [`DocumentError::Status`] and [`DocumentError::MediaType`].
pub fn check_answer(status: u16, content_type: Option<&str>) -> Result<(), DocumentError> {
    if status != 200 {
        return Err(DocumentError::Status(status));
    }
    let essence = crate::http::essence(content_type).to_ascii_lowercase();
    let json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json {
        Ok(())
    } else {
        Err(DocumentError::MediaType(crate::form::shown(content_type.unwrap_or_default())))
    }
}

/// How long a document is kept, by its `Cache-Control` (RFC 9111 section 5.2.2), in seconds.
#[must_use]
pub fn lifetime(cache_control: Option<&str>) -> u64 {
    let directives = cache_control.unwrap_or_default().to_ascii_lowercase();
    let mut age = limits::DOCUMENT_LIFETIME_LEAST;
    for directive in directives.split(',').map(str::trim) {
        match directive.split_once('=') {
            Some(("max-age", seconds)) => age = seconds.trim_matches('"').parse().unwrap_or(0),
            None if matches!(directive, "no-store" | "no-cache") => return limits::DOCUMENT_LIFETIME_LEAST,
            _ => {}
        }
    }
    age.clamp(limits::DOCUMENT_LIFETIME_LEAST, limits::DOCUMENT_LIFETIME_MOST)
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
