//! The token endpoint: a code or a refresh token for tokens of ours.

use valet_core_oauth::SecretString;
use valet_core_oauth::at_jwt;
use valet_core_oauth::client::Client;
use valet_core_oauth::code;
use valet_core_oauth::http::Response;
use valet_core_oauth::limits;
use valet_core_oauth::refresh::{self, Issued, RefreshError};
use valet_core_oauth::token::{self, Presented, Request, TokenError};
use valet_core_oauth::user::{Grant, Session};

use crate::bindings::valet::capability::token_signing;
use crate::bindings::valet::oauth::sessions::{self, Failure};
use crate::clients::{self, NoClient};
use crate::entra::words;
use crate::exchange::Exchange;
use crate::grants::{self, Change};
use crate::{accounts, audit, random, step_up};

/// A client asks for tokens.
pub(crate) fn token(exchange: &Exchange<'_>) -> Response {
    let mut client_id = None;
    match answer(exchange, &mut client_id) {
        Ok((response, grant)) => {
            audit::allowed(exchange.id(), "token_issued", &grant.session.user, &grant.client_id);
            response
        }
        Err(error) => {
            record(exchange, &error, client_id.as_deref());
            error.response()
        }
    }
}

/// Records an error: what is ours has failed, everything else was refused.
pub(crate) fn record(exchange: &Exchange<'_>, error: &TokenError, client_id: Option<&str>) {
    let reason = error.code().1.as_str();
    match error {
        TokenError::Unavailable(_) | TokenError::Misconfigured(_) => {
            audit::failed(exchange.id(), reason, error.to_string());
        }
        _ => audit::denied(exchange.id(), reason, client_id, error.to_string()),
    }
}

fn answer(exchange: &Exchange<'_>, named: &mut Option<String>) -> Result<(Response, Grant), TokenError> {
    let (settings, request) = (&exchange.settings, exchange.request);
    let Request { authentication, presented } = Request::read(
        exchange.field("content-type"),
        exchange.field("authorization"),
        &request.body,
        settings,
    )?;
    let client = client(&authentication.client_id, exchange)?;
    *named = Some(client.id.clone());
    authentication.check(&client)?;
    let issued = match presented {
        Presented::Code { code, redirect_uri, verifier } => {
            redeem(exchange, &client, &code, redirect_uri.as_deref(), verifier.as_ref())?
        }
        Presented::Refresh { token, scope } => rotate(exchange, &client, &token, scope.as_deref())?,
    };
    let access_token = access_token(exchange, &issued.grant)?;
    let response = token::response(&access_token, &issued.token, &issued.grant.scopes, settings);
    Ok((response, issued.grant))
}

/// The client of a request to this endpoint or to the one of revocation.
pub(crate) fn client(client_id: &str, exchange: &Exchange<'_>) -> Result<Client, TokenError> {
    clients::of_token(client_id, &exchange.settings).map_err(|error| match error {
        NoClient::Client(error) => TokenError::Client(error),
        NoClient::Document(error) => TokenError::Unavailable(error.to_string()),
        NoClient::Busy => TokenError::Unavailable("too many documents at once".to_owned()),
        NoClient::Fetch(why) | NoClient::Store(why) => TokenError::Unavailable(why),
    })
}

/// A code, once, for the first tokens of a sign-in. These are kept before the code is marked as spent, so that a crash between the two leaves a code that
/// can be tried again.
fn redeem(
    exchange: &Exchange<'_>,
    client: &Client,
    presented: &SecretString,
    redirect_uri: Option<&str>,
    verifier: Option<&SecretString>,
) -> Result<Issued, TokenError> {
    let decided = grants::change(&code::record_name(presented), |record| {
        match code::redeem(record, &client.id, redirect_uri, verifier, exchange.now) {
            Ok(code::Decision::Redeem { grant, family, spent }) => {
                let (key, random) = (random::bytes(), random::bytes());
                let issued = refresh::begin(grant, &family, &key, &random, &exchange.settings, exchange.now);
                match grants::set(&issued.record, &issued.value, issued.lifetime) {
                    Ok(()) => Change::Replace(spent, limits::SPENT_CODE_LIFETIME, Ok(Ok(issued))),
                    Err(why) => Change::Nothing(Err(TokenError::Unavailable(why))),
                }
            }
            Ok(code::Decision::Replayed(spent)) => Change::Nothing(Ok(Err(spent))),
            Err(error) => Change::Nothing(Err(TokenError::Code(error))),
        }
    });
    match decided.map_err(TokenError::Unavailable)?? {
        Ok(issued) => Ok(issued),
        Err(spent) => {
            end(exchange, &spent.grant, Some(&spent.family))?;
            Err(TokenError::CodeReplayed)
        }
    }
}

/// A refresh token for its successor. The successor is kept before anybody sees it.
fn rotate(
    exchange: &Exchange<'_>,
    client: &Client,
    token: &SecretString,
    scope: Option<&str>,
) -> Result<Issued, TokenError> {
    let presented = refresh::Presented::parse(token).ok_or(TokenError::Refresh(RefreshError::Unknown))?;
    let random = random::bytes();
    let decided = grants::change(&presented.record_name(), |record| {
        let decision =
            refresh::decide(record, &presented, &client.id, scope, &random, &exchange.settings, exchange.now);
        match decision {
            Err(error) => Change::Nothing(Err(TokenError::Refresh(error))),
            Ok(refresh::Decision::Reused { grant }) => {
                let ended = end(exchange, &grant, Some(presented.family()));
                Change::Nothing(ended.and(Err(TokenError::RefreshReused)))
            }
            Ok(refresh::Decision::Rotate(rotation)) => match renewed(&rotation.grant().session) {
                Ok(session) => {
                    let issued = rotation.finish(session, exchange.now);
                    Change::Replace(issued.value.clone(), issued.lifetime, Ok(issued))
                }
                // Entra said so, or it is not there: whatever is left of it ends too, with the access tokens that still live. By the family, of which no token is
                // taken any more, the permission can still be given back: perhaps that was begun, and failed when the session had been ended.
                Err(error @ TokenError::SessionEnded(_)) => {
                    Change::Nothing(end(exchange, rotation.grant(), None).and(Err(error)))
                }
                Err(error) => Change::Nothing(Err(error)),
            },
        }
    });
    decided.map_err(TokenError::Unavailable)?
}

/// The session as Entra sees it now; as it saw it last while the user is there to do what is wanted of them.
fn renewed(session: &Session) -> Result<Session, TokenError> {
    let failure = match sessions::renew(&session.id) {
        Ok(session) => return Ok(session.into()),
        Err(failure) => failure,
    };
    let why = words(&failure);
    Err(match failure {
        Failure::Ended(_) => TokenError::SessionEnded(why),
        Failure::InteractionRequired(_) => {
            if step_up::is_open(&session.id).map_err(TokenError::Unavailable)? {
                return Ok(session.clone());
            }
            TokenError::InteractionRequired(why)
        }
        Failure::Misconfigured(_) => TokenError::Misconfigured(why),
        Failure::Throttled(_) | Failure::Unavailable(_) => TokenError::Unavailable(why),
    })
}

/// Ends what two have got hold of, or what is over.
fn end(exchange: &Exchange<'_>, grant: &Grant, family: Option<&str>) -> Result<(), TokenError> {
    accounts::end_granted(exchange, grant, family).map_err(TokenError::Unavailable)
}

fn access_token(exchange: &Exchange<'_>, grant: &Grant) -> Result<SecretString, TokenError> {
    let key_id = token_signing::key_id().map_err(TokenError::Misconfigured)?;
    let input = at_jwt::signing_input(grant, &key_id, &random::bytes(), &exchange.settings, exchange.now);
    let signature = token_signing::sign(input.as_bytes()).map_err(TokenError::Misconfigured)?;
    Ok(at_jwt::token(&input, &signature))
}
