//! The one entry: [`verify`]. Reads top-down as the list of what is checked.

use crate::claims::{Caller, Claims, Version};
use crate::error::TokenError;
use crate::jwt::{self, shown};
use crate::keys::{KeySet, SignatureCheck, SignatureFailure};
use crate::rules::Rules;

/// Proof that a token was verified. Its field is private: [`verify`] is the only origin.
///
/// ```compile_fail
/// # let caller: valet_core_token::Caller = todo!();
/// let forged = valet_core_token::Verified { caller };
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
    let parts = jwt::parse(token)?;
    let chosen =
        keys.choose(&parts.key_id).ok_or_else(|| TokenError::UnknownKey { key_id: shown(&parts.key_id) })?;
    signatures.rs256(&chosen.key, parts.signing_input, &parts.signature).map_err(
        |failure| match failure {
            SignatureFailure::Mismatch => TokenError::Signature,
            SignatureFailure::UnsupportedKey => TokenError::UnsupportedKey,
        },
    )?;
    let claims = Claims::parse(&parts.payload)?;
    check_origin(&claims, chosen.issuer, rules)?;
    check_audience(&claims, rules)?;
    check_time(&claims, rules, now)?;
    Ok(Verified { caller: claims.caller })
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

fn check_audience(claims: &Claims, rules: &Rules<'_>) -> Result<(), TokenError> {
    if rules.audiences.contains(&claims.audience.as_str()) {
        return Ok(());
    }
    let expected = rules.audiences.iter().map(|&audience| audience.to_owned()).collect();
    Err(TokenError::Audience { found: shown(&claims.audience), expected })
}

/// RFC 7519 sections 4.1.4 to 4.1.6: good before `exp`, from `nbf` on, with the configured leeway on either side.
fn check_time(claims: &Claims, rules: &Rules<'_>, now: u64) -> Result<(), TokenError> {
    let leeway = u64::from(rules.leeway);
    let expires_at = claims.caller.expires_at;
    if expires_at <= claims.not_before {
        return Err(TokenError::EmptyLifetime { not_before: claims.not_before, expires_at });
    }
    if expires_at.saturating_add(leeway) <= now {
        return Err(TokenError::Expired { expires_at, now });
    }
    let from = claims.not_before.max(claims.issued_at);
    if from > now.saturating_add(leeway) {
        return Err(TokenError::NotYetValid { from, now });
    }
    Ok(())
}
