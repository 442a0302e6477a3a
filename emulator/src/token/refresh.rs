//! Grant `refresh_token`: a new one with every use; the old one stays valid, as in Entra.

use serde_json::Value;

use super::answer::{self, UserGrant};
use super::{Call, client_auth};
use crate::claims_request::ClaimsRequest;
use crate::errors::Refusal;
use crate::scopes::Ask;

/// Exchanges a refresh token. It is bound to user and client, so another resource may be asked for.
pub(super) fn refresh(call: &Call<'_>) -> Result<Value, Refusal> {
    let token = call.params.need("refresh_token")?;
    let held = call.state.with_refresh(token, |held| held.cloned());
    let held = held.ok_or(Refusal::BadGrant("nobody issued it"))?;
    let proof = client_auth::prove(call, held.platform)?;
    if held.client != call.client.client_id {
        return Err(Refusal::BadGrant("it was issued to another client"));
    }
    if held.expires <= call.state.clock.now() {
        return Err(Refusal::GrantExpired);
    }
    let user = answer::user(call, held.user)?;
    let asked = answer::ask(call, user, &held.ask)?;
    let mut oidc = asked.oidc.clone();
    // Whoever holds a refresh token gets its successor, asked or not.
    oidc.insert("offline_access".to_owned());
    let ask = Ask { oidc, ..asked };
    let (platform, sign_in, claims) = (held.platform, held.sign_in, ClaimsRequest::default());
    answer::for_user(call, &UserGrant { user, ask: &ask, proof, platform, nonce: None, sign_in, claims })
}
