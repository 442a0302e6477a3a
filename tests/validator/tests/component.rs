//! The component as it ships, with both signature back ends: Wycheproof's vectors, and that it judges as its core does.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

use std::sync::Arc;

use serde_json::json;
use valet_minting::vectors::VECTORS;
use valet_minting::{
    AT_JWT_AUDIENCE, AT_JWT_ISSUER, AUDIENCE, AUDIENCE_URI, AUTHORITY, KEY_ID, TENANT, V1_AUTHORITY,
    app_claims, at_jwt_claims, at_jwt_header, claims, header, jwk, mint, v1_claims, with,
};
use valet_validator_rig::{AtJwtRules, BackEnd, Instance, Reason, Refusal, Rig, Rules, components};

const NOW: u64 = 1_800_000_000;

fn rules() -> Rules {
    Rules {
        authority: AUTHORITY.into(),
        v1_authority: V1_AUTHORITY.into(),
        tenants: vec![TENANT.into()],
        audiences: vec![AUDIENCE.into(), AUDIENCE_URI.into()],
        clients: None,
        leeway: 60,
    }
}

/// An instance with each back end.
fn instances() -> [(&'static str, Instance); 2] {
    let rig = Rig::new(&components()).unwrap();
    [("native", BackEnd::Native(Arc::default())), ("portable", BackEnd::Portable)]
        .map(|(name, back_end)| (name, rig.instance(&back_end).unwrap()))
}

/// Whether the signature was found good. Vectors are nobody's access tokens, so each is refused; what is said of the payload is said only behind
/// the signature.
fn is_past_the_signature(refusal: &Refusal) -> bool {
    refusal.reason == Reason::MissingClaim
        || refusal.detail == "not a compact JWS: payload is not one JSON object"
}

#[test]
fn wycheproof() {
    for (name, mut instance) in instances() {
        for vectors in VECTORS {
            vectors.compare(|token, keys| {
                let verdict = instance.validate(token, keys, &rules(), NOW).unwrap();
                let refusal = verdict.err().unwrap_or_else(|| panic!("{name}: a vector became a principal"));
                is_past_the_signature(&refusal)
            });
        }
    }
}

#[test]
fn perfect_tokens_of_each_shape_become_principals() {
    let key = valet_minting::key();
    let keys = json!({ "keys": [jwk(&key, KEY_ID)] }).to_string();
    for (name, mut instance) in instances() {
        for claims in [claims(NOW), v1_claims(NOW), app_claims(NOW)] {
            let token = mint(&key, &header(), &claims);
            let caller = instance.validate(&token, &keys, &rules(), NOW).unwrap().unwrap();
            assert_eq!((&*caller.tenant_id, caller.expires_at), (TENANT, NOW + 3600), "{name}");
            let forged = format!("{}AAAA", &token[..token.len() - 4]);
            let refusal = instance.validate(&forged, &keys, &rules(), NOW).unwrap().unwrap_err();
            assert_eq!(refusal.reason, Reason::BadSignature, "{name}");
            let clients = Rules { clients: Some(vec![TENANT.into()]), ..rules() };
            let refusal = instance.validate(&token, &keys, &clients, NOW).unwrap().unwrap_err();
            assert_eq!(refusal.reason, Reason::ForeignClient, "{name}");
        }
    }
}

#[test]
fn tokens_of_our_own_kind_have_rules_and_keys_of_their_own() {
    let (key, entra) = (valet_minting::key(), valet_minting::key());
    let [keys, entras] = [&key, &entra].map(|key| json!({ "keys": [jwk(key, KEY_ID)] }).to_string());
    let own = AtJwtRules { issuer: AT_JWT_ISSUER.into(), audience: AT_JWT_AUDIENCE.into(), leeway: 60 };
    let token = mint(&key, &at_jwt_header(), &at_jwt_claims(NOW));
    for (name, mut instance) in instances() {
        let caller = instance.validate_at_jwt(&token, &keys, &own, NOW).unwrap().unwrap();
        assert_eq!(caller.scopes, ["mcp.access"], "{name}");
        let mut reasons = vec![
            instance.validate_at_jwt(&token, &entras, &own, NOW).unwrap(),
            instance.validate(&token, &keys, &rules(), NOW).unwrap(),
        ];
        let foreign = with(at_jwt_claims(NOW), "iss", json!("https://other.example"));
        let foreign = mint(&key, &at_jwt_header(), &foreign);
        reasons.push(instance.validate_at_jwt(&foreign, &keys, &own, NOW).unwrap());
        let reasons: Vec<Reason> = reasons.into_iter().map(|verdict| verdict.unwrap_err().reason).collect();
        assert_eq!(reasons, [Reason::BadSignature, Reason::Unsupported, Reason::WrongIssuer], "{name}");
    }
}

/// What is remembered of a signature does not outlive its key, its time or its rules: those are looked at each time.
#[test]
fn a_remembered_signature_is_no_remembered_verdict() {
    let key = valet_minting::key();
    let set = |kid: &str| json!({ "keys": [jwk(&key, kid)] }).to_string();
    let token = mint(&key, &header(), &claims(NOW));
    let rig = Rig::new(&components()).unwrap();
    let back_end = BackEnd::Native(Arc::default());
    // Two instances share what the host remembers.
    for _ in 0..2 {
        let mut instance = rig.instance(&back_end).unwrap();
        let mut reason = |keys: &str, rules: &Rules, now| {
            instance.validate(&token, keys, rules, now).unwrap().err().map(|refusal| refusal.reason)
        };
        assert_eq!(reason(&set(KEY_ID), &rules(), NOW), None);
        assert_eq!(reason(&set("another"), &rules(), NOW), Some(Reason::UnknownKey), "the key left the set");
        assert_eq!(reason(&set(KEY_ID), &rules(), NOW + 3660), Some(Reason::Expired));
        let other = Rules { audiences: vec!["other".into()], ..rules() };
        assert_eq!(reason(&set(KEY_ID), &other, NOW), Some(Reason::WrongAudience), "another configuration");
    }
}
