//! Dynamic client registration (RFC 7591), for clients that know no other way. Off unless the operator lists redirect URIs.
//!
//! Whoever asks is registered, so a registration proves nothing: it has no secret, ends by itself, and what it may redirect to is the operator's list. The
//! number of registrations is bounded, and an address has so many in a minute ([`crate::refused::counts`]).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::client::{Client, Origin, display_name, uses_code_flow};
use crate::error::Code;
use crate::form::shown;
use crate::http::{Response, essence};
use crate::limits;
use crate::redirect::{Kind, RedirectError, RedirectUri};
use crate::secret::{self, RandomId};
use crate::settings::Registration;

/// What ids of registered clients begin with, so that they are told from configured ones.
const PREFIX: &str = "registered-";

/// Why a client is not registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationError {
    /// Registration is off.
    Off,
    /// Not `application/json`.
    MediaType(String),
    /// Longer than [`limits::REGISTRATION`], or not one JSON object with members of the right types, each once.
    Json,
    /// As many clients are registered as may be.
    Full {
        /// How many.
        most: u64,
    },
    /// No redirect URI, or more than [`limits::REDIRECT_URIS`].
    RedirectUris(usize),
    /// A redirect URI that no such client may have.
    Redirect(RedirectError),
    /// A redirect URI that the operator did not list.
    NotListed {
        /// The URI, cut short.
        uri: String,
    },
    /// A web application with a redirect URI on the user's machine (OIDC Dynamic Registration section 2).
    ApplicationType {
        /// The URI, cut short.
        uri: String,
    },
    /// It says that it does not use the code flow.
    Grants,
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("clients cannot register themselves here"),
            Self::MediaType(found) => write!(f, "the registration has the media type `{found}`"),
            Self::Json => f.write_str("the registration is not the JSON that it has to be"),
            Self::Full { most } => {
                write!(f, "{most} clients are registered, as many as `oauth_registrations` allows")
            }
            Self::RedirectUris(count) => write!(f, "the registration has {count} redirect URIs"),
            Self::Redirect(error) => write!(f, "in the registration, {error}"),
            Self::NotListed { uri } => write!(f, "`oauth_registration_redirects` does not list `{uri}`"),
            Self::ApplicationType { uri } => write!(f, "a web application cannot have `{uri}`"),
            Self::Grants => f.write_str("the registration leaves out the authorization code grant"),
        }
    }
}

impl core::error::Error for RegistrationError {}

impl RegistrationError {
    /// The answer (RFC 7591 section 3.2.2).
    #[must_use]
    pub fn response(&self) -> Response {
        let (status, code) = match self {
            Self::Off => (404, Code::InvalidRequest),
            Self::MediaType(_) => (415, Code::InvalidClientMetadata),
            Self::Full { .. } => (503, Code::TemporarilyUnavailable),
            Self::RedirectUris(_)
            | Self::Redirect(_)
            | Self::NotListed { .. }
            | Self::ApplicationType { .. } => (400, Code::InvalidRedirectUri),
            Self::Json | Self::Grants => (400, Code::InvalidClientMetadata),
        };
        Response::error(status, code, self.hint())
    }

    /// What the client is told.
    fn hint(&self) -> &'static str {
        match self {
            Self::Off => "registration is off",
            Self::MediaType(_) => "the body has to be application/json",
            Self::Full { .. } => "too many clients are registered, try again later",
            Self::RedirectUris(_) | Self::Redirect(_) => "redirect_uris has to list https or loopback URIs",
            Self::NotListed { .. } => "a redirect URI is not allowed here",
            Self::ApplicationType { .. } => "application_type does not fit a redirect URI",
            Self::Json => "the registration cannot be read",
            Self::Grants => "only the authorization code grant is offered",
        }
    }
}

/// What a client says about itself. Other members are ignored (RFC 7591 section 2).
#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    application_type: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
}

/// What is kept about a registered client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "r")]
    redirect_uris: Vec<String>,
}

/// A client that is registered if there is room for its record.
#[derive(Debug)]
pub struct Registered {
    /// Name of the record to be written, for [`limits::REGISTRATION_UNUSED_LIFETIME`]. When the client gets its first code, the record is
    /// written again for [`limits::REGISTRATION_LIFETIME`]: a flood of registrations takes the places of others for an hour at most.
    pub record: String,
    /// The record.
    pub value: Vec<u8>,
    response: Response,
    most: u64,
}

impl Registered {
    /// The answer, once the record is written; `count` is how many there are with it.
    ///
    /// Of many who are registered at once each may have been told that there is room. So all are counted again after they have written theirs: whoever of those
    /// that stay wrote last counts all of them, and there are never more than `most`. Where they come for the last places, fewer may stay.
    ///
    /// # Errors
    ///
    /// [`RegistrationError::Full`]: the record has to be removed.
    pub fn answer(self, count: u64) -> Result<Response, RegistrationError> {
        if count > self.most {
            return Err(RegistrationError::Full { most: self.most });
        }
        Ok(self.response)
    }
}

/// A registration that the rules allow, if there is room for it.
#[derive(Debug)]
pub struct Candidate<'r> {
    rules: &'r Registration,
    record: Record,
}

/// Decides about a registration, before anything is counted or kept for it.
///
/// # Errors
///
/// [`RegistrationError`], but for [`RegistrationError::Full`].
pub fn check<'r>(
    rules: Option<&'r Registration>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Candidate<'r>, RegistrationError> {
    read(rules, content_type, body).map(|(rules, record)| Candidate { rules, record })
}

impl Candidate<'_> {
    /// How far clients have to be counted: to the first that is too many.
    #[must_use]
    pub fn count_to(&self) -> u64 {
        self.rules.most.saturating_add(1)
    }

    /// What has to be kept of it. `count` is how many clients are registered without it, `id` random, `now` in seconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`RegistrationError::Full`].
    pub fn register(self, count: u64, id: &RandomId, now: u64) -> Result<Registered, RegistrationError> {
        let Self { rules, record } = self;
        if count >= rules.most {
            return Err(RegistrationError::Full { most: rules.most });
        }
        let client_id = format!("{PREFIX}{}", secret::id(id));
        Ok(Registered {
            record: record_name(&client_id),
            value: serde_json::to_vec(&record).expect("texts serialise"),
            response: answer(&client_id, &record, now),
            most: rules.most,
        })
    }
}

/// The answer to a registration after which every client has one and the same id, and nothing is kept.
pub(crate) fn answer_with(
    rules: Option<&Registration>,
    content_type: Option<&str>,
    body: &[u8],
    client_id: &str,
    now: u64,
) -> Result<Response, RegistrationError> {
    read(rules, content_type, body).map(|(_, record)| answer(client_id, &record, now))
}

/// Reads a registration that the rules allow.
fn read<'r>(
    rules: Option<&'r Registration>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<(&'r Registration, Record), RegistrationError> {
    let rules = rules.ok_or(RegistrationError::Off)?;
    if !essence(content_type).eq_ignore_ascii_case("application/json") {
        return Err(RegistrationError::MediaType(shown(content_type.unwrap_or_default())));
    }
    if body.len() > limits::REGISTRATION {
        return Err(RegistrationError::Json);
    }
    let request: Request = serde_json::from_slice(body).map_err(|_| RegistrationError::Json)?;
    let redirect_uris = redirect_uris(&request, rules)?;
    if !uses_code_flow(request.grant_types.as_deref(), request.response_types.as_deref()) {
        return Err(RegistrationError::Grants);
    }
    let name = request.client_name.as_deref().and_then(display_name);
    Ok((rules, Record { name, redirect_uris }))
}

fn redirect_uris(request: &Request, rules: &Registration) -> Result<Vec<String>, RegistrationError> {
    let uris = &request.redirect_uris;
    if !(1..=limits::REDIRECT_URIS).contains(&uris.len()) {
        return Err(RegistrationError::RedirectUris(uris.len()));
    }
    for text in uris {
        let uri = RedirectUri::parse(text).map_err(RegistrationError::Redirect)?;
        let loopback = uri.kind() == Kind::Loopback;
        if !is_listed(&uri, rules) {
            return Err(RegistrationError::NotListed { uri: shown(text) });
        }
        if loopback && request.application_type.as_deref() == Some("web") {
            return Err(RegistrationError::ApplicationType { uri: shown(text) });
        }
    }
    Ok(uris.clone())
}

/// Whether the operator's list has a redirect URI.
fn is_listed(uri: &RedirectUri, rules: &Registration) -> bool {
    (uri.kind() == Kind::Loopback && rules.loopback)
        || rules.redirect_uris.iter().any(|listed| listed.admits(uri))
}

/// The client information response (RFC 7591 section 3.2.1): what was registered, which may differ from what was asked for. There is no secret, so the
/// authentication method is always `none`.
fn answer(client_id: &str, record: &Record, now: u64) -> Response {
    #[derive(Serialize)]
    struct Information<'a> {
        client_id: &'a str,
        client_id_issued_at: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_name: Option<&'a str>,
        redirect_uris: &'a [String],
        token_endpoint_auth_method: &'static str,
        grant_types: [&'static str; 2],
        response_types: [&'static str; 1],
    }
    let information = Information {
        client_id,
        client_id_issued_at: now,
        client_name: record.name.as_deref(),
        redirect_uris: &record.redirect_uris,
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
    };
    Response::json(201, &information)
}

/// Whether a text has the form of ids given by [`Candidate::register`].
#[must_use]
pub fn is_id(client_id: &str) -> bool {
    client_id.strip_prefix(PREFIX).is_some_and(|rest| secret::is_base64url(rest, 22))
}

/// Name of the record of a registered client. All begin with `client/`, by which they are counted.
#[must_use]
pub fn record_name(client_id: &str) -> String {
    format!("client/{client_id}")
}

/// Reads the record of a registered client; none for what is no record. It keeps those redirect URIs that the operator lists still.
#[must_use]
pub fn client(client_id: &str, record: &[u8], rules: &Registration) -> Option<Client> {
    let record: Record = serde_json::from_slice(record).ok()?;
    let uris = record.redirect_uris.iter().filter_map(|uri| RedirectUri::parse(uri).ok());
    let redirect_uris: Vec<RedirectUri> = uris.filter(|uri| is_listed(uri, rules)).collect();
    if redirect_uris.is_empty() {
        return None;
    }
    Some(Client {
        id: client_id.to_owned(),
        name: record.name,
        redirect_uris,
        origin: Origin::Registered,
        secret: None,
    })
}

#[cfg(test)]
#[path = "registration_tests.rs"]
mod tests;
