//! The authorization request (RFC 6749 section 4.1.1, with RFC 7636, 8707 and 9207): read in the order of trust.
//!
//! First the client and its redirect URI: what is wrong there is shown to the person and sent nowhere. Only then the rest, whose faults the client is told
//! at that URI.

use core::fmt;

use crate::client::{Client, Origin};
use crate::error::Code;
use crate::form::{Form, shown};
use crate::http::Response;
use crate::limits;
use crate::page;
use crate::pkce::Challenge;
use crate::redirect::{Kind, RedirectUri};
use crate::scope;
use crate::settings::{Hosts, Settings};

mod error;

pub use error::AuthorizeError;

/// What a client asks for, and may. Its `state` does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect: RedirectUri,
    /// What for, as tokens will have it.
    pub scopes: Vec<String>,
    /// What the code will be bound to.
    pub challenge: Challenge,
    /// The client's `state`, to be returned unchanged.
    pub state: Option<String>,
    /// `prompt=consent` (OIDC Core section 3.1.2.1): a remembered permission does not do.
    pub ask_again: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client_id, redirect, scopes, .. } = self;
        write!(f, "Request({client_id}, {}, {scopes:?})", redirect.origin())
    }
}

/// A refusal, by who is told and how. Locations have the client's `state` in them and do not print.
#[derive(Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The person, because there is no client to be told.
    Page(AuthorizeError),
    /// The client, at its redirect URI.
    Redirect {
        /// Why.
        error: AuthorizeError,
        /// The redirect URI with the error.
        location: String,
    },
    /// The person, with a link to the client: anybody may be a client here, and its redirect URI is anywhere. Going there without a question
    /// would make this server an open redirector (RFC 9700 section 4.11.2).
    Link {
        /// Why.
        error: AuthorizeError,
        /// The redirect URI with the error.
        location: String,
    },
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = match self {
            Self::Page(_) => "Page",
            Self::Redirect { .. } => "Redirect",
            Self::Link { .. } => "Link",
        };
        f.debug_tuple(told).field(self.error()).finish()
    }
}

impl Refusal {
    /// Why.
    #[must_use]
    pub fn error(&self) -> &AuthorizeError {
        match self {
            Self::Page(error) | Self::Redirect { error, .. } | Self::Link { error, .. } => error,
        }
    }

    /// The answer. `correlation_id` is the request's own number.
    #[must_use]
    pub fn response(&self, correlation_id: &str) -> Response {
        match self {
            Self::Page(error) => page::authorize_error(error, None, correlation_id),
            Self::Redirect { location, .. } => Response::redirect(location.clone()),
            Self::Link { error, location } => page::authorize_error(error, Some(location), correlation_id),
        }
    }
}

impl Request {
    /// Reads a request of `client`, which [`crate::client::look_up`] found by the form's `client_id`.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn read(form: &Form, client: &Client, settings: &Settings) -> Result<Self, Refusal> {
        let redirect = client
            .redirect(form.get("redirect_uri"))
            .map_err(|error| Refusal::Page(AuthorizeError::Client(error)))?;
        Self::read_rest(form, client, redirect.clone(), settings)
            .map_err(|error| refuse(error, client, &redirect, form.get("state"), settings))
    }

    /// What follows once it is known where faults can be told.
    fn read_rest(
        form: &Form,
        client: &Client,
        redirect: RedirectUri,
        settings: &Settings,
    ) -> Result<Self, AuthorizeError> {
        let response_type = form.get("response_type").unwrap_or_default();
        if response_type != "code" {
            return Err(AuthorizeError::ResponseType { found: shown(response_type) });
        }
        if let Some(mode) = form.get("response_mode").filter(|mode| *mode != "query") {
            return Err(AuthorizeError::ResponseMode { found: shown(mode) });
        }
        if form.get("request").or(form.get("request_uri")).is_some() {
            return Err(AuthorizeError::RequestObject);
        }
        let state = form.get("state");
        if let Some(state) = state {
            let printable = state.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            if state.len() > limits::STATE || !printable {
                return Err(AuthorizeError::State { length: state.len() });
            }
        }
        let challenge = Challenge::read(form.get("code_challenge"), form.get("code_challenge_method"))
            .map_err(AuthorizeError::Challenge)?;
        check_resource(form.get("resource"), settings)
            .map_err(|found| AuthorizeError::Resource { found, own: settings.resource.clone() })?;
        let scopes =
            scope::narrow(form.get("scope"), &settings.scopes, settings).map_err(AuthorizeError::Scope)?;
        let prompts = |word| form.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|it| it == word));
        if prompts("none") {
            return Err(AuthorizeError::PromptNone);
        }
        Ok(Self {
            client_id: client.id.clone(),
            redirect,
            scopes,
            challenge,
            state: state.map(str::to_owned),
            ask_again: prompts("consent"),
        })
    }

    /// The refusal of a request that turned out not to fit into a cookie, see [`crate::transaction::Transaction::to_plain`].
    #[must_use]
    pub fn too_large(&self, size: usize, client: &Client, settings: &Settings) -> Refusal {
        refuse(AuthorizeError::TooLarge { size }, client, &self.redirect, self.state.as_deref(), settings)
    }
}

/// A `resource` is ours or absent: there is one resource, and tokens always name it. The error is what was found.
pub(crate) fn check_resource(found: Option<&str>, settings: &Settings) -> Result<(), String> {
    match found {
        Some(found) if found != settings.resource => Err(shown(found)),
        _ => Ok(()),
    }
}

fn refuse(
    error: AuthorizeError,
    client: &Client,
    redirect: &RedirectUri,
    state: Option<&str>,
    settings: &Settings,
) -> Refusal {
    let location = error_location(redirect, error.code(), error.hint(), state, settings);
    let anybody = client.origin == Origin::Document && settings.document_hosts == Some(Hosts::Any);
    if anybody && redirect.kind() == Kind::Web {
        Refusal::Link { error, location }
    } else {
        Refusal::Redirect { error, location }
    }
}

/// A redirect URI with an error (RFC 6749 section 4.1.2.1) and our issuer (RFC 9207 section 2).
pub(crate) fn error_location(
    redirect: &RedirectUri,
    code: Code,
    description: &str,
    state: Option<&str>,
    settings: &Settings,
) -> String {
    let mut parameters = vec![("error", code.as_str()), ("error_description", description)];
    parameters.extend(state.map(|state| ("state", state)));
    parameters.push(("iss", &settings.issuer));
    redirect.with(&parameters)
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
