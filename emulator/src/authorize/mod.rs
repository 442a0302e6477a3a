//! The authorize endpoint: checks the request, lets the person sign in, and answers the client.
//!
//! What the parameters mean is in `request.rs`, how answers travel in `reply.rs`, the steps of the person in
//! [`crate::sign_in`]. No page keeps state on the server: each form carries the original query, which is checked again
//! on every step.

mod logout;
mod reply;
mod request;

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::response::Response;
use uuid::Uuid;

use crate::errors::Trace;
use crate::form;
use crate::registrations::{App, User};
use crate::server::Shared;
use crate::sign_in::{Outcome, Prompt, Step, Visit, pages, session};
use crate::state::{CodeGrant, SignIn, State};
use crate::tokens::{self, IdGrant};
pub(crate) use logout::logout;
use request::{Authorize, RequestError};

/// Life of a code, seconds.
const CODE_LIFE: i64 = 600;

/// `GET /{tenant}/oauth2/v2.0/authorize`.
pub(crate) async fn start(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    step(&state, &tenant, &headers, &query.unwrap_or_default(), None)
}

/// `POST` to the same address, parameters in the body (OpenID Connect Core section 3.1.2.1).
pub(crate) async fn start_by_form(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    step(&state, &tenant, &headers, &String::from_utf8_lossy(&body), None)
}

/// The forms of the pages: `request` is the original query, the rest is what the person did.
pub(crate) async fn resume(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match form::params(&body) {
        Ok(fields) => {
            let query = fields.get("request").cloned().unwrap_or_default();
            step(&state, &tenant, &headers, &query, Some(&fields))
        }
        Err(refusal) => pages::refusal(&Trace::new(&headers, state.clock.now()), &refusal),
    }
}

/// `GET /error`: where `error_uri` points.
pub(crate) async fn error_number(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").map(|(_, v)| v);
    pages::message(
        &format!("AADSTS{}", code.unwrap_or_default()),
        "The meaning of the number is described in Microsoft's documentation, under \"Microsoft Entra \
         authentication and authorization error codes\".",
    )
}

/// Checks the request and takes one step; what is wrong is told on a page or to the client.
fn step(
    state: &State,
    tenant: &str,
    headers: &HeaderMap,
    query: &str,
    fields: Option<&HashMap<String, String>>,
) -> Response {
    let trace = Trace::new(headers, state.clock.now());
    let all = state.registrations();
    let authority = &state.origins.authority;
    let (request, client) = match Authorize::parse(tenant, query, &all) {
        Ok(parsed) => parsed,
        Err(RequestError::Page(refusal)) => return pages::refusal(&trace, &refusal),
        Err(RequestError::Client(refusal, reply)) => {
            return reply.refuse(&trace, &refusal, Prompt::AsNeeded, authority);
        }
    };
    let action = format!("/{}/oauth2/v2.0/authorize/continue", request.realm.segment);
    let visit = Visit {
        state,
        all: &all,
        trace: &trace,
        client,
        realm: &request.realm,
        ask: &request.ask,
        claims: &request.claims,
        prompt: request.prompt,
        login_hint: request.login_hint.as_deref(),
        action: &action,
        request: query,
        target: Some(&request.reply.redirect_uri),
    };
    let step = match fields {
        Some(fields) => Step::form(state, headers, fields),
        None => Step::first(state, headers),
    };
    match visit.advance(&step) {
        Outcome::Page(page) => *page,
        Outcome::Refused(refusal) => request.reply.refuse(&trace, &refusal, request.prompt, authority),
        Outcome::Done(user, sign_in) => {
            let mut response = request.reply.send(answer(state, client, &request, user, sign_in));
            session::keep(state, headers, user, sign_in, &mut response);
            response
        }
    }
}

/// The members of a good answer.
fn answer(
    state: &State,
    client: &App,
    request: &Authorize,
    user: &User,
    sign_in: SignIn,
) -> Vec<(&'static str, String)> {
    let mut answer = Vec::new();
    let code = request.wanted.code.then(|| code(state, client, request, user, sign_in));
    if let Some(code) = &code {
        answer.push(("code", code.clone()));
    }
    if request.wanted.id_token {
        answer.push(("id_token", id_token(state, client, request, user, sign_in, code.as_deref())));
    }
    if request.client_info {
        answer.push(("client_info", tokens::client_info(&state.registrations(), user)));
    }
    answer.push(("session_state", Uuid::new_v4().to_string()));
    answer
}

fn code(state: &State, client: &App, request: &Authorize, user: &User, sign_in: SignIn) -> String {
    state.new_code(CodeGrant {
        client: client.client_id,
        user: user.id,
        tenant: user.tenant,
        redirect_uri: request.reply.redirect_uri.clone(),
        platform: request.platform,
        ask: request.ask.clone(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
        sign_in,
        claims: request.claims.clone(),
        expires: state.clock.now().plus(CODE_LIFE),
        used: false,
    })
}

/// An id token of this endpoint, bound to the code beside it.
fn id_token(
    state: &State,
    client: &App,
    request: &Authorize,
    user: &User,
    sign_in: SignIn,
    code: Option<&str>,
) -> String {
    let ask = &request.ask;
    let (profile, email) = (ask.has("profile"), ask.has("email"));
    let (nonce, claims) = (request.nonce.as_deref(), &request.claims);
    tokens::id_token(state, &IdGrant { user, client, nonce, code, profile, email, sign_in, claims })
}
