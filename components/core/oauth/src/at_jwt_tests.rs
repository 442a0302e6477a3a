//! Our access tokens are such as `core/token` takes.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use valet_core_token::{
    AtJwtRules, KeySet, Kind, RsaKey, SignatureCheck, SignatureFailure, TokenError, verify_at_jwt,
};

use super::*;
use crate::testing::{NOW, grant, settings};

/// The arithmetic is not what is tested here: a signature is the digest of what is signed.
struct Digests;

impl SignatureCheck for Digests {
    fn rs256(&self, _: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
        let expected = [&Sha256::digest(message)[..]; 8].concat();
        if signature == expected { Ok(()) } else { Err(SignatureFailure::Mismatch) }
    }
}

fn key_set() -> String {
    let n = secret::base64url(&[0xc5; 256]);
    let key = json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key-1", "n": n, "e": "AQAB"});
    json!({"keys": [key]}).to_string()
}

fn access_token(grant: &Grant) -> String {
    let input = signing_input(grant, "key-1", &[6; 16], &settings(), NOW);
    let signature = [&Sha256::digest(input.as_bytes())[..]; 8].concat();
    token(&input, &signature).expose_secret().to_owned()
}

fn payload(grant: &Grant) -> Value {
    use base64::Engine as _;
    let input = signing_input(grant, "key-1", &[6; 16], &settings(), NOW);
    let payload = input.split_once('.').unwrap().1;
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap())
        .unwrap()
}

#[test]
fn a_token_has_the_claims_of_the_profile() {
    assert_eq!(
        payload(&grant()),
        json!({
            "iss": "https://valet.example",
            "aud": "https://valet.example/mcp",
            "sub": "72f988bf-86f1-41af-91ab-2d7cd011db47.00000000-0000-0000-0000-00000000a11c",
            "client_id": "web",
            "scope": "mcp.access mcp.write",
            "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
            "oid": "00000000-0000-0000-0000-00000000a11c",
            "name": "Alice",
            "roles": ["Reader"],
            "sid": "session-1",
            "jti": "BgYGBgYGBgYGBgYGBgYGBg",
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 600
        })
    );
    let mut plain = grant();
    (plain.session.roles, plain.session.user.name) = (vec![], None);
    assert_eq!((payload(&plain).get("roles"), payload(&plain).get("name")), (None, None));
}

/// O-1, O-2: for this resource, of this issuer, and for minutes.
#[test]
fn a_token_passes_the_validator_and_no_other_rules() {
    let jwks = key_set();
    let keys = KeySet::parse(&jwks).unwrap();
    let rules =
        AtJwtRules { issuer: "https://valet.example", audience: "https://valet.example/mcp", leeway: 0 };
    let verify =
        |rules: &AtJwtRules<'_>, now| verify_at_jwt(&access_token(&grant()), &keys, rules, now, &Digests);
    let verified = verify(&rules, NOW).unwrap();
    let caller = verified.into_caller();
    assert_eq!((caller.kind, caller.client_id.as_str()), (Kind::User, "web"));
    assert_eq!((caller.scopes, caller.roles), (grant().scopes, vec!["Reader".to_owned()]));
    assert_eq!(caller.object_id, grant().session.user.object_id);
    let expired = TokenError::Expired { expires_at: NOW + 600, now: NOW + 600 };
    assert_eq!(verify(&rules, NOW + 600).map(drop), Err(expired));
    let other = AtJwtRules { audience: "https://other.example/mcp", ..rules };
    assert!(matches!(verify(&other, NOW), Err(TokenError::Audience { .. })));
    let other = AtJwtRules { issuer: "https://other.example", ..rules };
    assert!(matches!(verify(&other, NOW), Err(TokenError::Issuer { .. })));
}
