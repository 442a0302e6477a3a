//! Tokens: whole, and header and claims by themselves.

use std::sync::LazyLock;

use serde_json::{Value, json};
use valet_core_token::{
    AtJwtRules, Caller, KeySet, RsaKey, Rules, SignatureCheck, SignatureFailure, TokenError, Verified, hint,
    verify, verify_at_jwt,
};
use valet_minting::{
    AT_JWT_AUDIENCE, AT_JWT_ISSUER, AUDIENCE, AUDIENCE_URI, AUTHORITY, KEY_ID, SECOND_TENANT, TENANT,
    V1_AUTHORITY, at_jwt_header, base64url,
};

/// The moment at which everything is checked.
pub(crate) const NOW: u64 = 1_800_000_000;
const LEEWAY: u32 = 60;

const RULES: Rules<'_> = Rules {
    authority: AUTHORITY,
    v1_authority: V1_AUTHORITY,
    tenants: &[TENANT, SECOND_TENANT],
    audiences: &[AUDIENCE, AUDIENCE_URI],
    clients: None,
    leeway: LEEWAY,
};

const AT_JWT_RULES: AtJwtRules<'_> =
    AtJwtRules { issuer: AT_JWT_ISSUER, audience: AT_JWT_AUDIENCE, leeway: LEEWAY };

/// No key: a number of the right size under the name that the seeds have.
static KEYS: LazyLock<KeySet<'static>> = LazyLock::new(|| {
    let key = json!({ "kty": "RSA", "kid": KEY_ID, "n": base64url([0xc5; 256]), "e": "AQAB" });
    KeySet::parse(&json!({ "keys": [key] }).to_string()).expect("a key set").into_owned()
});

struct BelieveAll;

impl SignatureCheck for BelieveAll {
    fn rs256(&self, _: &RsaKey, _: &[u8], _: &[u8]) -> Result<(), SignatureFailure> {
        Ok(())
    }
}

fn entra(token: &str) -> Result<Caller, TokenError> {
    verify(token, &KEYS, &RULES, NOW, &BelieveAll).map(Verified::into_caller)
}

fn at_jwt(token: &str) -> Result<Caller, TokenError> {
    verify_at_jwt(token, &KEYS, &AT_JWT_RULES, NOW, &BelieveAll).map(Verified::into_caller)
}

/// An error is short and printable: it goes to a log.
fn check_error(error: &TokenError) {
    let text = error.to_string();
    assert!(text.len() < 1024 && !text.contains(char::is_control), "{text:?}");
    let _ = error.reason();
}

pub(crate) fn token(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let hint = hint(token);
    for (other, verdict) in [(at_jwt(token), entra(token)), (entra(token), at_jwt(token))] {
        match verdict {
            Ok(caller) => {
                assert_eq!(
                    hint.tenant.as_deref(),
                    Some(&*caller.tenant_id),
                    "the hint of a good token is the truth"
                );
                assert!(other.is_err(), "no token is of both kinds");
            }
            Err(error) => check_error(&error),
        }
    }
}

pub(crate) fn header(data: &[u8]) {
    let payload = base64url(valet_minting::claims(NOW).to_string());
    match entra(&format!("{}.{payload}.AAAA", base64url(data))) {
        Ok(_) => {
            let header: Value = serde_json::from_slice(data).expect("an accepted header is JSON");
            assert_eq!((&header["alg"], &header["kid"]), (&json!("RS256"), &json!(KEY_ID)));
            let typ = header.get("typ").map(|typ| typ.as_str().expect("text").to_ascii_uppercase());
            assert!(typ.is_none_or(|typ| typ == "JWT"));
            for steering in ["crit", "b64", "jku", "jwk", "x5u", "x5c", "enc", "zip", "cty", "nonce"] {
                assert!(header.get(steering).is_none(), "{steering}");
            }
        }
        Err(error) => check_error(&error),
    }
}

pub(crate) fn claims(data: &[u8]) {
    let header = base64url(valet_minting::header().to_string());
    match entra(&format!("{header}.{}.AAAA", base64url(data))) {
        Ok(caller) => {
            let claims = accepted(data, &caller, "scp");
            let issuer = match &claims["ver"] {
                ver if ver == "1.0" => format!("{V1_AUTHORITY}/{}/", caller.tenant_id),
                _ => format!("{AUTHORITY}/{}/v2.0", caller.tenant_id),
            };
            assert_eq!(claims["iss"], json!(issuer));
            assert!(RULES.tenants.contains(&&*caller.tenant_id));
            assert!(claims["aud"] == AUDIENCE || claims["aud"] == AUDIENCE_URI);
            assert!(
                claims["nbf"]
                    .as_u64()
                    .is_some_and(|nbf| nbf < caller.expires_at && nbf <= NOW + u64::from(LEEWAY))
            );
        }
        Err(error) => check_error(&error),
    }
}

pub(crate) fn at_jwt_claims(data: &[u8]) {
    let header = base64url(at_jwt_header().to_string());
    match at_jwt(&format!("{header}.{}.AAAA", base64url(data))) {
        Ok(caller) => {
            let claims = accepted(data, &caller, "scope");
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!(AT_JWT_ISSUER), &json!(AT_JWT_AUDIENCE)));
            assert_eq!(
                (&claims["client_id"], &claims["jti"], &claims["sid"]),
                (&json!(caller.client_id), &json!(caller.token_id), &json!(caller.session_id))
            );
        }
        Err(error) => check_error(&error),
    }
}

/// What holds for accepted claims of either kind, read a second time as plain JSON.
fn accepted(data: &[u8], caller: &Caller, scopes: &str) -> Value {
    let claims: Value = serde_json::from_slice(data).expect("accepted claims are JSON");
    assert!(claims.get("cnf").is_none());
    assert_eq!((&claims["tid"], &claims["oid"]), (&json!(caller.tenant_id), &json!(caller.object_id)));
    assert_eq!(claims["exp"], json!(caller.expires_at));
    assert!(caller.expires_at.saturating_add(u64::from(LEEWAY)) > NOW);
    assert!(claims["iat"].as_u64().is_some_and(|iat| iat <= NOW + u64::from(LEEWAY)));
    let stated = claims[scopes].as_str().unwrap_or_default();
    assert!(caller.scopes.iter().map(String::as_str).eq(stated.split_ascii_whitespace()));
    assert!(!(caller.scopes.is_empty() && caller.roles.is_empty()));
    claims
}
