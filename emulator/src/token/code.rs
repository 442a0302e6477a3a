//! Grant `authorization_code` with PKCE: single use, ten minutes, same redirect URI, same client, same tenant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::answer::{self, UserGrant};
use super::{Call, client_auth};
use crate::errors::Refusal;
use crate::state::{Challenge, CodeGrant};
use crate::tokens::ClientProof;

/// Redeems a code.
pub(super) fn redeem(call: &Call<'_>) -> Result<Value, Refusal> {
    let code = call.params.need("code")?;
    let redirect_uri = call.params.need("redirect_uri")?;
    if call.client.redirect_uris.platform(redirect_uri).is_none() {
        return Err(Refusal::RedirectNotRegistered(redirect_uri.to_owned()));
    }
    let (grant, proof) = call.state.with_code(code, |held| {
        let held = held.ok_or(Refusal::BadGrant("nobody issued it"))?;
        let proof = judge(call, held, redirect_uri)?;
        // Marked under the same lock, so that of two simultaneous requests one is refused.
        held.used = true;
        Ok::<_, Refusal>((held.clone(), proof))
    })?;
    let user = answer::user(call, grant.user)?;
    let ask = answer::ask(call, user, &grant.ask)?;
    // A later request may drop the OpenID words, but the code was asked with them.
    let ask = crate::scopes::Ask { oidc: ask.oidc.union(&grant.ask.oidc).cloned().collect(), ..ask };
    let platform = Some(grant.platform);
    let CodeGrant { sign_in, claims, .. } = grant;
    let nonce = grant.nonce.as_deref();
    answer::for_user(
        call,
        &UserGrant { user, ask: &ask, proof, platform, refresh_until: None, nonce, sign_in, claims },
    )
}

fn judge(call: &Call<'_>, held: &CodeGrant, redirect_uri: &str) -> Result<ClientProof, Refusal> {
    let proof = client_auth::prove(call, Some(held.platform))?;
    if held.client != call.client.client_id {
        return Err(Refusal::BadGrant("it was issued to another client"));
    }
    if !call.realm.admits(held.tenant) {
        return Err(Refusal::CodeOfOtherTenant);
    }
    if held.used {
        return Err(Refusal::CodeReused);
    }
    if held.expires <= call.state.clock.now() {
        return Err(Refusal::GrantExpired);
    }
    if held.redirect_uri != redirect_uri {
        let (given, used) = (redirect_uri.to_owned(), held.redirect_uri.clone());
        return Err(Refusal::RedirectDiffers { given, used });
    }
    match verifies(held.challenge.as_ref(), call.params.get("code_verifier")) {
        true => Ok(proof),
        false => Err(Refusal::PkceMismatch),
    }
}

/// RFC 7636 section 4.6. A verifier without a challenge is refused as well (RFC 9700 section 2.1.1).
fn verifies(challenge: Option<&Challenge>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(c), Some(v)) if c.hashed => URL_SAFE_NO_PAD.encode(Sha256::digest(v)) == c.value,
        (Some(c), Some(v)) => c.value == v,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkce_agrees_with_the_example_of_rfc_7636_appendix_b() {
        let challenge =
            Challenge { value: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into(), hashed: true };
        assert!(verifies(Some(&challenge), Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
        assert!(!verifies(Some(&challenge), Some("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")));
        assert!(!verifies(Some(&challenge), None));
        assert!(!verifies(None, Some("x")));
    }
}
