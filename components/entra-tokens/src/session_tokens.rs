//! Tokens of a downstream API out of a session: what it holds, else what its refresh token brings.

use valet_core_entra::kept::Kept;
use valet_core_entra::refresh::Request;
use valet_core_entra::session::{Refusal, SessionId, refusal};
use valet_core_entra::{ExposeSecret as _, with_openid};

use crate::authority::{self, Authority, capabilities};
use crate::bindings::exports::valet::downstream::tokens::Principal;
use crate::bindings::wasi::clocks::wall_clock;
use crate::fault::Fault;
use crate::sessions::{Held, Records, api_scopes, identity, known_until, record_wanted};

/// The session of a caller who signed in here; none for one with a token of Entra's.
pub(crate) fn session_of(of: &Principal) -> Result<Option<SessionId>, Fault> {
    let Some(text) = of.caller().session_id else { return Ok(None) };
    let id = SessionId::parse(&text);
    id.map(Some).ok_or_else(|| Fault::Grant("the token names a session of another form".to_owned()))
}

pub(crate) fn acquire(id: &SessionId, scopes: &[String], claims: Option<&str>) -> Result<String, Fault> {
    let records = Records::open()?;
    let at_hand = |held: &Held| {
        let token = held.session.token(scopes, wall_clock::now().seconds)?;
        claims.is_none().then(|| token.expose_secret().to_owned())
    };
    if let Some(token) = at_hand(&records.get(id)?) {
        return Ok(token);
    }
    // Of many calls that find it due, one asks; the others find what it brought.
    let _turn = records.take_turn(id)?;
    let mut held = records.get(id)?;
    if let Some(token) = at_hand(&held) {
        return Ok(token);
    }
    refresh(&records, id, &mut held, scopes, claims)
}

/// Asks the authority for a token for `scopes`, and keeps what it gives before anybody gets to use it.
///
/// The refusal of the refresh token itself is the end of the session. Where the person has to do something, it goes on for what needs nothing: but claims that
/// are wanted are remembered, so that it is not renewed, the person signs in again, and is then asked for them.
pub(crate) fn refresh(
    records: &Records,
    id: &SessionId,
    held: &mut Held,
    scopes: &[String],
    claims: Option<&str>,
) -> Result<String, Fault> {
    match ask(records, id, held, scopes, claims) {
        Err(Fault::Refused(detail)) => {
            let opened_with = api_scopes()?;
            if refusal(&detail, scopes, &opened_with) == Refusal::Doubtful {
                // Whether the session is good is not for the scopes of one tool to say.
                match ask(records, id, held, &opened_with, None) {
                    Ok(_) => return Err(Fault::Interaction(None)),
                    Err(Fault::Refused(_)) => {}
                    Err(fault) => return Err(fault),
                }
            }
            records.delete(id)?;
            Err(Fault::Refused(detail))
        }
        // The authority's claims go before the API's: it was told those.
        Err(Fault::Interaction(wanted)) => match wanted.or(claims.map(str::to_owned)) {
            Some(wanted) => {
                record_wanted(records, id.tenant_id(), id.object_id(), &wanted)?;
                held.session.short_of = Some(scopes.to_vec());
                records.replace(id, held)?;
                Err(Fault::Interaction(Some(wanted)))
            }
            None => Err(Fault::Interaction(None)),
        },
        answer => answer,
    }
}

/// The request of [`refresh`], and what it brings.
fn ask(
    records: &Records,
    id: &SessionId,
    held: &mut Held,
    scopes: &[String],
    claims: Option<&str>,
) -> Result<String, Fault> {
    let us = Authority::read()?;
    let session = &mut held.session;
    let client = us.client(id.tenant_id());
    let request = Request {
        client,
        refresh_token: &session.refresh_token,
        scopes: &with_openid(scopes),
        claims: Some(&capabilities(claims)?),
    };
    let now = wall_clock::now().seconds;
    let tokens = authority::tokens(client.token_url(), &request.body())?;
    if let Some(token) = &tokens.id_token {
        let identity = identity(&us, token, None, now, |error| Fault::Unavailable(error.to_string()))?;
        if !id.is_of(&identity.tenant_id, &identity.object_id) {
            return Err(Fault::Unavailable("the authority's ID token is somebody else's".to_owned()));
        }
        session.roles = identity.roles;
        session.display_name = identity.name;
        session.known_until = known_until(now, tokens.expires_in);
    }
    if let Some(next) = tokens.refresh_token {
        session.refresh_token = next;
    }
    let access_token = tokens.access_token.expose_secret().to_owned();
    let expires_at = now.saturating_add(tokens.expires_in);
    session.keep(scopes, Kept { access_token: tokens.access_token, expires_at });
    records.replace(id, held)?;
    Ok(access_token)
}

pub(crate) fn forget(id: &SessionId, scopes: &[String]) -> Result<(), Fault> {
    let records = Records::open()?;
    let _turn = records.take_turn(id)?;
    let mut held = records.get(id)?;
    held.session.forget(scopes);
    records.replace(id, &held)
}
