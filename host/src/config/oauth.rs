//! `[oauth]`: where clients get their tokens.

use std::collections::BTreeSet;

use url::Url;

use super::file::{File, Mode, OauthFile, Rule};
use super::read::{ConfigError, Reader};
use super::OauthMode;

/// The permission that `graph-tools` needs for the profile.
const USER_READ: &str = "https://graph.microsoft.com/User.Read";

/// For how long a session can be refreshed, in seconds: 30 days.
const SESSION_LIFETIME: u32 = 30 * 24 * 3600;

impl From<Mode> for OauthMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Direct => Self::Direct,
            Mode::Session => Self::Session,
        }
    }
}

impl Reader<'_> {
    /// The settings of whoever issues tokens. Names as in `docs/configuration.md`.
    pub(super) fn oauth(&self, file: &File) -> Result<Vec<(&'static str, String)>, ConfigError> {
        let oauth = &file.oauth;
        match oauth.mode {
            Mode::Direct => {
                self.nothing_of_ours(oauth)?;
                Ok(vec![("oauth_mode", "direct".to_owned())])
            }
            Mode::Session => self.session(file),
        }
    }

    /// With Entra as the authorization server, settings of ours would do nothing, which nobody who writes them means.
    fn nothing_of_ours(&self, oauth: &OauthFile) -> Result<(), ConfigError> {
        let idle = [
            ("oauth.clients", !oauth.clients.is_empty()),
            ("oauth.client_document_hosts", !oauth.client_document_hosts.is_empty()),
            ("oauth.registration_redirects", !oauth.registration_redirects.is_empty()),
            ("oauth.registrations", oauth.registrations.is_some()),
            ("oauth.scopes", oauth.scopes.is_some()),
            ("oauth.sign_in_scopes", oauth.sign_in_scopes.is_some()),
            ("oauth.access_token_lifetime", oauth.access_token_lifetime.is_some()),
            ("oauth.refresh_token_lifetime", oauth.refresh_token_lifetime.is_some()),
            ("oauth.consent_lifetime", oauth.consent_lifetime.is_some()),
        ];
        match idle.iter().find(|(_, there)| *there) {
            None => Ok(()),
            Some((key, _)) => {
                Err(self.key(key, "is for our own authorization server; set oauth.mode to \"session\", or leave it out"))
            }
        }
    }

    fn session(&self, file: &File) -> Result<Vec<(&'static str, String)>, ConfigError> {
        let (oauth, entra) = (&file.oauth, &file.entra);
        let url = &file.server.public_url;
        if url.scheme() != "https" {
            return Err(self.key("server.public_url", "has to be https where oauth.mode is \"session\""));
        }
        if file.scopes.prefix.is_some() {
            return Err(self.key(
                "scopes.prefix",
                "is for tokens of Entra; where oauth.mode is \"session\" scopes have no prefix",
            ));
        }
        for (key, there) in [("entra.audiences", entra.audiences.is_some()), ("entra.clients", entra.clients.is_some())] {
            if there {
                return Err(self.key(
                    key,
                    "is a rule for tokens of Entra, which are not accepted where oauth.mode is \"session\"; leave it out",
                ));
            }
        }
        let scopes = match &oauth.scopes {
            Some(scopes) => scopes.clone(),
            None => named_scopes(file),
        };
        if scopes.is_empty() {
            return Err(self.key(
                "oauth.scopes",
                "is empty, and no rule names a scope: without one a token of this server would be for nothing",
            ));
        }
        let sign_in_scopes = oauth.sign_in_scopes.clone().unwrap_or_else(|| vec![USER_READ.to_owned()]);
        if sign_in_scopes.is_empty() {
            return Err(self.key("oauth.sign_in_scopes", "is empty; leave it out for User.Read"));
        }
        // Whoever has several tenants lets Entra find out which one a person belongs to.
        let one = entra.tenants.as_ref().is_none_or(|tenants| tenants.len() == 1);
        let tenant = match (one, &entra.tenants) {
            (true, Some(tenants)) => tenants[0].clone(),
            (true, None) => entra.tenant.clone(),
            (false, _) => "organizations".to_owned(),
        };
        let number = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
        Ok(vec![
            ("oauth_mode", "session".to_owned()),
            ("issuer", origin(url)),
            ("oauth_scopes", scopes.join(" ")),
            ("oauth_clients", if oauth.clients.is_empty() { String::new() } else { clients(oauth) }),
            ("oauth_client_document_hosts", oauth.client_document_hosts.join(" ")),
            ("oauth_registration_redirects", oauth.registration_redirects.join(" ")),
            ("oauth_registrations", number(oauth.registrations)),
            ("oauth_access_token_lifetime", number(oauth.access_token_lifetime)),
            (
                "oauth_refresh_token_lifetime",
                oauth.refresh_token_lifetime.unwrap_or(SESSION_LIFETIME).to_string(),
            ),
            ("oauth_consent_lifetime", number(oauth.consent_lifetime)),
            ("sign_in_tenant", tenant),
            ("sign_in_scopes", sign_in_scopes.join(" ")),
        ])
    }
}

fn clients(oauth: &OauthFile) -> String {
    serde_json::to_string(&oauth.clients).expect("texts serialise")
}

/// Every scope that a rule names, once.
fn named_scopes(file: &File) -> Vec<String> {
    let rules = file.tools.values().chain(file.resources.values()).chain(file.prompts.values());
    let named: BTreeSet<&String> = rules.flat_map(|Rule { scopes, .. }| scopes).collect();
    named.into_iter().cloned().collect()
}

/// Scheme, host and port: the issuer identifier.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
