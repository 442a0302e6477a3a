//! The browser session behind the cookie: single sign-on keeps the time and the strength of the first sign-in.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::registrations::User;
use crate::state::{SESSION_LIFE, Session, SignIn, State};

/// Name of the session cookie.
const COOKIE: &str = "emulator_session";

/// The session of a browser, if it has one.
pub(super) fn of(state: &State, headers: &HeaderMap) -> Option<Session> {
    let session = state.session(cookie(headers)?)?;
    (session.sign_in.at.plus(SESSION_LIFE) > state.clock.now()).then_some(session)
}

/// Lets the browser's session be that of this sign-in: the same one goes on, another one is replaced.
pub(crate) fn keep(
    state: &State,
    headers: &HeaderMap,
    user: &User,
    sign_in: SignIn,
    response: &mut Response,
) {
    let old = cookie(headers);
    let held = of(state, headers);
    if held.is_some_and(|s| s.user == user.id && s.sign_in == sign_in) {
        return;
    }
    if let Some(old) = old {
        state.end_session(old);
    }
    let id = state.new_session(Session { user: user.id, sign_in });
    set(response, &format!("{COOKIE}={id}; Path=/; Secure; HttpOnly; SameSite=Lax"));
}

/// Ends the browser's session, on the server and in the browser.
pub(crate) fn end(state: &State, headers: &HeaderMap, response: &mut Response) {
    if let Some(id) = cookie(headers) {
        state.end_session(id);
    }
    set(response, &format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"));
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, id)| id)
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}
