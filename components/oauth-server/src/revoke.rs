//! The revocation endpoint.

use valet_core_oauth::ExposeSecret as _;
use valet_core_oauth::http::Response;
use valet_core_oauth::refresh;
use valet_core_oauth::revoke::{self, Request, Target};
use valet_core_oauth::token::TokenError;
use valet_core_oauth::user::User;

use crate::access_token::{self, Verified};
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
    let (user, session, family) = match request.target() {
        Target::Refresh(presented) => {
            let record = grants::get(&presented.record_name()).map_err(TokenError::Unavailable)?;
            match refresh::revoke(record.as_deref(), &presented, &client.id) {
                Ok(grant) => (grant.session.user, grant.session.id, Some(presented.family().to_owned())),
                Err(error) => return Ok(revoke::refused(&error).unwrap_or_else(revoke::done)),
            }
        }
        Target::Access(token) => {
            let Verified { client_id, user, session } =
                match access_token::verify(token.expose_secret(), exchange)? {
                    Some(verified) => verified,
                    None => return Ok(revoke::done()),
                };
            if let Err(error) = revoke::check_access(&client_id, &client.id) {
                return Ok(revoke::refused(&error).unwrap_or_else(revoke::done));
            }
            let account = accounts::read(&user).map_err(TokenError::Unavailable)?;
            let family = account.family_of(&session).map(str::to_owned);
            (user, session, family)
        }
        Target::Unknown => return Ok(revoke::done()),
    };
    give_back(exchange, &user, &session, &client.id, family.as_deref()).map_err(TokenError::Unavailable)?;
    audit::allowed(exchange.id(), "revoked", &user, &client.id);
    Ok(revoke::done())
}

/// Ends the session first, so that what fails after that lets nobody in meanwhile. The record by which a refresh token is known goes last: with it gone, the client that tries
/// again would be told that all is done (RFC 7009 section 2.2), and the permission would stay. An access token whose session has no family (any more) was given back before, or is
/// over, and takes no permission along: its user may have given a new one.
fn give_back(
    exchange: &Exchange<'_>,
    user: &User,
    session: &str,
    client_id: &str,
    family: Option<&str>,
) -> Result<(), String> {
    accounts::end(session, None)?;
    let Some(family) = family else { return Ok(()) };
    accounts::change(exchange, user, |account| account.give_back(session, client_id))?;
    accounts::end_family(family)
}
