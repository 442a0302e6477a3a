//! The revocation endpoint.

use valet_core_oauth::http::Response;
use valet_core_oauth::refresh;
use valet_core_oauth::revoke::{self, Request, Target};
use valet_core_oauth::token::TokenError;

use crate::exchange::Exchange;
use crate::{accounts, audit, grants, token};

/// A client gives a token back.
pub(crate) fn revoke(exchange: &Exchange<'_>) -> Response {
    answer(exchange).unwrap_or_else(|error| {
        token::record(exchange, &error, None);
        error.response()
    })
}

fn answer(exchange: &Exchange<'_>) -> Result<Response, TokenError> {
    let request = Request::read(
        exchange.field("content-type"),
        exchange.field("authorization"),
        &exchange.request.body,
    )?;
    let client = token::client(&request.authentication.client_id, exchange)?;
    request.authentication.check(&client)?;
    let presented = match request.target() {
        Target::Refresh(presented) => presented,
        Target::Access => return Ok(revoke::unsupported()),
        Target::Unknown => return Ok(revoke::done()),
    };
    let record = grants::get(&presented.record_name()).map_err(TokenError::Unavailable)?;
    match refresh::revoke(record.as_deref(), &presented, &client.id) {
        Ok(grant) => {
            let user = &grant.session.user;
            accounts::end_granted(exchange, &grant, presented.family()).map_err(TokenError::Unavailable)?;
            audit::allowed(exchange.id(), "revoked", user, &client.id);
            Ok(revoke::done())
        }
        Err(error) => Ok(revoke::refused(&error).unwrap_or_else(revoke::done)),
    }
}
