//! The token endpoint (RFC 6749 sections 4.1.3 to 6): what a request says, who it is from, and how it is answered.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use crate::authorize::check_resource;
use crate::client::{Client, ClientError};
use crate::code::CodeError;
use crate::error::Code;
use crate::form::{Form, FormError, shown};
use crate::http::Response;
use crate::limits;
use crate::pkce::VerifierError;
use crate::refresh::RefreshError;
use crate::settings::Settings;

/// Who a request is from, as it says.
#[derive(Debug)]
pub struct Authentication {
    /// The client's id.
    pub client_id: String,
    secret: Option<SecretString>,
}

/// What a request presents.
#[derive(Debug)]
pub enum Presented {
    /// `grant_type=authorization_code`.
    Code {
        /// The code.
        code: SecretString,
        /// `redirect_uri`, if it is there.
        redirect_uri: Option<String>,
        /// `code_verifier`, if it is there.
        verifier: Option<SecretString>,
    },
    /// `grant_type=refresh_token`.
    Refresh {
        /// The token.
        token: SecretString,
        /// `scope`, if it is there.
        scope: Option<String>,
    },
}

/// A token request.
#[derive(Debug)]
pub struct Request {
    /// Who it is from, to be checked with [`Authentication::check`].
    pub authentication: Authentication,
    /// What it presents.
    pub presented: Presented,
}

/// Why there are no tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// The body cannot be read, or is no form.
    Form(FormError),
    /// A parameter is missing, or longer than any of ours.
    Parameter(&'static str),
    /// Credentials in more than one place (RFC 6749 section 2.3), or not in the form of `Basic`.
    Credentials,
    /// The client.
    Client(ClientError),
    /// Another `grant_type` than the two that are offered.
    GrantType {
        /// What it was, cut short.
        found: String,
    },
    /// Tokens for another resource are not given here (RFC 8707 section 2.2).
    Resource {
        /// What the request named, cut short.
        found: String,
        /// Ours.
        own: String,
    },
    /// The code.
    Code(CodeError),
    /// The code was used before: what it began has been ended.
    CodeReplayed,
    /// The refresh token.
    Refresh(RefreshError),
    /// The refresh token was used before: its family has been ended.
    RefreshReused,
    /// The session has ended: signed out, revoked, or refused by Entra. The text is for the log.
    SessionEnded(String),
    /// The session lives, and Entra wants the person to do something before it is renewed. The text is for the log.
    InteractionRequired(String),
    /// Something that we need is not there now. The text is for the log.
    Unavailable(String),
    /// We are not set up as we should be. The text is for the log.
    Misconfigured(String),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(f, "{error}"),
            Self::Parameter(name) => write!(f, "the parameter `{name}` is missing or too long"),
            Self::Credentials => f.write_str("the client's credentials are in two places or cannot be read"),
            Self::Client(error) => write!(f, "{error}"),
            Self::GrantType { found } => write!(f, "the `grant_type` is `{found}`"),
            Self::Resource { found, own } => write!(f, "the `resource` is `{found}`, not `{own}`"),
            Self::Code(error) => write!(f, "{error}"),
            Self::CodeReplayed => f.write_str("the code was used before, its session has been ended"),
            Self::Refresh(error) => write!(f, "{error}"),
            Self::RefreshReused => {
                f.write_str("the refresh token was used before, its session has been ended")
            }
            Self::SessionEnded(reason) => write!(f, "the session has ended: {reason}"),
            Self::InteractionRequired(reason) => write!(f, "the session is not renewed: {reason}"),
            Self::Unavailable(reason) => write!(f, "not available: {reason}"),
            Self::Misconfigured(reason) => write!(f, "misconfigured: {reason}"),
        }
    }
}

impl core::error::Error for TokenError {}

impl TokenError {
    /// Status and code (RFC 6749 section 5.2).
    #[must_use]
    pub const fn code(&self) -> (u16, Code) {
        match self {
            Self::Form(FormError::MediaType { .. }) => (415, Code::InvalidRequest),
            Self::Form(_) | Self::Parameter(_) | Self::Credentials => (400, Code::InvalidRequest),
            Self::Code(CodeError::Verifier(VerifierError::Missing)) => (400, Code::InvalidRequest),
            Self::Client(_) => (401, Code::InvalidClient),
            Self::GrantType { .. } => (400, Code::UnsupportedGrantType),
            Self::Resource { .. } => (400, Code::InvalidTarget),
            Self::Refresh(RefreshError::Scope(_)) => (400, Code::InvalidScope),
            Self::Code(_)
            | Self::CodeReplayed
            | Self::Refresh(_)
            | Self::RefreshReused
            | Self::SessionEnded(_)
            | Self::InteractionRequired(_) => (400, Code::InvalidGrant),
            Self::Unavailable(_) => (503, Code::TemporarilyUnavailable),
            Self::Misconfigured(_) => (500, Code::ServerError),
        }
    }

    /// What the client is told. Unknown, foreign, spent and expired are one answer: who guesses learns nothing.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Form(_) => "the body has to be a form in which each parameter is there once",
            Self::Parameter(_) => "a required parameter is missing or too long",
            Self::Credentials => "client credentials have to be in one place",
            Self::Client(_) => "the client is not known or did not authenticate itself",
            Self::GrantType { .. } => "grant_type has to be authorization_code or refresh_token",
            Self::Resource { .. } => "resource has to be the URL of this MCP server",
            Self::Code(CodeError::Verifier(VerifierError::Missing)) => "code_verifier is missing",
            Self::Code(_) | Self::CodeReplayed => "the code is not valid for this request",
            Self::Refresh(RefreshError::Scope(_)) => "a scope was not granted",
            Self::Refresh(_) | Self::RefreshReused => "the refresh token is not valid",
            Self::SessionEnded(_) => "the session has ended, sign in again",
            Self::InteractionRequired(_) => "more is wanted of the user, sign in again",
            Self::Unavailable(_) => "not available now, try again",
            Self::Misconfigured(_) => "the server is misconfigured",
        }
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Response {
        let (status, code) = self.code();
        let mut response = Response::error(status, code, self.hint());
        // RFC 6749 section 5.2 and RFC 9110 section 15.5.2: 401 has a challenge.
        if status == 401 {
            response.headers.push(("www-authenticate", "Basic realm=\"oauth\"".to_owned()));
        }
        response
    }
}

impl Request {
    /// Reads a request. `authorization` is the header field of that name.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn read(
        content_type: Option<&str>,
        authorization: Option<&str>,
        body: &[u8],
        settings: &Settings,
    ) -> Result<Self, TokenError> {
        let form = Form::post(content_type, body).map_err(TokenError::Form)?;
        let authentication = Authentication::read(&form, authorization)?;
        let presented = match form.get("grant_type") {
            None => return Err(TokenError::Parameter("grant_type")),
            Some("authorization_code") => Presented::Code {
                code: required_secret(&form, "code")?,
                redirect_uri: form.get("redirect_uri").map(str::to_owned),
                verifier: form.secret("code_verifier"),
            },
            Some("refresh_token") => Presented::Refresh {
                token: required_secret(&form, "refresh_token")?,
                scope: form.get("scope").map(str::to_owned),
            },
            Some(found) => return Err(TokenError::GrantType { found: shown(found) }),
        };
        check_resource(form.get("resource"), settings)
            .map_err(|found| TokenError::Resource { found, own: settings.resource.clone() })?;
        Ok(Self { authentication, presented })
    }
}

impl Authentication {
    /// Reads what a request says about its client, in `Authorization` or in the body (RFC 6749 section 2.3.1).
    pub(crate) fn read(form: &Form, authorization: Option<&str>) -> Result<Self, TokenError> {
        let (named, in_body) = (form.get("client_id"), form.secret("client_secret"));
        // RFC 7521 section 4.2 and RFC 8705: not offered, and not to be mistaken for a public client.
        if form.get("client_assertion").or(form.get("client_assertion_type")).is_some() {
            return Err(TokenError::Credentials);
        }
        let Some(authorization) = authorization else {
            let client_id = named.ok_or(TokenError::Client(ClientError::Missing))?.to_owned();
            return Ok(Self { client_id, secret: in_body });
        };
        let (client_id, secret) = basic(authorization).ok_or(TokenError::Credentials)?;
        if in_body.is_some() || named.is_some_and(|named| named != client_id) {
            return Err(TokenError::Credentials);
        }
        // Some clients send `id:` for a public client; an empty secret is none.
        let secret = Some(secret).filter(|secret| !secret.expose_secret().is_empty());
        Ok(Self { client_id, secret })
    }

    /// Checks that the request is of `client`, which was looked up by [`Self::client_id`].
    ///
    /// # Errors
    ///
    /// [`TokenError::Client`].
    pub fn check(&self, client: &Client) -> Result<(), TokenError> {
        client.authenticate(self.secret.as_ref()).map_err(TokenError::Client)
    }
}

/// Id and secret of a `Basic` field (RFC 7617), each form-encoded before (RFC 6749 section 2.3.1).
fn basic(authorization: &str) -> Option<(String, SecretString)> {
    let (scheme, credentials) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") || credentials.len() > 4 * limits::SECRET {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    // Many clients leave the encoding out, so that a secret may have these two as they are.
    let decode = |text: &str| {
        let text = text.replace('=', "%3D").replace('&', "%26");
        form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
    };
    Some((decode(id), decode(secret).into()))
}

pub(crate) fn required_secret(form: &Form, name: &'static str) -> Result<SecretString, TokenError> {
    match form.get(name) {
        Some(value) if value.len() <= limits::SECRET => Ok(value.into()),
        _ => Err(TokenError::Parameter(name)),
    }
}

/// The answer with tokens (RFC 6749 section 5.1). `scope` is always there: it may be less than what was asked for.
#[must_use]
pub fn response(
    access_token: &SecretString,
    refresh_token: &SecretString,
    scopes: &[String],
    settings: &Settings,
) -> Response {
    #[derive(Serialize)]
    struct Tokens<'a> {
        access_token: &'a str,
        token_type: &'static str,
        expires_in: u64,
        refresh_token: &'a str,
        scope: String,
    }
    Response::json(
        200,
        &Tokens {
            access_token: access_token.expose_secret(),
            token_type: "Bearer",
            expires_in: settings.access_token_lifetime,
            refresh_token: refresh_token.expose_secret(),
            scope: scopes.join(" "),
        },
    )
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
