//! The authorization server's settings, read from flat names as in `docs/configuration.md`.
//!
//! No default lets anybody in: without `oauth_clients`, `oauth_client_document_hosts` and `oauth_registration_redirects` there is no client at all, and
//! that is an error.

use core::fmt;
use core::ops::RangeInclusive;

use crate::client::{Client, Configured};
use crate::limits;
use crate::redirect::RedirectUri;
use crate::uri::{self, Uri};

/// The settings of an authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The issuer identifier (RFC 8414 section 2): the origin of the public URL.
    pub issuer: String,
    /// `resource`: the public URL of the MCP endpoint, the only resource that tokens are for.
    pub resource: String,
    /// `oauth_scopes`: what clients may ask for, in the order of the setting. All are given where a request names none.
    pub scopes: Vec<String>,
    /// `scope_prefix`: what may stand before a scope where clients ask for it. It is taken off, and never stands in a token.
    pub scope_prefix: String,
    /// `oauth_clients`: clients that are known beforehand.
    pub clients: Vec<Client>,
    /// `oauth_client_document_hosts`: whose Client ID Metadata Documents are taken; none for nobody's.
    pub document_hosts: Option<Hosts>,
    /// `oauth_registration_redirects` and `oauth_registrations`: dynamic registration, if it is on.
    pub registration: Option<Registration>,
    /// `oauth_access_token_lifetime`, in seconds; 600 if that is not set.
    pub access_token_lifetime: u64,
    /// `oauth_refresh_token_lifetime`: how long after the sign-in it can be refreshed, in seconds; 30 days if that is not set.
    pub refresh_token_lifetime: u64,
    /// `oauth_consent_lifetime`: how long a permission is remembered, in seconds; 90 days if that is not set, 0 for never.
    pub consent_lifetime: u64,
}

/// Hosts whose documents are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// `*`: every host.
    Any,
    /// These and no others; a name stands for itself alone.
    Listed(Vec<String>),
}

impl Hosts {
    /// Whether documents of `host` are taken.
    #[must_use]
    pub fn admit(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(hosts) => hosts.iter().any(|listed| listed == host),
        }
    }
}

/// Dynamic registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Redirect URIs that a client may register, character for character.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it may register any loopback URI: the word `loopback` in the setting.
    pub loopback: bool,
    /// How many clients may be registered at the same time; 1000 if `oauth_registrations` is not set.
    pub most: u64,
}

/// A setting that is missing or is not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsError {
    /// It has no value, and there is no default.
    Missing(&'static str),
    /// Its value is not what it has to be.
    Malformed {
        /// Its name.
        setting: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// No client could ever sign in.
    NoClients,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(setting) => write!(f, "setting `{setting}` is missing"),
            Self::Malformed { setting, reason } => write!(f, "setting `{setting}`: {reason}"),
            Self::NoClients => f.write_str(
                "no client can sign in: set `oauth_clients`, `oauth_client_document_hosts` or `oauth_registration_redirects`",
            ),
        }
    }
}

impl core::error::Error for SettingsError {}

impl Settings {
    /// Reads the settings through `lookup`. A blank value is one that nobody set.
    ///
    /// # Errors
    ///
    /// The first setting that is missing or malformed.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let settings = read_common(lookup)?;
        let nobody = settings.clients.is_empty()
            && settings.document_hosts.is_none()
            && settings.registration.is_none();
        if nobody { Err(SettingsError::NoClients) } else { Ok(settings) }
    }

    /// A URL below the issuer; `path` begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

/// The settings without the rule that there has to be a client.
pub(crate) fn read_common(lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, SettingsError> {
    let lookup = |name: &'static str| lookup(name).filter(|value| !value.trim().is_empty());
    let required = |name: &'static str| lookup(name).ok_or(SettingsError::Missing(name));
    let resource = required("resource")?;
    Ok(Settings {
        issuer: issuer(&resource)?,
        resource,
        scopes: scopes(&required("oauth_scopes")?)?,
        scope_prefix: lookup("scope_prefix").unwrap_or_default(),
        clients: lookup("oauth_clients").map_or(Ok(Vec::new()), |json| clients(&json))?,
        document_hosts: lookup("oauth_client_document_hosts").map(|text| hosts(&text)).transpose()?,
        registration: registration(lookup)?,
        access_token_lifetime: number(
            lookup,
            "oauth_access_token_lifetime",
            600,
            limits::ACCESS_TOKEN_LIFETIME,
        )?,
        refresh_token_lifetime: number(
            lookup,
            "oauth_refresh_token_lifetime",
            30 * 24 * 3600,
            limits::REFRESH_TOKEN_LIFETIME,
        )?,
        consent_lifetime: number(lookup, "oauth_consent_lifetime", 90 * 24 * 3600, limits::CONSENT_LIFETIME)?,
    })
}

fn malformed(setting: &'static str, reason: impl Into<String>) -> SettingsError {
    SettingsError::Malformed { setting, reason: reason.into() }
}

/// The origin of the public URL. `https` without exception: our cookies are `Secure`, and clients take no other issuer.
fn issuer(resource: &str) -> Result<String, SettingsError> {
    match Uri::parse(resource) {
        // Browsers leave the default port out of `Origin`.
        Ok(Uri { port: Some("443"), .. }) => Err(malformed("resource", "leave out the port 443")),
        Ok(uri) if uri.scheme == "https" && uri.is_web() && uri.query.is_none() => Ok(uri.origin()),
        _ => Err(malformed("resource", "not an https URL without query and fragment, in lower case")),
    }
}

fn scopes(text: &str) -> Result<Vec<String>, SettingsError> {
    let mut scopes: Vec<String> = Vec::new();
    for scope in text.split_whitespace() {
        if !crate::scope::is_token(scope) || scope == crate::scope::OFFLINE_ACCESS {
            return Err(malformed("oauth_scopes", format!("`{scope}` is not a scope that can be offered")));
        }
        if scopes.iter().any(|known| known == scope) {
            return Err(malformed("oauth_scopes", format!("`{scope}` is there twice")));
        }
        scopes.push(scope.to_owned());
    }
    if scopes.len() > limits::SCOPES {
        return Err(malformed("oauth_scopes", format!("more than {} scopes", limits::SCOPES)));
    }
    Ok(scopes)
}

fn clients(json: &str) -> Result<Vec<Client>, SettingsError> {
    let fault = |reason: String| malformed("oauth_clients", reason);
    let entries: Vec<Configured> = serde_json::from_str(json).map_err(|error| fault(error.to_string()))?;
    let mut clients: Vec<Client> = Vec::with_capacity(entries.len());
    for entry in entries {
        let client = entry.into_client().map_err(fault)?;
        if clients.iter().any(|known| known.id == client.id) {
            return Err(fault(format!("client `{}` is there twice", client.id)));
        }
        clients.push(client);
    }
    Ok(clients)
}

fn hosts(text: &str) -> Result<Hosts, SettingsError> {
    if text.trim() == "*" {
        return Ok(Hosts::Any);
    }
    let listed: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    match listed.iter().find(|host| !uri::is_name(host)) {
        None => Ok(Hosts::Listed(listed)),
        Some(host) => Err(malformed(
            "oauth_client_document_hosts",
            format!("`{host}` is neither a host name nor `*` alone"),
        )),
    }
}

fn registration(
    lookup: impl Fn(&'static str) -> Option<String>,
) -> Result<Option<Registration>, SettingsError> {
    let Some(text) = lookup("oauth_registration_redirects") else { return Ok(None) };
    let (words, uris): (Vec<_>, Vec<_>) = text.split_whitespace().partition(|entry| *entry == "loopback");
    let parse = |uri: &&str| {
        RedirectUri::parse(uri)
            .map_err(|error| malformed("oauth_registration_redirects", format!("`{uri}`: {error}")))
    };
    Ok(Some(Registration {
        redirect_uris: uris.iter().map(parse).collect::<Result<_, _>>()?,
        loopback: !words.is_empty(),
        most: number(lookup, "oauth_registrations", 1000, limits::REGISTRATIONS)?,
    }))
}

/// A number within a range.
fn number(
    lookup: impl Fn(&'static str) -> Option<String>,
    setting: &'static str,
    default: u64,
    range: RangeInclusive<u64>,
) -> Result<u64, SettingsError> {
    let Some(text) = lookup(setting) else { return Ok(default) };
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        malformed(setting, format!("`{text}` is not a number from {} to {}", range.start(), range.end()))
    })
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
