//! Grant `refresh_token`: a new one with every use; the old one stays valid, as in Entra, unless a test ends those that were used.
//!
//! How a token ends is here. That its user's grants were revoked, or signed in too long ago, is for the policies.

use serde_json::Value;

use super::answer::{self, UserGrant};
use super::{Call, client_auth};
use crate::claims_request::ClaimsRequest;
use crate::errors::Refusal;
use crate::registrations::Platform;
use crate::scopes::Ask;
use crate::state::{RefreshGrant, Spent};

/// A token that was not used for so long has ended: 90 days (Entra documentation, "Refresh tokens").
const INACTIVE: i64 = 90 * 24 * 3600;

/// Exchanges a refresh token. It is bound to user and client, so another resource or tenant may be asked for.
pub(super) fn refresh(call: &Call<'_>) -> Result<Value, Refusal> {
    let token = call.params.need("refresh_token")?;
    let held = call.state.with_refresh(token, |held| held.cloned());
    let held = held.ok_or(Refusal::BadGrant("nobody issued it"))?;
    let proof = client_auth::prove(call, held.platform)?;
    if held.client != call.client.client_id {
        return Err(Refusal::BadGrant("it was issued to another client"));
    }
    not_ended(call, &held)?;
    let user = answer::user(call, held.user)?;
    let asked = answer::ask(call, user, &held.ask)?;
    let mut oidc = asked.oidc.clone();
    // Whoever holds a refresh token gets its successor, asked or not.
    oidc.insert("offline_access".to_owned());
    let ask = Ask { oidc, ..asked };
    let (platform, sign_in, claims) = (held.platform, held.sign_in, ClaimsRequest::default());
    // The life of a single-page application's token is not extended by using it.
    let refresh_until = (platform == Some(Platform::Spa)).then_some(held.expires);
    let grant = UserGrant { user, ask: &ask, proof, platform, refresh_until, nonce: None, sign_in, claims };
    let answer = answer::for_user(call, &grant)?;
    let now = call.state.clock.now();
    call.state.with_refresh(token, |held| {
        if let Some(held) = held {
            held.used = now;
            // One that was ended while it was being used stays so.
            if held.spent == Spent::No {
                held.spent = Spent::Yes;
            }
        }
    });
    Ok(answer)
}

fn not_ended(call: &Call<'_>, held: &RefreshGrant) -> Result<(), Refusal> {
    if held.spent == Spent::Ended {
        return Err(Refusal::BadGrant("it was used before, and those that were used have been ended"));
    }
    let now = call.state.clock.now();
    match held.expires <= now {
        true if held.platform == Some(Platform::Spa) => Err(Refusal::SpaGrantExpired),
        _ if held.used.plus(INACTIVE) <= now => Err(Refusal::GrantInactive(held.issued.entra())),
        true => Err(Refusal::GrantExpired),
        false => Ok(()),
    }
}
