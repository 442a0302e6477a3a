//! Grant `refresh_token`: a new one with every use; the old one stays valid, as in Entra.

use serde_json::Value;

use super::answer::{self, UserGrant};
use super::{Call, client_auth};
use crate::errors::Refusal;
use crate::scopes::Ask;

/// Exchanges a refresh token. It is bound to user and client, so another resource may be asked for.
pub(super) fn refresh(call: &Call<'_>) -> Result<Value, Refusal> {
    let token = call.params.need("refresh_token")?;
    let held = call.state.refresh(token).ok_or(Refusal::BadGrant("nobody issued it"))?;
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
    answer::for_user(call, &UserGrant { user, ask: &ask, proof, platform: held.platform, nonce: None })
}
