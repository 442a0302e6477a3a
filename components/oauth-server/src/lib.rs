//! The oauth-server component: an authorization server for MCP clients, in front of Entra.
//!
//! What is asked, allowed, kept and shown is `valet-core-oauth`; this shell lends it settings, clock, randomness, store and seal. It holds no key and no
//! credential, and no token of Entra's passes through it: a sign-in is a session in another component, known here by its id.

mod access_token;
mod accounts;
mod audit;
mod authorize;
mod bindings;
mod browser;
mod callback;
mod clients;
mod entra;
mod exchange;
mod facade;
mod grants;
mod random;
mod refused;
mod register;
mod revoke;
mod sign_out;
mod step_up;
mod token;

use bindings::exports::valet::oauth::authorization::{Guest, Request, Response};
use bindings::valet::capability::{own_keys, settings};
use valet_core_oauth::http;
use valet_core_oauth::route::{self, Route};
use valet_core_oauth::settings::Settings;

use crate::exchange::Exchange;
use crate::refused::limited;

struct Component;

impl Guest for Component {
    fn handle(request: Request) -> Response {
        let http::Response { status, headers, body } = answer(&request);
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Response { status, headers, body: body.into_bytes() }
    }

    fn check() -> Result<(), String> {
        if facade::is_on() {
            return facade::check();
        }
        Settings::read(settings::get).map_err(|error| error.to_string())?;
        entra::Entra::read()?;
        // Made now if there is none, which takes a moment that no first user should wait for.
        own_keys::key_set().map(drop)
    }
}

fn answer(request: &Request) -> http::Response {
    let path = request.target.split('?').next().unwrap_or_default();
    let Some(route) = Route::find(path) else {
        return not_found();
    };
    match request.method.as_str() {
        "OPTIONS" if route.allow().contains("OPTIONS") => return http::Response::preflight(route.allow()),
        // RFC 9110 section 9.3.2: the host leaves the body out.
        "HEAD" if route.allows("GET") => {}
        method if route.allows(method) => {}
        _ => return http::Response::method_not_allowed(route.allow()),
    }
    if facade::is_on() {
        return facade::answer(route, request).unwrap_or_else(not_found);
    }
    match Exchange::new(request) {
        Ok(exchange) => dispatch(route, &exchange),
        Err(response) => response,
    }
}

fn not_found() -> http::Response {
    http::Response { status: 404, headers: Vec::new(), body: String::new() }
}

fn dispatch(route: Route, exchange: &Exchange<'_>) -> http::Response {
    match route {
        Route::Metadata => valet_core_oauth::metadata::response(&exchange.settings),
        Route::Jwks => match own_keys::key_set() {
            Ok(keys) => http::Response::document(keys),
            Err(why) => exchange.failed("signing_key", why),
        },
        Route::Authorize => authorize::authorize(exchange),
        Route::Consent => authorize::consent(exchange),
        Route::Callback => callback::callback(exchange),
        Route::StepUp => step_up::open(exchange),
        Route::Token => limited(exchange, route::TOKEN, || token::token(exchange)),
        Route::Revoke => limited(exchange, route::REVOKE, || revoke::revoke(exchange)),
        Route::Register => limited(exchange, route::REGISTER, || register::register(exchange)),
        Route::SignOut => sign_out::sign_out(exchange),
    }
}
