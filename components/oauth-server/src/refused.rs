//! Counting the requests of strangers that are refused.

use valet_core_oauth::http::Response;
use valet_core_oauth::refused;

use crate::bindings::valet::capability::rate_limit;
use crate::exchange::Exchange;
use crate::{audit, grants};

/// The `answer` of an endpoint (its path) that asks nobody who they are; 429 where too many were refused. One is taken before, so that those who come all at once are
/// counted too, and given back unless the answer is a refusal.
pub(crate) fn limited(
    exchange: &Exchange<'_>,
    endpoint: &str,
    answer: impl FnOnce() -> Response,
) -> Response {
    let caller = match take(exchange, endpoint) {
        Ok(caller) => caller,
        Err(seconds) => return refused::too_many(endpoint, seconds, exchange.id()),
    };
    let response = answer();
    if !refused::counts(response.status) {
        rate_limit::give_back(&caller);
    }
    response
}

/// As whose the request is counted, or after how many seconds there is one again.
fn take(exchange: &Exchange<'_>, endpoint: &str) -> Result<String, u32> {
    let address = refused::counted_as(endpoint, &exchange.request.peer);
    let Err(seconds) = rate_limit::take(&address) else { return Ok(address) };
    if let Some(given) = given(exchange)
        && rate_limit::take(&given).is_ok()
    {
        return Ok(given);
    }
    audit::denied(exchange.id(), "rate_limited", None, format!("{address}: again in {seconds} s"));
    Err(seconds)
}

/// The record of what the request presents, if we gave it out. Looked for only when nothing else is left: a look into the store, as most refusals cost. In the façade there
/// are no such records.
fn given(exchange: &Exchange<'_>) -> Option<String> {
    let (content_type, authorization) = (exchange.field("content-type"), exchange.field("authorization"));
    let name = refused::presented(content_type, authorization, &exchange.request.body)?;
    grants::get(&name).ok()?.map(|_| name)
}
