//! The end of a browser session (OpenID Connect RP-Initiated Logout 1.0).

use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::response::Response;
use url::Url;

use super::reply::redirect;
use crate::errors::Trace;
use crate::form;
use crate::realm::Realm;
use crate::server::Shared;
use crate::sign_in::{pages, session};
use crate::state::State;

/// `GET /{tenant}/oauth2/v2.0/logout`: ends the session on the server. Goes on to `post_logout_redirect_uri` where some
/// app has registered it, with `state`; otherwise the page stays. `id_token_hint`, `client_id` and `logout_hint` are
/// tolerated: there is one account in a browser.
pub(crate) async fn logout(
    state: Shared,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let trace = Trace::new(&headers, state.clock.now());
    let params = form::params(query.unwrap_or_default().as_bytes());
    let checked = Realm::parse(&tenant, &state.registrations()).and(params);
    let mut response = match checked {
        Ok(params) => {
            let target = params.get("post_logout_redirect_uri").and_then(|uri| registered(&state, uri));
            match target {
                Some(mut target) => {
                    if let Some(state) = params.get("state") {
                        target.query_pairs_mut().append_pair("state", state);
                    }
                    redirect(&target)
                }
                None => pages::message("Signed out", "You are signed out of the Entra emulator."),
            }
        }
        Err(refusal) => return pages::refusal(&trace, &refusal),
    };
    session::end(&state, &headers, &mut response);
    response
}

/// Anything else would make this an open redirector.
fn registered(state: &State, uri: &str) -> Option<Url> {
    let all = state.registrations();
    let known = all.apps.iter().any(|app| app.redirect_uris.platform(uri).is_some());
    Url::parse(uri).ok().filter(|_| known)
}
