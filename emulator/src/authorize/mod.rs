//! The authorize endpoint: account choice, consent, and the answer to the client.
//!
//! No page keeps state on the server: each form carries the original query, which is checked again on every step.
//! What the parameters mean is in `request.rs`, how answers travel in `reply.rs`, HTML in `page.rs`.

mod page;
mod reply;
mod request;

use std::collections::HashMap;

use axum::extract::{Form, Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use crate::errors::{Refusal, Trace};
use crate::registrations::{App, ExposedScope, Registrations, User};
use crate::server::Shared;
use crate::state::{CodeGrant, Session, SignIn, State};
use crate::tokens;
use request::{Authorize, Prompt, RequestError};

/// Name of the session cookie.
const COOKIE: &str = "emulator_session";

/// Life of a code, seconds.
const CODE_LIFE: i64 = 600;

/// What a form or a header decided.
enum Decision {
    /// A user was named; consent is asked if needed.
    Chosen(Uuid),
    /// The user agreed.
    Accepted(Uuid),
    /// The user declined.
    Cancelled,
}

/// `GET /{tenant}/oauth2/v2.0/authorize`.
pub(crate) async fn start(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    first(&state, &tenant, &headers, &query.unwrap_or_default())
}

/// `POST` to the same address, parameters in the body (OpenID Connect Core section 3.1.2.1).
pub(crate) async fn start_by_form(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    first(&state, &tenant, &headers, &body)
}

/// The forms of the pages: `request` is the original query, `account` an object id, `decision` a button.
pub(crate) async fn resume(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let account = Uuid::parse_str(field("account")).unwrap_or_default();
    let decision = match field("decision") {
        "cancel" => Decision::Cancelled,
        "accept" => Decision::Accepted(account),
        _ => Decision::Chosen(account),
    };
    with_request(&state, &tenant, &headers, field("request"), |step| step.decide(decision))
}

/// `GET /{tenant}/oauth2/v2.0/logout`: ends the browser session. `post_logout_redirect_uri` is ignored.
pub(crate) async fn logout() -> Response {
    let mut response = page::message("Signed out", "You are signed out of the Entra emulator.");
    let cookie =
        HeaderValue::from_static("emulator_session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// `GET /`: says what this is.
pub(crate) async fn welcome() -> Response {
    page::message(
        "Entra emulator",
        "This is an emulator of Microsoft Entra ID and Microsoft Graph for tests and demos. It is not Microsoft, \
         and anybody who reaches it can sign in as anybody.",
    )
}

/// `GET /error`: where `error_uri` points.
pub(crate) async fn error_number(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").map(|(_, v)| v);
    page::message(
        &format!("AADSTS{}", code.unwrap_or_default()),
        "The meaning of the number is described in Microsoft's documentation, under \"Microsoft Entra \
         authentication and authorization error codes\".",
    )
}

/// One step of a sign-in: the checked request and where it happens.
struct Step<'a> {
    state: &'a State,
    all: &'a Registrations,
    client: &'a App,
    request: &'a Authorize,
    query: &'a str,
    trace: Trace,
}

fn first(state: &State, tenant: &str, headers: &HeaderMap, query: &str) -> Response {
    with_request(state, tenant, headers, query, |step| {
        if let Some(user) = step.approver(headers) {
            return step.decide(Decision::Accepted(user));
        }
        let session = session(state, headers).and_then(|s| step.all.user(&s.user.to_string()));
        let session = session.filter(|u| step.request.realm.check_account(step.client, u).is_ok());
        match (step.request.prompt, session) {
            (Prompt::None, None) => step.refuse(&Refusal::NoSession),
            (Prompt::Login | Prompt::SelectAccount, _) | (_, None) => {
                page::accounts(step.client, step.request, step.all, step.query)
            }
            (_, Some(user)) => step.decide(Decision::Chosen(user.id)),
        }
    })
}

/// Checks the request, then takes the step; what is wrong is told on a page or to the client.
fn with_request(
    state: &State,
    tenant: &str,
    headers: &HeaderMap,
    query: &str,
    step: impl FnOnce(&Step<'_>) -> Response,
) -> Response {
    let trace = Trace::new(headers, state.clock.now());
    let all = state.registrations();
    match Authorize::parse(tenant, query, &all) {
        Ok((request, client)) => step(&Step { state, all: &all, client, request: &request, query, trace }),
        Err(RequestError::Page(refusal)) => page::refusal(&trace, &refusal),
        Err(RequestError::Client(refusal, reply)) => reply.refuse(&trace, &refusal, &state.origins.authority),
    }
}

fn session(state: &State, headers: &HeaderMap) -> Option<Session> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).and_then(|(_, id)| state.session(id))
}

impl Step<'_> {
    /// The user in whose name a test approves without clicking.
    fn approver(&self, headers: &HeaderMap) -> Option<Uuid> {
        let by_header = headers.get("x-emulator-approve").and_then(|v| v.to_str().ok());
        let by_hint = self.request.login_hint.as_deref().filter(|_| self.state.auto_approve);
        self.all.user(by_header.or(by_hint)?).map(|u| u.id)
    }

    fn decide(&self, decision: Decision) -> Response {
        let (id, agreed) = match decision {
            Decision::Cancelled => return self.refuse(&Refusal::ConsentDeclined),
            Decision::Chosen(id) => (id, false),
            Decision::Accepted(id) => (id, true),
        };
        let Some(user) = self.all.user(&id.to_string()) else {
            return page::accounts(self.client, self.request, self.all, self.query);
        };
        if let Err(refusal) = self.request.realm.check_account(self.client, user) {
            return page::refusal(&self.trace, &refusal);
        }
        if let Err(refusal) = self.request.ask.check_for(self.state, self.client, user, self.all) {
            return self.refuse(&refusal);
        }
        let missing = self.missing(user);
        if let Some((_, scope)) = missing.iter().find(|(_, s)| s.admin_consent_required) {
            return self.refuse(&Refusal::AdminConsentNeeded(scope.value.clone()));
        }
        let must_ask = !missing.is_empty() || self.request.prompt == Prompt::Consent;
        if must_ask && !agreed {
            if self.request.prompt == Prompt::None {
                return self.refuse(&Refusal::NoConsent {
                    client: self.client.client_id,
                    name: self.client.name.clone(),
                    resource: missing.first().map(|(api, _)| api.name.clone()).unwrap_or_default(),
                });
            }
            return page::consent(self.client, self.request, user, &missing, self.query);
        }
        for (api, scope) in &missing {
            self.state.consent(user.id, self.client.client_id, api, std::slice::from_ref(&scope.value));
        }
        self.succeed(user)
    }

    /// Scopes that were asked and nobody has consented to yet.
    fn missing(&self, user: &User) -> Vec<(&App, &ExposedScope)> {
        let mut missing = Vec::new();
        for asked in &self.request.ask.apis {
            let Some(api) = self.all.app(asked.api) else { continue };
            let granted = self.state.granted(user.id, self.client, api);
            let names = asked.names(self.client, &granted);
            let new = names.iter().filter(|n| !granted.contains(*n)).filter_map(|n| api.scope(n));
            missing.extend(new.map(|scope| (api, scope)));
        }
        missing
    }

    fn succeed(&self, user: &User) -> Response {
        let sign_in = SignIn { at: self.state.clock.now(), mfa: false };
        let code = self.state.new_code(CodeGrant {
            client: self.client.client_id,
            user: user.id,
            tenant: user.tenant,
            redirect_uri: self.request.reply.redirect_uri.clone(),
            platform: self.request.platform,
            ask: self.request.ask.clone(),
            challenge: self.request.challenge.clone(),
            nonce: self.request.nonce.clone(),
            sign_in,
            claims: self.request.claims.clone(),
            expires: self.state.clock.now().plus(CODE_LIFE),
            used: false,
        });
        let session_state = Uuid::new_v4().to_string();
        let mut answer = vec![("code", code)];
        if self.request.client_info {
            answer.push(("client_info", tokens::client_info(self.all, user)));
        }
        answer.push(("session_state", session_state));
        let mut response = self.request.reply.send(answer);
        let session = self.state.new_session(Session { user: user.id, sign_in });
        let cookie = format!("{COOKIE}={session}; Path=/; Secure; HttpOnly; SameSite=Lax");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response.into_response()
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        self.request.reply.refuse(&self.trace, refusal, &self.state.origins.authority)
    }
}
