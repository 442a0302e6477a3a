//! `[oauth]`: where clients get their tokens.

use std::collections::BTreeSet;

use super::OauthMode;
use super::derive::Reader;
use super::file::{File, OauthFile, Rule};
use super::read::ConfigError;

/// The permission that `graph-tools` needs for the profile.
const USER_READ: &str = "https://graph.microsoft.com/User.Read";

/// For how long a session can be refreshed, in seconds: 30 days.
const SESSION_LIFETIME: u32 = 30 * 24 * 3600;

/// A key, and whether it is set.
type Set = (&'static str, bool);

/// Keys that only our own sessions have a use for.
fn of_sessions(oauth: &OauthFile) -> [Set; 9] {
    [
        ("oauth.clients", !oauth.clients.is_empty()),
        ("oauth.client_document_hosts", !oauth.client_document_hosts.is_empty()),
        ("oauth.client_documents_at_private_addresses", oauth.client_documents_at_private_addresses),
        ("oauth.registrations", oauth.registrations.is_some()),
        ("oauth.sign_in_scopes", oauth.sign_in_scopes.is_some()),
        ("oauth.access_token_lifetime", oauth.access_token_lifetime.is_some()),
        ("oauth.refresh_token_lifetime", oauth.refresh_token_lifetime.is_some()),
        ("oauth.consent_lifetime", oauth.consent_lifetime.is_some()),
        ("oauth.signing_key_file", oauth.signing_key_file.is_some()),
    ]
}

impl Reader<'_> {
    /// The settings of whoever issues tokens. Names as in `docs/configuration.md`.
    pub(super) fn oauth(&self, file: &File) -> Result<Vec<(&'static str, String)>, ConfigError> {
        let oauth = &file.oauth;
        match oauth.mode {
            OauthMode::Direct => {
                let of_both = [
                    ("oauth.scopes", oauth.scopes.is_some()),
                    ("oauth.registration_redirects", !oauth.registration_redirects.is_empty()),
                ];
                self.idle(&of_both, "direct")?;
                self.idle(&of_sessions(oauth), "direct")?;
                Ok(vec![("oauth_mode", "direct".to_owned())])
            }
            OauthMode::Facade => {
                self.idle(&of_sessions(oauth), "facade")?;
                self.facade(file)
            }
            OauthMode::Session => self.session(file),
        }
    }

    /// What stands before a scope where clients ask for it.
    pub(super) fn scope_prefix(&self, file: &File, public_url: &str) -> Result<String, ConfigError> {
        if file.oauth.unmatched_resource && file.oauth.mode != OauthMode::Direct {
            return Err(self.key(
                "oauth.unmatched_resource",
                "does nothing unless oauth.mode is \"direct\": in the other modes Entra gets no `resource`; leave it out",
            ));
        }
        match (file.oauth.mode, &file.scopes.prefix) {
            (OauthMode::Session, _) => Ok(String::new()),
            // Nobody sends Entra a `resource` here, so any identifier URI does; this one every application can have.
            (OauthMode::Facade, None) => Ok(format!("api://{}/", file.entra.client_id)),
            (OauthMode::Facade, Some(prefix)) => Ok(prefix.clone()),
            (OauthMode::Direct, prefix) => {
                let prefix = self.direct_prefix(file, prefix.as_deref(), public_url)?;
                self.direct_audiences(file, &prefix)?;
                Ok(prefix)
            }
        }
    }

    /// Tokens that clients get for scopes with this prefix have the client id as `aud`, or in version 1 the identifier URI that the scopes begin with. A list without
    /// both refuses everybody who got a token in the way that our metadata say, and lets in who has one for something else.
    fn direct_audiences(&self, file: &File, prefix: &str) -> Result<(), ConfigError> {
        let (client_id, uri) = (file.entra.client_id.as_str(), prefix.trim_end_matches('/'));
        let is_ours = |audience: &String| audience == client_id || audience.trim_end_matches('/') == uri;
        match &file.entra.audiences {
            Some(audiences) if file.server.public_url.is_some() && !audiences.iter().any(is_ours) => {
                Err(self.key(
                    "entra.audiences",
                    &format!(
                        "has neither `{client_id}`, the `aud` of tokens of version 2, nor `{uri}`, that of version 1: nobody could call. \
                         Add the one that your registration gives, or leave entra.audiences out for the client id"
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// The same where clients ask Entra themselves. They send the public URL as `resource` (RFC 8707 section 2), and Entra accepts that only if it is the
    /// identifier URI that the scopes begin with, character for character (AADSTS9010010). So another prefix lets nobody in, unless no client sends it.
    fn direct_prefix(
        &self,
        file: &File,
        prefix: Option<&str>,
        public_url: &str,
    ) -> Result<String, ConfigError> {
        let matching = format!("{public_url}/");
        let prefix = prefix.unwrap_or(&matching);
        // Without a public URL there are no clients that could send it.
        let unmatched = file.server.public_url.is_some() && prefix != matching;
        match (unmatched, file.oauth.unmatched_resource) {
            (true, false) => Err(self.key(
                "scopes.prefix",
                &format!(
                    "is `{prefix}`, and server.public_url is `{public_url}`: clients send that URL as `resource`, which Entra refuses (AADSTS9010010) \
                     unless it is what scopes begin with. Leave scopes.prefix out and make the URL the Application ID URI, or set oauth.mode to \"session\" \
                     or \"facade\". If your clients send no `resource`, set oauth.unmatched_resource = true"
                ),
            )),
            (false, true) => Err(self.key(
                "oauth.unmatched_resource",
                &match file.server.public_url {
                    Some(_) => format!("is true, and scopes begin with `{prefix}`, which is no other than server.public_url; leave it out"),
                    None => "is true, and without server.public_url nothing has to match; leave it out".to_owned(),
                },
            )),
            _ => Ok(prefix.to_owned()),
        }
    }

    /// Settings that would do nothing in this mode, which nobody who writes them means.
    fn idle(&self, keys: &[Set], mode: &str) -> Result<(), ConfigError> {
        match keys.iter().find(|(_, set)| *set) {
            None => Ok(()),
            Some((key, _)) => Err(self.key(
                key,
                &format!("does nothing where oauth.mode is \"{mode}\"; leave it out, or set oauth.mode to \"session\""),
            )),
        }
    }

    /// What clients may ask for.
    fn scopes(&self, file: &File) -> Result<String, ConfigError> {
        let scopes = file.oauth.scopes.clone().unwrap_or_else(|| named_scopes(file));
        if scopes.is_empty() {
            return Err(self.key(
                "oauth.scopes",
                "is empty, and no rule names a scope: without one a token of this server would be for nothing",
            ));
        }
        Ok(scopes.join(" "))
    }

    fn https(&self, file: &File) -> Result<(), ConfigError> {
        if file.server.public_url.as_ref().is_some_and(|url| url.scheme() == "https") {
            return Ok(());
        }
        Err(self.key("server.public_url", "has to be https unless oauth.mode is \"direct\""))
    }

    /// Codes are redeemed with our credential, so nobody could sign in without.
    fn credential(&self, file: &File) -> Result<(), ConfigError> {
        if file.entra.client_secret_file.is_some() || self.variables.contains_key("VALET_CLIENT_SECRET") {
            return Ok(());
        }
        Err(self.key(
            "entra.client_secret_file",
            "or VALET_CLIENT_SECRET is missing: with it this server redeems what Entra gives for a sign-in",
        ))
    }

    fn facade(&self, file: &File) -> Result<Vec<(&'static str, String)>, ConfigError> {
        self.https(file)?;
        self.credential(file)?;
        Ok(vec![
            ("oauth_mode", "facade".to_owned()),
            ("issuer", origin(file)),
            ("oauth_scopes", self.scopes(file)?),
            ("oauth_registration_redirects", file.oauth.registration_redirects.join(" ")),
            ("sign_in_tenant", sign_in_tenant(file)),
        ])
    }

    fn session(&self, file: &File) -> Result<Vec<(&'static str, String)>, ConfigError> {
        let (oauth, entra) = (&file.oauth, &file.entra);
        self.https(file)?;
        self.credential(file)?;
        if oauth.registrations.is_some() && oauth.registration_redirects.is_empty() {
            return Err(self.key("oauth.registrations", "does nothing without oauth.registration_redirects"));
        }
        if file.scopes.prefix.is_some() {
            return Err(self.key(
                "scopes.prefix",
                "is for tokens of Entra; where oauth.mode is \"session\" scopes have no prefix",
            ));
        }
        for (key, there) in
            [("entra.audiences", entra.audiences.is_some()), ("entra.clients", entra.clients.is_some())]
        {
            if there {
                return Err(self.key(
                    key,
                    "is a rule for tokens of Entra, which are not accepted where oauth.mode is \"session\"; leave it out",
                ));
            }
        }
        let sign_in_scopes = oauth.sign_in_scopes.clone().unwrap_or_else(|| vec![USER_READ.to_owned()]);
        if sign_in_scopes.is_empty() {
            return Err(self.key("oauth.sign_in_scopes", "is empty; leave it out for User.Read"));
        }
        let number = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
        Ok(vec![
            ("oauth_mode", "session".to_owned()),
            ("issuer", origin(file)),
            ("oauth_scopes", self.scopes(file)?),
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
            ("sign_in_tenant", sign_in_tenant(file)),
            ("sign_in_scopes", sign_in_scopes.join(" ")),
        ])
    }
}

/// Where people sign in. Whoever has several tenants lets Entra find out which one a person belongs to.
fn sign_in_tenant(file: &File) -> String {
    match file.entra.tenants.as_deref() {
        None => file.entra.tenant.clone(),
        Some([tenant]) => tenant.clone(),
        Some(_) => "organizations".to_owned(),
    }
}

fn clients(oauth: &OauthFile) -> String {
    serde_json::to_string(&oauth.clients).expect("texts serialise")
}

/// Every scope that a rule names, once.
pub(super) fn named_scopes(file: &File) -> Vec<String> {
    let rules = file.tools.values().chain(file.resources.values()).chain(file.prompts.values());
    let named: BTreeSet<&String> = rules.flat_map(|Rule { scopes, .. }| scopes).collect();
    named.into_iter().cloned().collect()
}

/// Scheme, host and port: the issuer identifier.
fn origin(file: &File) -> String {
    file.server.public_url.as_ref().map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}
