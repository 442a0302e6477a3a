//! A client, wherever it is known from: configured by the operator, described by a document at its own URL, or registered.

use core::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::document::{DocumentUrl, DocumentUrlError};
use crate::form::shown;
use crate::limits;
use crate::redirect::{RedirectError, RedirectUri};
use crate::registration;
use crate::settings::Settings;

/// Where a client is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The setting `oauth_clients`: the operator vouches for it.
    Configured,
    /// A Client ID Metadata Document: its id is the document's URL.
    Document,
    /// Dynamic registration: nobody vouches for it.
    Registered,
}

/// SHA-256 of a configured client's secret. The secret itself is nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretDigest([u8; 32]);

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

impl SecretDigest {
    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit) as u8).collect();
        (digits.len() == 64).then_some(())?;
        bytes.try_into().ok().map(Self)
    }

    fn is_of(&self, secret: &SecretString) -> bool {
        let found = Sha256::digest(secret.expose_secret().as_bytes());
        self.0.as_slice().ct_eq(found.as_slice()).into()
    }
}

/// A client of this authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its `client_id`.
    pub id: String,
    /// What it calls itself, fit to be shown; see [`display_name`].
    pub name: Option<String>,
    /// Where answers may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where it is known from.
    pub origin: Origin,
    /// The digest of its secret, if it has one. Without one it is a public client (RFC 6749 section 2.1).
    pub secret: Option<SecretDigest>,
}

/// Why a request is not of the client that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientError {
    /// No `client_id`.
    Missing,
    /// Not printable ASCII without spaces (RFC 6749 appendix A.1), or longer than [`limits::CLIENT_ID`].
    Malformed,
    /// Not configured, not registered (any more), and no URL of a document.
    Unknown {
        /// The id, cut short.
        client_id: String,
    },
    /// The id is a URL at which no client's document can be.
    DocumentUrl(DocumentUrlError),
    /// The id is a URL, but clients are not known by documents here.
    DocumentsOff,
    /// The document's host is not one of those that the setting allows.
    DocumentHost {
        /// The host.
        host: String,
    },
    /// No `redirect_uri`. One is always required: a client with several would be answered at a place it does not mean.
    RedirectMissing,
    /// The `redirect_uri` is one that no client may have.
    Redirect(RedirectError),
    /// The `redirect_uri` is none of the client's.
    RedirectUnknown {
        /// What the request named.
        asked: String,
        /// What the client has.
        known: Vec<String>,
    },
    /// The client has a secret and did not show it.
    SecretMissing,
    /// The client has none, and showed one.
    SecretUnexpected,
    /// Another secret.
    SecretWrong,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the request names no `client_id`"),
            Self::Malformed => f.write_str("the `client_id` is not printable ASCII of a reasonable length"),
            Self::Unknown { client_id } => {
                write!(f, "no client `{client_id}` is configured in `oauth_clients` or registered")
            }
            Self::DocumentUrl(error) => write!(f, "the `client_id` is a URL, but {error}"),
            Self::DocumentsOff => f.write_str(
                "the `client_id` is a URL, and `oauth_client_document_hosts` allows no such client",
            ),
            Self::DocumentHost { host } => {
                write!(f, "`oauth_client_document_hosts` does not allow clients of `{host}`")
            }
            Self::RedirectMissing => f.write_str("the request names no `redirect_uri`"),
            Self::Redirect(error) => write!(f, "{error}"),
            Self::RedirectUnknown { asked, known } => {
                write!(f, "the `redirect_uri` is `{}`, the client has {known:?}", shown(asked))
            }
            Self::SecretMissing => f.write_str("the client did not authenticate itself"),
            Self::SecretUnexpected => f.write_str("the client has no secret and sent one"),
            Self::SecretWrong => f.write_str("the client's secret is wrong"),
        }
    }
}

impl core::error::Error for ClientError {}

/// What a `client_id` says about where the client is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// Known from the settings.
    Known(Box<Client>),
    /// To be fetched from there, or from the cache of such documents: [`crate::document::read`].
    Document(DocumentUrl),
    /// To be read from the store: the record's name. If there is none, the client is [`ClientError::Unknown`];
    /// [`registration::client`] reads it.
    Registered {
        /// Name of the record.
        record: String,
        /// The id.
        client_id: String,
    },
}

/// Finds out where the client is known from.
///
/// # Errors
///
/// [`ClientError`] for an id that no client can have with these settings.
pub fn look_up(client_id: Option<&str>, settings: &Settings) -> Result<Lookup, ClientError> {
    let client_id = client_id.ok_or(ClientError::Missing)?;
    if !is_printable(client_id) {
        return Err(ClientError::Malformed);
    }
    if let Some(client) = settings.clients.iter().find(|client| client.id == client_id) {
        return Ok(Lookup::Known(Box::new(client.clone())));
    }
    if client_id.contains("://") {
        let hosts = settings.document_hosts.as_ref().ok_or(ClientError::DocumentsOff)?;
        let url = DocumentUrl::parse(client_id).map_err(ClientError::DocumentUrl)?;
        return match hosts.admit(url.host()) {
            true => Ok(Lookup::Document(url)),
            false => Err(ClientError::DocumentHost { host: url.host().to_owned() }),
        };
    }
    if settings.registration.is_some() && registration::is_id(client_id) {
        let record = registration::record_name(client_id);
        return Ok(Lookup::Registered { record, client_id: client_id.to_owned() });
    }
    Err(ClientError::Unknown { client_id: shown(client_id) })
}

/// Whether an id is printable ASCII without spaces (RFC 6749 appendix A.1), and no longer than [`limits::CLIENT_ID`].
fn is_printable(client_id: &str) -> bool {
    client_id.len() <= limits::CLIENT_ID && client_id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a client uses the code flow, by what it says about itself. What it does not say is the default (RFC 7591 section 2), which is that flow.
pub(crate) fn uses_code_flow(grant_types: Option<&[String]>, response_types: Option<&[String]>) -> bool {
    let has =
        |list: Option<&[String]>, entry: &str| list.is_none_or(|list| list.iter().any(|it| it == entry));
    has(grant_types, "authorization_code") && has(response_types, "code")
}

impl Client {
    /// The redirect URI that a request may use, given what it names.
    ///
    /// # Errors
    ///
    /// [`ClientError`]. It must be shown to the person and never be sent to the URI (RFC 6749 section 4.1.2.1).
    pub fn redirect(&self, asked: Option<&str>) -> Result<RedirectUri, ClientError> {
        let asked = asked.ok_or(ClientError::RedirectMissing)?;
        let uri = RedirectUri::parse_configured(asked).map_err(ClientError::Redirect)?;
        if self.redirect_uris.iter().any(|own| own.admits(&uri)) {
            return Ok(uri);
        }
        let known = self.redirect_uris.iter().map(|uri| uri.as_str().to_owned()).collect();
        Err(ClientError::RedirectUnknown { asked: shown(asked), known })
    }

    /// Checks the client's secret (RFC 6749 section 2.3.1).
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub fn authenticate(&self, presented: Option<&SecretString>) -> Result<(), ClientError> {
        match (&self.secret, presented) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(ClientError::SecretUnexpected),
            (Some(_), None) => Err(ClientError::SecretMissing),
            (Some(digest), Some(secret)) if digest.is_of(secret) => Ok(()),
            (Some(_), Some(_)) => Err(ClientError::SecretWrong),
        }
    }
}

/// A stranger's name for itself as it may be shown: one line without control or formatting characters (which could turn the text around
/// it), cut at [`limits::CLIENT_NAME`]. None if nothing is left.
#[must_use]
pub fn display_name(claimed: &str) -> Option<String> {
    let formatting = |c: char| {
        matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let plain: String = claimed
        .chars()
        .take(4 * limits::CLIENT_NAME)
        .filter(|c| !c.is_control() && !formatting(*c))
        .collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = words.chars().take(limits::CLIENT_NAME).collect();
    (!name.trim().is_empty()).then_some(name)
}

/// An entry of the setting `oauth_clients`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Configured {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    client_secret_sha256: Option<String>,
}

impl Configured {
    /// The client, or what is wrong with the entry.
    pub(crate) fn into_client(self) -> Result<Client, String> {
        let id = self.client_id;
        if id.is_empty() || !is_printable(&id) {
            return Err(format!("`{}` is not a client id", shown(&id)));
        }
        if !(1..=limits::REDIRECT_URIS).contains(&self.redirect_uris.len()) {
            return Err(format!("client `{id}` needs 1 to {} `redirect_uris`", limits::REDIRECT_URIS));
        }
        let parse = |uri: &String| {
            RedirectUri::parse_configured(uri)
                .map_err(|error| format!("client `{id}`, `{}`: {error}", shown(uri)))
        };
        let redirect_uris = self.redirect_uris.iter().map(parse).collect::<Result<_, _>>()?;
        let secret = match &self.client_secret_sha256 {
            None => None,
            Some(hex) => Some(SecretDigest::parse(hex).ok_or_else(|| {
                format!("`client_secret_sha256` of client `{id}` is not 64 hexadecimal digits")
            })?),
        };
        let name = self.client_name.as_deref().and_then(display_name);
        Ok(Client { id, name, redirect_uris, origin: Origin::Configured, secret })
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
