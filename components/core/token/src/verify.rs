//! The two entries, [`verify`] and [`verify_at_jwt`]. Reads top-down as the list of what is checked.

use crate::at_jwt::{AtJwtClaims, AtJwtRules};
use crate::claims::{Caller, Claims, Lifetime, Version};
use crate::error::{TokenError, shown};
use crate::jwt::{self, Parts, Profile};
use crate::keys::{Chosen, KeySet, SignatureCheck, SignatureFailure};
use crate::rules::Rules;

/// Proof that a token was verified. Its field is private: [`verify`] and [`verify_at_jwt`] are its only origins.
///
/// ```compile_fail
/// # use valet_core_token::{Caller, Verified};
/// fn forged(caller: Caller) -> Verified {
///     Verified { caller }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    caller: Caller,
}

impl Verified {
    /// Who the token speaks for.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Takes the caller out, which gives the proof up.
    #[must_use]
    pub fn into_caller(self) -> Caller {
        self.caller
    }
}

/// Verifies `token` (a compact JWS without scheme) against `keys` and `rules` at `now` (seconds since the Unix epoch).
///
/// # Errors
/// One [`TokenError`] for the first rule that is not met.
pub fn verify(
    token: &str,
    keys: &KeySet<'_>,
    rules: &Rules<'_>,
    now: u64,
    signatures: &impl SignatureCheck,
) -> Result<Verified, TokenError> {
    rules.check()?;
    let parts = jwt::parse(token, Profile::Entra)?;
    let chosen = check_signature(&parts, keys, signatures)?;
    let claims = Claims::parse(&parts.payload)?;
    check_origin(&claims, chosen.issuer, rules)?;
    check_client(&claims, rules)?;
    check_audience(&claims.audience, rules.audiences)?;
    check_time(&claims.lifetime(), rules.leeway, now)?;
    Ok(Verified { caller: claims.caller })
}

/// Verifies `token` as an access token of an authorization server of ours (RFC 9068), against that server's own `keys`, at `now` (seconds
/// since the Unix epoch). Entra's keys have no place here, nor these keys in [`verify`]: a key signs for one issuer.
///
/// # Errors
/// One [`TokenError`] for the first rule that is not met.
pub fn verify_at_jwt(
    token: &str,
    keys: &KeySet<'_>,
    rules: &AtJwtRules<'_>,
    now: u64,
    signatures: &impl SignatureCheck,
) -> Result<Verified, TokenError> {
    rules.check()?;
    let parts = jwt::parse(token, Profile::AtJwt)?;
    let chosen = check_signature(&parts, keys, signatures)?;
    let claims = AtJwtClaims::parse(&parts.payload)?;
    // Our own key documents name no issuer; one that does is somebody else's.
    if let Some(key) = chosen.issuer.filter(|&issuer| issuer != rules.issuer) {
        return Err(TokenError::KeyIssuer { key: shown(key), expected: rules.issuer.to_owned() });
    }
    if claims.issuer != rules.issuer {
        let expected = rules.issuer.to_owned();
        return Err(TokenError::Issuer { found: shown(&claims.issuer), expected });
    }
    check_audience(&claims.audience, &[rules.audience])?;
    check_time(&claims.lifetime(), rules.leeway, now)?;
    Ok(Verified { caller: claims.caller })
}

/// The key that the token names, after its signature was found good.
fn check_signature<'k>(
    parts: &Parts<'_>,
    keys: &'k KeySet<'_>,
    signatures: &impl SignatureCheck,
) -> Result<Chosen<'k>, TokenError> {
    let chosen =
        keys.choose(&parts.key_id).ok_or_else(|| TokenError::UnknownKey { key_id: shown(&parts.key_id) })?;
    match signatures.rs256(chosen.key, parts.signing_input, &parts.signature) {
        Ok(()) => Ok(chosen),
        Err(SignatureFailure::Mismatch) => Err(TokenError::Signature),
        Err(SignatureFailure::UnsupportedKey) => Err(TokenError::UnsupportedKey),
    }
}

/// The chain key → issuer → tenant (Microsoft identity platform, claims validation): the key may sign for the tenant, the
/// issuer is that tenant's, and the tenant may call.
fn check_origin(claims: &Claims, key_issuer: Option<&str>, rules: &Rules<'_>) -> Result<(), TokenError> {
    let tenant = claims.caller.tenant_id.as_str();
    let v2_issuer = rules.v2_issuer(tenant);
    if let Some(template) = key_issuer {
        let key = template.replace("{tenantid}", tenant);
        if key != v2_issuer {
            return Err(TokenError::KeyIssuer { key: shown(&key), expected: v2_issuer });
        }
    }
    let expected = match claims.version {
        Version::V1 => rules.v1_issuer(tenant),
        Version::V2 => v2_issuer,
    };
    if claims.issuer != expected {
        return Err(TokenError::Issuer { found: shown(&claims.issuer), expected });
    }
    if !rules.tenants.contains(&tenant) {
        return Err(TokenError::Tenant { found: tenant.to_owned() });
    }
    Ok(())
}

/// The operator's choice of client applications, if there is one. What Entra lets have a token is the tenant's choice, made by consent.
fn check_client(claims: &Claims, rules: &Rules<'_>) -> Result<(), TokenError> {
    let client = claims.caller.client_id.as_str();
    match rules.clients {
        Some(clients) if !clients.contains(&client) => Err(TokenError::Client { found: client.to_owned() }),
        _ => Ok(()),
    }
}

fn check_audience(found: &str, accepted: &[&str]) -> Result<(), TokenError> {
    if accepted.contains(&found) {
        return Ok(());
    }
    let expected = accepted.iter().map(|&audience| audience.to_owned()).collect();
    Err(TokenError::Audience { found: shown(found), expected })
}

/// RFC 7519 sections 4.1.4 to 4.1.6: good before `exp`, from the later of `nbf` and `iat` on, with the configured leeway on either side.
fn check_time(lifetime: &Lifetime, leeway: u32, now: u64) -> Result<(), TokenError> {
    let Lifetime { not_before, issued_at, expires_at } = *lifetime;
    let leeway = u64::from(leeway);
    if expires_at <= not_before {
        return Err(TokenError::EmptyLifetime { not_before, expires_at });
    }
    if expires_at.saturating_add(leeway) <= now {
        return Err(TokenError::Expired { expires_at, now });
    }
    for (claim, from) in [("nbf", not_before), ("iat", issued_at)] {
        if from > now.saturating_add(leeway) {
            return Err(TokenError::NotYetValid { claim, from, now });
        }
    }
    Ok(())
}
