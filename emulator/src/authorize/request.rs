//! The parameters of an authorization request, understood and checked.
//!
//! Until client and redirect URI are known to be right, errors stay on a page: redirecting them would make the
//! emulator an open redirector (RFC 6749 section 4.1.2.1).

use std::collections::HashMap;

use super::reply::{Mode, Reply};
use crate::claims_request::ClaimsRequest;
use crate::errors::Refusal;
use crate::realm::Realm;
use crate::registrations::{App, Platform, Registrations};
use crate::scopes::Ask;
use crate::state::Challenge;

/// A request that may go on.
pub(super) struct Authorize {
    pub(super) realm: Realm,
    pub(super) platform: Platform,
    pub(super) reply: Reply,
    pub(super) ask: Ask,
    pub(super) challenge: Option<Challenge>,
    pub(super) nonce: Option<String>,
    pub(super) prompt: Prompt,
    pub(super) login_hint: Option<String>,
    pub(super) client_info: bool,
    pub(super) claims: ClaimsRequest,
}

/// What the client wants the user to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Whatever is needed.
    AsNeeded,
    /// Nothing; fail instead.
    None,
    /// Sign in again.
    Login,
    /// Choose an account.
    SelectAccount,
    /// Consent again.
    Consent,
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
        let params = params(query).map_err(RequestError::Page)?;
        let realm = Realm::parse(tenant, all).map_err(RequestError::Page)?;
        let client_id = need(&params, "client_id").map_err(RequestError::Page)?;
        let client = realm.client(client_id, all).map_err(RequestError::Page)?;
        let redirect_uri = need(&params, "redirect_uri").map_err(RequestError::Page)?;
        let platform = client
            .redirect_uris
            .platform(redirect_uri)
            .ok_or_else(|| RequestError::Page(Refusal::RedirectNotRegistered(redirect_uri.to_owned())))?;
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
        reply.mode = mode(get("response_mode"))?;
        match need(params, "response_type")? {
            "code" => {}
            other => return Err(Refusal::UnsupportedResponseType(other.to_owned())),
        }
        let ask = Ask::parse(need(params, "scope")?, client, realm.tenant, all)?;
        if ask.apis.is_empty() && !ask.has("openid") {
            return Err(Refusal::BadScope("it names neither an API nor openid".into()));
        }
        ask.check_resource(get("resource"), all)?;
        let challenge = challenge(get("code_challenge"), get("code_challenge_method"))?;
        if platform == Platform::Spa && challenge.is_none() {
            return Err(Refusal::Missing("code_challenge"));
        }
        Ok(Self {
            realm,
            platform,
            reply: reply.clone(),
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

fn params(query: &str) -> Result<HashMap<String, String>, Refusal> {
    let mut params = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if params.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(Refusal::Duplicate(name.into_owned()));
        }
    }
    Ok(params)
}

fn need<'a>(params: &'a HashMap<String, String>, name: &'static str) -> Result<&'a str, Refusal> {
    params.get(name).map(String::as_str).filter(|v| !v.is_empty()).ok_or(Refusal::Missing(name))
}

fn mode(text: Option<&str>) -> Result<Mode, Refusal> {
    match text {
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
