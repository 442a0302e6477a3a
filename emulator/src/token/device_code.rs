//! Grant `device_code`: polling until the person has decided. Single use, same client, same tenant.
//!
//! Source: Entra documentation, "OAuth 2.0 device authorization grant", expected errors.

use serde_json::Value;

use super::answer::{self, UserGrant};
use super::{Call, client_auth};
use crate::device::{DeviceGrant, Standing};
use crate::errors::Refusal;
use crate::registrations::Platform;
use crate::state::SignIn;
use crate::tokens::ClientProof;

/// Redeems a device code. Older clients name it `code`.
pub(super) fn redeem(call: &Call<'_>) -> Result<Value, Refusal> {
    let params = call.params;
    let code = params.get("device_code").or_else(|| params.get("code"));
    let code = code.ok_or(Refusal::Missing("device_code"))?;
    let (platform, proof) = prove(call)?;
    let (grant, user, sign_in) = call.state.devices.with(code, |held| {
        let held = held.ok_or(Refusal::DeviceCodeUnknown)?;
        let (user, sign_in) = judge(call, held)?;
        // Marked under the same lock, so that of two simultaneous polls one is refused.
        held.standing = Standing::Used;
        Ok::<_, Refusal>((held.clone(), user, sign_in))
    })?;
    let user = answer::user(call, user)?;
    let ask = answer::ask(call, user, &grant.ask)?;
    // As with codes: a scope here does not drop the OpenID words that the codes were asked with.
    let ask = crate::scopes::Ask { oidc: ask.oidc.union(&grant.ask.oidc).cloned().collect(), ..ask };
    let (refresh_until, nonce, claims) = (None, None, grant.claims);
    let grant = UserGrant { user, ask: &ask, proof, platform, refresh_until, nonce, sign_in, claims };
    answer::for_user(call, &grant)
}

/// No redirect URI tells the client type, so "Allow public client flows" does (AADSTS7000218 otherwise); a confidential
/// client proves itself.
fn prove(call: &Call<'_>) -> Result<(Option<Platform>, ClientProof), Refusal> {
    let credential = ["client_secret", "client_assertion"].iter().any(|name| call.params.get(name).is_some());
    let public = call.client.is_fallback_public_client && !credential;
    let platform = public.then_some(Platform::Public);
    Ok((platform, client_auth::prove(call, platform)?))
}

fn judge(call: &Call<'_>, held: &DeviceGrant) -> Result<(uuid::Uuid, SignIn), Refusal> {
    if held.client != call.client.client_id {
        return Err(Refusal::DeviceCodeUnknown);
    }
    if held.realm.tenant != call.realm.tenant {
        return Err(Refusal::CodeOfOtherTenant);
    }
    match held.standing {
        Standing::Used => Err(Refusal::DeviceCodeUnknown),
        _ if held.expires <= call.state.clock.now() => Err(Refusal::DeviceCodeExpired),
        Standing::Pending if call.state.devices.slows_down() => Err(Refusal::DeviceSlowDown),
        Standing::Pending => Err(Refusal::DevicePending),
        Standing::Declined => Err(Refusal::DeviceDeclined),
        Standing::Approved { user, sign_in } => Ok((user, sign_in)),
    }
}
