//! The registration endpoint, where it is on.

use valet_core_oauth::http::Response;
use valet_core_oauth::limits;
use valet_core_oauth::registration;
use valet_core_oauth::token::TokenError;

use crate::exchange::Exchange;
use crate::{audit, grants, random};

/// Somebody wants to be a client.
pub(crate) fn register(exchange: &Exchange<'_>) -> Response {
    let rules = exchange.settings.registration.as_ref();
    let most = rules.map_or(0, |rules| u32::try_from(rules.most).unwrap_or(u32::MAX));
    let unavailable = |why: String| {
        audit::failed(exchange.id(), "store", why.clone());
        TokenError::Unavailable(why).response()
    };
    let count = match rules.map(|_| grants::count("client/", most)).transpose() {
        Ok(count) => count.unwrap_or_default(),
        Err(why) => return unavailable(why),
    };
    let registered = registration::register(
        rules,
        exchange.field("content-type"),
        &exchange.request.body,
        count.into(),
        &random::bytes(),
        exchange.now,
    );
    match registered {
        Ok(registered) => {
            match grants::set(&registered.record, &registered.value, limits::REGISTRATION_UNUSED_LIFETIME) {
                Ok(()) => registered.response,
                Err(why) => unavailable(why),
            }
        }
        Err(error) => {
            audit::denied(exchange.id(), "registration", None, error.to_string());
            error.response()
        }
    }
}
