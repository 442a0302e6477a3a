//! The parameters of an authorization request, understood and checked.
//!
//! Until client and redirect URI are known to be right, errors stay on a page: redirecting them would make the
//! emulator an open redirector (RFC 6749 section 4.1.2.1).

use std::collections::HashMap;

use url::Url;

use super::reply::{Mode, Reply};
use crate::claims_request::ClaimsRequest;
use crate::errors::Refusal;
use crate::form::{need, params};
use crate::realm::Realm;
use crate::registrations::{App, Platform, Registrations};
use crate::scopes::Ask;
use crate::sign_in::Prompt;
use crate::state::Challenge;

/// A request that may go on. Parameters that are not here (`domain_hint`, `X-AnchorMailbox`, `x-client-SKU`, …) are
/// tolerated and change nothing, as in Entra.
pub(super) struct Authorize {
    pub(super) realm: Realm,
    pub(super) platform: Platform,
    pub(super) reply: Reply,
    pub(super) wanted: ResponseType,
    pub(super) ask: Ask,
    pub(super) challenge: Option<Challenge>,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<String>,
    pub(super) client_info: bool,
    pub(super) claims: ClaimsRequest,
}

/// `response_type`: one of the two, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResponseType {
    pub(super) code: bool,
    pub(super) id_token: bool,
}

/// Where a refusal is told.
pub(super) enum RequestError {
    /// On a page.
    Page(Refusal),
    /// To the client.
    Client(Refusal, Box<Reply>),
}

impl Authorize {
    /// Understands a query string.
    pub(super) fn parse<'a>(
        tenant: &str,
        query: &str,
        all: &'a Registrations,
    ) -> Result<(Self, &'a App), RequestError> {
        let params = params(query.as_bytes()).map_err(RequestError::Page)?;
        let realm = Realm::parse(tenant, all).map_err(RequestError::Page)?;
        let client_id = need(&params, "client_id").map_err(RequestError::Page)?;
        let client = realm.client(client_id, all).map_err(RequestError::Page)?;
        let redirect_uri = need(&params, "redirect_uri").map_err(RequestError::Page)?;
        let platform = platform(client, redirect_uri).map_err(RequestError::Page)?;
        let mut reply = Reply {
            redirect_uri: redirect_uri.to_owned(),
            mode: Mode::Query,
            state: params.get("state").cloned(),
        };
        match Self::rest(&params, realm, platform, client, all, &mut reply) {
            Ok(rest) => Ok((Self { reply, ..rest }, client)),
            Err(refusal) => Err(RequestError::Client(refusal, Box::new(reply))),
        }
    }

    fn rest(
        params: &HashMap<String, String>,
        realm: Realm,
        platform: Platform,
        client: &App,
        all: &Registrations,
        reply: &mut Reply,
    ) -> Result<Self, Refusal> {
        let get = |name: &str| params.get(name).map(String::as_str).filter(|v| !v.is_empty());
        let wanted = need(params, "response_type").and_then(response_type);
        let fragment = wanted.as_ref().is_ok_and(|w| w.id_token);
        reply.mode = mode(get("response_mode"), fragment)?;
        let wanted = wanted?;
        if wanted.id_token && !client.enable_id_token_issuance {
            return Err(Refusal::IdTokenNotEnabled);
        }
        let ask = Ask::parse(need(params, "scope")?, client, realm.tenant, all)?;
        if ask.apis.is_empty() && !ask.has("openid") {
            return Err(Refusal::BadScope("it names neither an API nor openid".into()));
        }
        if wanted.id_token {
            // OpenID Connect Core sections 3.2.2.1 and 3.3.2.11: without a nonce the token could be replayed.
            need(params, "nonce")?;
            if !ask.has("openid") {
                return Err(Refusal::BadScope("an id token needs openid".into()));
            }
        }
        ask.check_resource(get("resource"), all)?;
        let challenge = challenge(get("code_challenge"), get("code_challenge_method"))?;
        if platform == Platform::Spa && wanted.code && challenge.is_none() {
            return Err(Refusal::Missing("code_challenge"));
        }
        Ok(Self {
            realm,
            platform,
            reply: reply.clone(),
            wanted,
            ask,
            challenge,
            nonce: get("nonce").map(str::to_owned),
            prompt: prompt(get("prompt"))?,
            login_hint: get("login_hint").map(str::to_owned),
            client_info: get("client_info") == Some("1"),
            claims: ClaimsRequest::parse(get("claims"))?,
        })
    }
}

/// 50011 for an address that is not registered, 70004 for what cannot be one (RFC 6749 section 3.1.2: absolute, without
/// a fragment).
fn platform(client: &App, redirect_uri: &str) -> Result<Platform, Refusal> {
    if !Url::parse(redirect_uri).is_ok_and(|url| url.fragment().is_none()) {
        return Err(Refusal::RedirectInvalid(redirect_uri.to_owned()));
    }
    let registered = client.redirect_uris.platform(redirect_uri);
    registered.ok_or_else(|| Refusal::RedirectNotRegistered(redirect_uri.to_owned()))
}

/// The words in any order (OAuth 2.0 Multiple Response Types section 3). Access tokens are never given here.
fn response_type(text: &str) -> Result<ResponseType, Refusal> {
    let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.sort_unstable();
    match words.as_slice() {
        ["code"] => Ok(ResponseType { code: true, id_token: false }),
        ["id_token"] => Ok(ResponseType { code: false, id_token: true }),
        ["code", "id_token"] => Ok(ResponseType { code: true, id_token: true }),
        _ => Err(Refusal::UnsupportedResponseType(text.to_owned())),
    }
}

/// A token must not travel in a query, where it would be logged; `fragment` says that one is asked for.
fn mode(text: Option<&str>, fragment: bool) -> Result<Mode, Refusal> {
    match text {
        None if fragment => Ok(Mode::Fragment),
        Some("query") if fragment => Err(Refusal::TokenInQuery),
        None | Some("query") => Ok(Mode::Query),
        Some("fragment") => Ok(Mode::Fragment),
        Some("form_post") => Ok(Mode::FormPost),
        Some(other) => Err(Refusal::BadParameter { name: "response_mode", value: other.to_owned() }),
    }
}

/// RFC 7636 section 4.3; without a method it is `plain`.
fn challenge(value: Option<&str>, method: Option<&str>) -> Result<Option<Challenge>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let hashed = match method {
        Some("S256") => true,
        None | Some("plain") => false,
        Some(other) => {
            return Err(Refusal::BadParameter { name: "code_challenge_method", value: other.to_owned() });
        }
    };
    let length_fits = (43..=128).contains(&value.len());
    match length_fits {
        true => Ok(Some(Challenge { value: value.to_owned(), hashed })),
        false => Err(Refusal::BadParameter { name: "code_challenge", value: value.to_owned() }),
    }
}

fn prompt(text: Option<&str>) -> Result<Prompt, Refusal> {
    match text {
        None => Ok(Prompt::AsNeeded),
        Some("none") => Ok(Prompt::None),
        Some("login") => Ok(Prompt::Login),
        Some("select_account") => Ok(Prompt::SelectAccount),
        Some("consent") => Ok(Prompt::Consent),
        Some(other) => Err(Refusal::BadParameter { name: "prompt", value: other.to_owned() }),
    }
}
