//! The registration endpoint, where it is on.

use valet_core_oauth::http::Response;
use valet_core_oauth::limits;
use valet_core_oauth::registration::{self, RegistrationError};
use valet_core_oauth::token::TokenError;

use crate::exchange::Exchange;
use crate::{audit, grants, random};

/// Why there is no registration.
enum NotRegistered {
    Refused(RegistrationError),
    Store(String),
}

/// Somebody wants to be a client.
pub(crate) fn register(exchange: &Exchange<'_>) -> Response {
    match registered(exchange) {
        Ok(response) => {
            audit::granted(exchange.id(), "registered", None);
            response
        }
        Err(NotRegistered::Refused(error)) => refused(exchange, &error),
        Err(NotRegistered::Store(why)) => {
            audit::failed(exchange.id(), "store", why.clone());
            TokenError::Unavailable(why).response()
        }
    }
}

/// The answer to a registration that is refused.
pub(crate) fn refused(exchange: &Exchange<'_>, error: &RegistrationError) -> Response {
    audit::denied(exchange.id(), "registration", None, error.to_string());
    error.response()
}

fn registered(exchange: &Exchange<'_>) -> Result<Response, NotRegistered> {
    let rules = exchange.settings.registration.as_ref();
    // What is refused anyway costs no look into the store.
    let candidate = registration::check(rules, exchange.field("content-type"), &exchange.request.body)
        .map_err(NotRegistered::Refused)?;
    let count_to = u32::try_from(candidate.count_to()).unwrap_or(u32::MAX);
    let count = || grants::count("client/", count_to).map(u64::from).map_err(NotRegistered::Store);
    // Where it is full, nothing is written.
    let registered =
        candidate.register(count()?, &random::bytes(), exchange.now).map_err(NotRegistered::Refused)?;
    let record = registered.record.clone();
    grants::set(&record, &registered.value, limits::REGISTRATION_UNUSED_LIFETIME)
        .map_err(NotRegistered::Store)?;
    let answer = count().and_then(|count| registered.answer(count).map_err(NotRegistered::Refused));
    if answer.is_err() {
        // Nobody has heard its id. If this fails, too, it takes a place for as long as one that is not used.
        let _ = grants::delete(&record);
    }
    answer
}
