//! The device code flow (RFC 8628 as Entra does it): the endpoint that hands out codes, and the page where a person
//! enters one. Polling is a grant of the token endpoint, `token/device_code.rs`.
//!
//! Source: Entra documentation, "OAuth 2.0 device authorization grant". There is no `verification_uri_complete`.

mod codes;
mod pages;

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::claims_request::ClaimsRequest;
use crate::errors::{Refusal, Trace, no_store};
use crate::form::{self, need};
use crate::realm::Realm;
use crate::scopes::Ask;
use crate::server::Shared;
use crate::sign_in::{self, Outcome, Prompt, Step, Visit, session};
use crate::state::State;
pub(crate) use codes::{DeviceCodes, DeviceGrant, Standing};

/// Life of a device code, seconds.
const LIFE: i64 = 900;

/// Seconds between polls. Entra does not enforce it, nor does the emulator.
const INTERVAL: i64 = 5;

/// `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(crate) async fn issue(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match codes_for(&state, &tenant, &headers, &body) {
        Ok(body) => {
            let mut response = Json(body).into_response();
            no_store(response.headers_mut());
            response
        }
        Err(refusal) => Trace::new(&headers, state.clock.now()).response(&refusal, &state.origins.authority),
    }
}

/// `GET /devicelogin`: the short address that a person types.
pub(crate) async fn short() -> impl IntoResponse {
    (StatusCode::FOUND, [(header::LOCATION, "/common/oauth2/deviceauth")])
}

/// `GET /{tenant}/oauth2/deviceauth`: where the code is entered. A `user_code` in the query is filled in, not sent.
pub(crate) async fn page(Path(tenant): Path<String>, RawQuery(query): RawQuery) -> Response {
    let params = form::params(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let code = params.get("user_code").or_else(|| params.get("otc"));
    pages::enter(&tenant, code.map_or("", String::as_str), None)
}

/// `POST` to the same address: the code, then the steps of the sign-in.
pub(crate) async fn resume(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let trace = Trace::new(&headers, state.clock.now());
    match form::params(&body) {
        Ok(fields) => step(&state, &tenant, &headers, &trace, &fields),
        Err(refusal) => sign_in::pages::refusal(&trace, &refusal),
    }
}

fn codes_for(state: &State, tenant: &str, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    // Another content type than a form has no parameters, so the first needed one is missing.
    let is_form = kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    let params = form::params(if is_form { body } else { b"" })?;
    let all = state.registrations();
    let realm = Realm::parse(tenant, &all)?;
    let client = realm.client(need(&params, "client_id")?, &all)?;
    let ask = Ask::parse(need(&params, "scope")?, client, realm.tenant, &all)?;
    if ask.apis.is_empty() && !ask.has("openid") {
        return Err(Refusal::BadScope("it names neither an API nor openid".into()));
    }
    let get = |name: &str| params.get(name).map(String::as_str).filter(|v| !v.is_empty());
    ask.check_resource(get("resource"), &all)?;
    let claims = ClaimsRequest::parse(get("claims"))?;
    let now = state.clock.now();
    let grant = DeviceGrant {
        client: client.client_id,
        realm,
        ask,
        claims,
        expires: now.plus(LIFE),
        standing: Standing::Pending,
    };
    let (device_code, user_code) = state.devices.issue(now, grant);
    let uri = format!("{}/devicelogin", state.origins.authority);
    Ok(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": uri,
        "expires_in": LIFE,
        "interval": INTERVAL,
        "message": format!("Open {uri} in a browser and enter the code {user_code} to sign in."),
    }))
}

/// One step of the person. The realm is that of the device's request, whatever the page's address says.
fn step(
    state: &State,
    tenant: &str,
    headers: &HeaderMap,
    trace: &Trace,
    fields: &HashMap<String, String>,
) -> Response {
    let typed = fields.get("request").or_else(|| fields.get("user_code")).map_or("", String::as_str);
    let code = codes::normalized(typed);
    let now = state.clock.now();
    let all = state.registrations();
    let grant = state.devices.pending(now, &code);
    let Some((grant, client)) = grant.and_then(|grant| all.app(grant.client).map(|client| (grant, client)))
    else {
        return pages::enter(
            tenant,
            typed,
            Some("That code is not valid: it is unknown, was used, or has expired."),
        );
    };
    let visit = Visit {
        state,
        all: &all,
        trace,
        client,
        realm: &grant.realm,
        ask: &grant.ask,
        claims: &grant.claims,
        prompt: Prompt::Confirm,
        login_hint: None,
        action: &pages::action(tenant),
        request: &code,
        target: None,
    };
    match visit.advance(&Step::form(state, headers, fields)) {
        Outcome::Page(page) => *page,
        Outcome::Done(user, sign_in) => {
            state.devices.settle(now, &code, Standing::Approved { user: user.id, sign_in });
            let mut response = pages::approved(client);
            session::keep(state, headers, user, sign_in, &mut response);
            response
        }
        // Giving up for want of an administrator is declining, too: nothing else could follow.
        Outcome::Refused(Refusal::ConsentDeclined | Refusal::AdminConsentNeeded(_)) => {
            state.devices.settle(now, &code, Standing::Declined);
            pages::declined(client)
        }
        Outcome::Refused(refusal) => sign_in::pages::refusal(trace, &refusal),
    }
}
