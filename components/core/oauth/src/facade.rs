//! The stateless way to connect: clients get metadata from us, and tokens from Entra by way of us.
//!
//! What stands between them and Entra is taken out: `resource`, which Entra refuses unless it is the application's own URI (AADSTS9010010), is
//! compared with ours and dropped; scopes are given the prefix without which Entra takes them for Graph's (AADSTS650053). What has no name here is dropped as well, so that nobody
//! can ask Entra with our credential for anything but the code and refresh grants of the one client.

use secrecy::SecretString;
use serde::Serialize;

use crate::authorize::{AuthorizeError, check_resource};
use crate::client::ClientError;
use crate::form::{Form, shown};
use crate::http::Response;
use crate::pkce::Challenge;
use crate::redirect::with_query;
use crate::route;
use crate::scope::{self, ScopeError};
use crate::settings::{self, Settings, SettingsError};
use crate::token::TokenError;

/// What the façade needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facade {
    /// What it has in common with the other mode. There are no clients of our own in it.
    pub settings: Settings,
    /// `client_id`: the application at Entra that all clients use.
    pub client_id: String,
}

/// Parameters that Entra's authorization endpoint gets as they are, where they are there (Microsoft identity platform, authorization code flow).
const FORWARDED: [&str; 9] = [
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "login_hint",
    "domain_hint",
    "claims",
];

impl Facade {
    /// Reads the settings through `lookup`.
    ///
    /// # Errors
    ///
    /// The first setting that is missing or malformed.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let client_id = lookup("client_id").filter(|id| !id.trim().is_empty());
        let client_id = client_id.ok_or(SettingsError::Missing("client_id"))?;
        let settings = settings::read_common(lookup)?;
        if settings.scope_prefix.is_empty() {
            // Entra would take the scopes for Graph's.
            return Err(SettingsError::Missing("scope_prefix"));
        }
        Ok(Self { settings, client_id })
    }

    /// The metadata: as RFC 8414 has it, with what Entra's own lacks. No `iss` is promised, because Entra answers the client itself and sends none.
    #[must_use]
    pub fn metadata(&self) -> Response {
        #[derive(Serialize)]
        struct Metadata<'a> {
            issuer: &'a str,
            authorization_endpoint: String,
            token_endpoint: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            registration_endpoint: Option<String>,
            scopes_supported: Vec<String>,
            response_types_supported: [&'static str; 1],
            response_modes_supported: [&'static str; 1],
            grant_types_supported: [&'static str; 2],
            token_endpoint_auth_methods_supported: [&'static str; 1],
            code_challenge_methods_supported: [&'static str; 1],
        }
        let settings = &self.settings;
        let metadata = Metadata {
            issuer: &settings.issuer,
            authorization_endpoint: settings.url(route::AUTHORIZE),
            token_endpoint: settings.url(route::TOKEN),
            registration_endpoint: settings.registration.as_ref().map(|_| settings.url(route::REGISTER)),
            scopes_supported: settings.scopes.iter().map(|scope| self.qualified(scope)).collect(),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            token_endpoint_auth_methods_supported: ["none"],
            code_challenge_methods_supported: ["S256"],
        };
        Response::document(serde_json::to_string(&metadata).expect("texts and lists serialise"))
    }

    /// Where a client's authorization request goes: `endpoint` is Entra's. Entra answers the client directly, and checks its redirect URI.
    ///
    /// # Errors
    ///
    /// [`AuthorizeError`], to be shown to the person ([`crate::authorize::Refusal::Page`]): nothing is known of redirect URIs here.
    pub fn authorize(&self, form: &Form, endpoint: &str) -> Result<String, AuthorizeError> {
        self.check_client(form).map_err(AuthorizeError::Client)?;
        let response_type = form.get("response_type").unwrap_or_default();
        if response_type != "code" {
            return Err(AuthorizeError::ResponseType { found: shown(response_type) });
        }
        Challenge::read(form.get("code_challenge"), form.get("code_challenge_method"))
            .map_err(AuthorizeError::Challenge)?;
        check_resource(form.get("resource"), &self.settings)
            .map_err(|found| AuthorizeError::Resource { found, own: self.settings.resource.clone() })?;
        let scope = self.scopes(form.get("scope")).map_err(AuthorizeError::Scope)?;
        let mut parameters = vec![
            ("client_id", self.client_id.as_str()),
            ("response_type", "code"),
            ("response_mode", "query"),
            ("scope", &scope),
        ];
        parameters.extend(FORWARDED.iter().filter_map(|name| Some((*name, form.get(name)?))));
        Ok(with_query(endpoint, &parameters))
    }

    /// The body for Entra's token endpoint. Whoever holds the credential appends it, and only to this.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn token(&self, content_type: Option<&str>, body: &[u8]) -> Result<SecretString, TokenError> {
        let form = Form::post(content_type, body).map_err(TokenError::Form)?;
        self.check_client(&form).map_err(TokenError::Client)?;
        let grant = form.get("grant_type").ok_or(TokenError::Parameter("grant_type"))?;
        let presented: &[&'static str] = match grant {
            "authorization_code" => &["code", "redirect_uri", "code_verifier"],
            "refresh_token" => &["refresh_token"],
            found => return Err(TokenError::GrantType { found: shown(found) }),
        };
        let own = &self.settings.resource;
        check_resource(form.get("resource"), &self.settings)
            .map_err(|found| TokenError::Resource { found, own: own.clone() })?;
        let scope = self
            .scopes(form.get("scope"))
            .map_err(|error| TokenError::Refresh(crate::refresh::RefreshError::Scope(error)))?;
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.append_pair("grant_type", grant)
            .append_pair("client_id", &self.client_id)
            .append_pair("scope", &scope);
        for name in presented {
            // Entra's codes and refresh tokens have a kilobyte or two; the form as a whole is bounded.
            out.append_pair(name, form.get(name).ok_or(TokenError::Parameter(name))?);
        }
        Ok(out.finish().into())
    }

    /// The answer to a registration: every client gets the id of the one application, if its redirect URIs are listed.
    ///
    /// # Errors
    ///
    /// [`crate::registration::RegistrationError`].
    pub fn register(
        &self,
        content_type: Option<&str>,
        body: &[u8],
        now: u64,
    ) -> Result<Response, crate::registration::RegistrationError> {
        let rules = self.settings.registration.as_ref();
        crate::registration::answer_with(rules, content_type, body, &self.client_id, now)
    }

    fn check_client(&self, form: &Form) -> Result<(), ClientError> {
        match form.get("client_id") {
            None => Err(ClientError::Missing),
            Some(found) if found == self.client_id => Ok(()),
            Some(found) => Err(ClientError::Unknown { client_id: shown(found) }),
        }
    }

    /// Scopes as Entra knows them, with `offline_access` so that there is a refresh token.
    fn scopes(&self, asked: Option<&str>) -> Result<String, ScopeError> {
        let scopes = scope::narrow(asked, &self.settings.scopes, &self.settings)?;
        let mut scopes: Vec<String> = scopes.iter().map(|scope| self.qualified(scope)).collect();
        scopes.push(scope::OFFLINE_ACCESS.to_owned());
        Ok(scopes.join(" "))
    }

    fn qualified(&self, scope: &str) -> String {
        format!("{}{scope}", self.settings.scope_prefix)
    }
}

#[cfg(test)]
#[path = "facade_tests.rs"]
mod tests;
