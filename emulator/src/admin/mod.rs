//! The admin API: what the handle of a running emulator can do, for tests in other languages. JSON over HTTPS, on the
//! login host, under `/emulator`. Nothing of it is Entra's, and nothing of Entra's changes because of it.
//!
//! | request | effect and answer |
//! |---|---|
//! | `GET /emulator/faults` | `{"faults":[…]}`: the plan, each entry with `hits` |
//! | `POST /emulator/faults` | adds one entry; its keys are those of `[[faults]]` in a registrations file; answers the plan |
//! | `DELETE /emulator/faults` | clears the plan; with `?endpoint=graph` only that endpoint's |
//! | `GET /emulator/counts` | `{"counts":{"token":3,…}}`: requests since the start or the last reset |
//! | `DELETE /emulator/counts` | counts from zero again |
//! | `GET /emulator/clock` | `{"now":"2026-11-23T13:00:00Z","now_epoch":…,"offset_seconds":…}` |
//! | `POST /emulator/clock` | `{"advance_seconds":n}` moves the clock, `{"offset_seconds":n}` sets how far it is ahead; 0 is the time of day |
//! | `POST /emulator/keys/rotate` | publishes a new key and lets it sign; `{"signing_kid":…,"kids":[…]}` |
//! | `DELETE /emulator/keys/{kid}` | stops publishing a key; same answer |
//! | `POST /emulator/users/{name}/revoke` | `{"reason":"sessions"}`, `password_change` or `password_expired`: ends what the user was granted |
//! | `POST /emulator/users/{name}/outdate` | `{}`: Graph answers each token that the user has with a claims challenge; nothing else ends |
//! | `GET /emulator/issued` | `{"codes":[…],"refresh_tokens":[…]}`: themselves, for a search where they must not be |
//! | `DELETE /emulator/refresh_tokens/used` | ends the refresh tokens that were used, which Entra lets live |
//! | `DELETE /emulator/consents` | forgets what users agreed to |
//! | `GET /emulator/requests` | `{"requests":[…]}`: the last requests with status and verdict, newest first; no queries, no bodies |
//! | `GET /emulator/tokens` | `{"tokens":[…]}`: the claims of the last tokens issued; never a token |
//! | `POST /emulator/tokens` | `{"user","client","api","scopes"}` or `{"app","api","roles"}`: a token without a flow; `{"access_token","token_type","expires_in"}` |
//! | `POST /emulator/registrations` | `{"toml":"…"}`: replaces registrations and fault plan, if the text is right |
//!
//! An error is `{"error":{"code","field","message"}}`; `field` is null where no field is at fault. A web page of
//! another origin cannot use the API: every `Origin` but the emulator's own is refused, nothing is allowed by CORS, and
//! each POST must be `application/json`, which a form cannot send.

mod actions;
mod error;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};

use crate::server::Shared;
use crate::state::State;
use error::AdminError;

/// Everything below `/emulator`.
pub(crate) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    Router::new()
        .route("/faults", get(actions::faults).post(actions::plan).delete(actions::clear))
        .route("/counts", get(actions::counts).delete(actions::reset_counts))
        .route("/clock", get(actions::clock).post(actions::set_clock))
        .route("/keys/rotate", post(actions::rotate))
        .route("/keys/{kid}", delete(actions::remove_key))
        .route("/users/{name}/revoke", post(actions::revoke))
        .route("/users/{name}/outdate", post(actions::outdate))
        .route("/issued", get(actions::issued))
        .route("/refresh_tokens/used", delete(actions::end_used_refresh_tokens))
        .route("/consents", delete(actions::forget_consents))
        .route("/requests", get(actions::requests))
        .route("/tokens", get(tokens::issued).post(tokens::mint))
        .route("/registrations", post(actions::register))
        .fallback(async || AdminError::NoSuchPath)
        .method_not_allowed_fallback(async || AdminError::Method)
        .layer(from_fn_with_state(state.clone(), guard))
}

/// Lets nobody through whom a foreign web page sent.
async fn guard(state: Shared, request: Request, next: Next) -> Response {
    match admitted(&state, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn admitted(state: &State, method: &Method, headers: &HeaderMap) -> Result<(), AdminError> {
    let word = |name| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    if let Some(origin) = word("origin").filter(|o| *o != state.origins.authority) {
        return Err(AdminError::Origin(origin.to_owned()));
    }
    // Browsers leave out Origin where a page only links or embeds, but say this (Fetch Metadata, section 2.4).
    if let Some(site) = word("sec-fetch-site").filter(|s| !matches!(*s, "same-origin" | "none")) {
        return Err(AdminError::Origin(site.to_owned()));
    }
    let kind = word(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    match *method == Method::POST && !essence.eq_ignore_ascii_case("application/json") {
        true => Err(AdminError::ContentType),
        false => Ok(()),
    }
}
