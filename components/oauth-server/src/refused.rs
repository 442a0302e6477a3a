//! Counting the requests of strangers that are refused, and their registrations.

use valet_core_oauth::http::Response;
use valet_core_oauth::refused;
use valet_core_oauth::token::TokenError;

use crate::bindings::valet::capability::rate_limit;
use crate::exchange::Exchange;
use crate::{audit, facade, grants};

/// Why a request is not looked at.
enum Stopped {
    /// Too many were refused; there is one again after so many seconds.
    TooMany(u32),
    /// Whether what it presents was given out is not known: the store failed.
    Store(String),
}

/// The `answer` of an endpoint (its path) that asks nobody who they are; 429 where too many were refused. One is taken before, so that those who come all at once are
/// counted too, and given back unless the answer is a refusal.
pub(crate) fn limited(
    exchange: &Exchange<'_>,
    endpoint: &str,
    answer: impl FnOnce() -> Response,
) -> Response {
    let caller = match take(exchange, endpoint) {
        Ok(caller) => caller,
        Err(Stopped::TooMany(seconds)) => return refused::too_many(endpoint, seconds, exchange.id()),
        // As it would be with something left: a client told 429 would take it for its own fault.
        Err(Stopped::Store(why)) => {
            audit::failed(exchange.id(), "store", why.clone());
            return TokenError::Unavailable(why).response();
        }
    };
    let response = answer();
    if !refused::counts(endpoint, response.status) {
        rate_limit::give_back(&caller);
    }
    response
}

/// As whose the request is counted.
fn take(exchange: &Exchange<'_>, endpoint: &str) -> Result<String, Stopped> {
    let address = refused::counted_as(endpoint, &exchange.request.peer);
    let Err(seconds) = rate_limit::take(&address) else { return Ok(address) };
    if let Some(given) = given(exchange).map_err(Stopped::Store)?
        && rate_limit::take(&given).is_ok()
    {
        return Ok(given);
    }
    audit::denied(exchange.id(), "rate_limited", None, format!("{address}: again in {seconds} s"));
    Err(Stopped::TooMany(seconds))
}

/// The record of what the request presents, if we gave it out. Looked for only when nothing else is left: a look into the store, as most refusals cost. In the façade there
/// are no such records, and no store to look into.
fn given(exchange: &Exchange<'_>) -> Result<Option<String>, String> {
    if facade::is_on() {
        return Ok(None);
    }
    let (content_type, authorization) = (exchange.field("content-type"), exchange.field("authorization"));
    let Some(name) = refused::presented(content_type, authorization, &exchange.request.body) else {
        return Ok(None);
    };
    Ok(grants::get(&name)?.map(|_| name))
}
