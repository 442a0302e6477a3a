//! The authorization request (RFC 6749 section 4.1.1, with RFC 7636, 8707 and 9207): read in the order of trust.
//!
//! First the client and its redirect URI: what is wrong there is shown to the person and sent nowhere. Only then the rest, whose faults the client is told
//! at that URI.

use core::fmt;

use crate::client::{Client, ClientError, Origin};
use crate::error::Code;
use crate::form::{Form, FormError, shown};
use crate::http::Response;
use crate::limits;
use crate::page;
use crate::pkce::{Challenge, ChallengeError};
use crate::redirect::{Kind, RedirectUri};
use crate::scope::{self, ScopeError};
use crate::settings::{Hosts, Settings};

/// What a client asks for, and may.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizeError {
    /// The parameters cannot be read.
    Form(FormError),
    /// The client or its redirect URI.
    Client(ClientError),
    /// The document of the client.
    Document(crate::document::DocumentError),
    /// The document of the client could not be fetched. The text is for the log.
    DocumentUnavailable(String),
    /// Another `response_type` than `code`.
    ResponseType {
        /// What it was, cut short.
        found: String,
    },
    /// Another `response_mode` than `query`.
    ResponseMode {
        /// What it was, cut short.
        found: String,
    },
    /// A request object (RFC 9101), which is not read here, so that what it says would be lost.
    RequestObject,
    /// Longer than [`limits::STATE`], or not printable ASCII (RFC 6749 appendix A.5).
    State {
        /// Its length.
        length: usize,
    },
    /// The challenge.
    Challenge(ChallengeError),
    /// Tokens for another resource are not given here (RFC 8707 section 2).
    Resource {
        /// What the request named, cut short.
        found: String,
        /// Ours.
        own: String,
    },
    /// The scope.
    Scope(ScopeError),
    /// `prompt=none`: nobody is signed in with us without a page.
    PromptNone,
    /// All of it together does not fit into a cookie.
    TooLarge {
        /// Its size.
        size: usize,
    },
}

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(f, "{error}"),
            Self::Client(error) => write!(f, "{error}"),
            Self::Document(error) => write!(f, "{error}"),
            Self::DocumentUnavailable(reason) => {
                write!(f, "the client's document cannot be fetched: {reason}")
            }
            Self::ResponseType { found } => write!(f, "the `response_type` is `{found}`, not `code`"),
            Self::ResponseMode { found } => write!(f, "the `response_mode` is `{found}`, not `query`"),
            Self::RequestObject => f.write_str("the request has a request object"),
            Self::State { length } => write!(
                f,
                "the `state` has {length} bytes; it has to be printable ASCII of at most {}",
                limits::STATE
            ),
            Self::Challenge(error) => write!(f, "{error}"),
            Self::Resource { found, own } => write!(f, "the `resource` is `{found}`, not `{own}`"),
            Self::Scope(error) => write!(f, "{error}"),
            Self::PromptNone => f.write_str("the request has `prompt=none`, and a person has to be asked"),
            Self::TooLarge { size } => write!(
                f,
                "the request takes {size} bytes to keep, at most {} fit into a cookie",
                limits::TRANSACTION
            ),
        }
    }
}

impl core::error::Error for AuthorizeError {}

impl AuthorizeError {
    /// The code that a client is told.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::ResponseType { .. } => Code::UnsupportedResponseType,
            Self::Resource { .. } => Code::InvalidTarget,
            Self::Scope(_) => Code::InvalidScope,
            Self::PromptNone => Code::LoginRequired,
            Self::Client(_) => Code::UnauthorizedClient,
            Self::DocumentUnavailable(_) => Code::TemporarilyUnavailable,
            _ => Code::InvalidRequest,
        }
    }

    /// What a client's developer is told: what the RFC requires, nothing that a stranger sent.
    const fn hint(&self) -> &'static str {
        match self {
            Self::Form(_) => "the parameters cannot be read",
            Self::Client(_) | Self::Document(_) | Self::DocumentUnavailable(_) => "the client is not known",
            Self::ResponseType { .. } => "response_type has to be code",
            Self::ResponseMode { .. } => "response_mode has to be query",
            Self::RequestObject => "request objects are not supported",
            Self::State { .. } => "state is too long or not printable ASCII",
            Self::Challenge(_) => "a code_challenge with code_challenge_method S256 is required",
            Self::Resource { .. } => "resource has to be the URL of this MCP server",
            Self::Scope(_) => "a scope is not offered, see scopes_supported",
            Self::PromptNone => "the user has to be asked",
            Self::TooLarge { .. } => "the request is too large",
        }
    }
}

/// A refusal, by who is told and how.
#[derive(Debug, Clone, PartialEq, Eq)]
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
