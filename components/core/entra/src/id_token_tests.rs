//! Each refusal of an ID token that is otherwise perfect, and the perfect one.

use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;
const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";

fn perfect() -> Value {
    json!({
        "iss": format!("https://login.example/{TENANT}/v2.0"), "aud": "client", "exp": NOW + 3600, "iat": NOW, "nonce": "n",
        "tid": TENANT, "oid": "o", "sub": "s", "name": "Adele", "preferred_username": "adele@contoso.example",
        "roles": ["Operator"], "login_hint": "hint",
    })
}

fn token(payload: &str) -> SecretString {
    SecretString::from(format!("e30.{}.AAAA", URL_SAFE_NO_PAD.encode(payload)))
}

fn check(token: &SecretString) -> Result<Identity, IdTokenError> {
    let nonce = SecretString::from("n");
    let rules = Rules {
        authority: "https://login.example",
        client_id: "client",
        tenants: &[TENANT],
        nonce: Some(&nonce),
        leeway: 60,
    };
    read(token, &rules, NOW)
}

/// The perfect token with one claim changed; null removes it.
fn with(claim: &str, value: Value) -> Result<Identity, IdTokenError> {
    let mut claims = perfect();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
        value => claims[claim] = value,
    }
    check(&token(&claims.to_string()))
}

#[test]
fn a_perfect_token_gives_the_identity() {
    let identity = check(&token(&perfect().to_string())).unwrap();
    let expected = Identity {
        tenant_id: TENANT.into(),
        object_id: "o".into(),
        name: Some("Adele".into()),
        username: Some("adele@contoso.example".into()),
        roles: vec!["Operator".into()],
        login_hint: Some("hint".into()),
    };
    assert_eq!(identity, expected);
}

#[test]
fn what_is_only_shown_may_be_absent() {
    for claim in ["name", "preferred_username", "roles", "login_hint"] {
        assert!(with(claim, Value::Null).is_ok(), "{claim}");
    }
}

#[test]
fn the_issuer_is_that_of_authority_and_tenant() {
    for found in [
        format!("https://login.example/{TENANT}/v2.0/"),
        format!("https://login.example/{TENANT}/"),
        format!("https://login.example.evil/{TENANT}/v2.0"),
        "https://login.example/{tenantid}/v2.0".to_owned(),
    ] {
        let expected = format!("https://login.example/{TENANT}/v2.0");
        assert_eq!(with("iss", found.clone().into()), Err(IdTokenError::Issuer { found, expected }));
    }
}

#[test]
fn a_foreign_tenant_is_refused_even_with_its_own_issuer() {
    let mut claims = perfect();
    claims["tid"] = "foreign".into();
    claims["iss"] = "https://login.example/foreign/v2.0".into();
    let expected = IdTokenError::Tenant { found: "foreign".into(), expected: vec![TENANT.into()] };
    assert_eq!(check(&token(&claims.to_string())), Err(expected));
}

#[test]
fn no_tenants_admit_nobody() {
    let rules = Rules {
        authority: "https://login.example",
        client_id: "client",
        tenants: &[],
        nonce: None,
        leeway: 0,
    };
    let refused = read(&token(&perfect().to_string()), &rules, NOW);
    assert_eq!(refused, Err(IdTokenError::Tenant { found: TENANT.into(), expected: vec![] }));
}

#[test]
fn another_application_is_refused() {
    for claim in ["aud", "azp"] {
        let expected = IdTokenError::Audience { found: "other".into(), expected: "client".into() };
        assert_eq!(with(claim, "other".into()), Err(expected), "{claim}");
    }
    assert!(with("azp", "client".into()).is_ok());
    let expected = IdTokenError::Malformed { what: "its payload is not a JSON object of claims" };
    assert_eq!(with("aud", json!(["client", "other"])), Err(expected));
}

#[test]
fn times_hold_within_the_leeway() {
    assert!(with("exp", (NOW - 59).into()).is_ok());
    let expired = IdTokenError::Expired { expires_at: NOW - 60, now: NOW };
    assert_eq!(with("exp", (NOW - 60).into()), Err(expired));
    assert!(with("iat", (NOW + 60).into()).is_ok());
    let ahead = IdTokenError::IssuedAhead { issued_at: NOW + 61, now: NOW };
    assert_eq!(with("iat", (NOW + 61).into()), Err(ahead));
    assert!(with("exp", u64::MAX.into()).is_ok(), "the sum does not overflow");
}

#[test]
fn the_nonce_is_that_of_the_request() {
    for value in [Value::Null, "N".into(), "".into(), "n2".into()] {
        assert_eq!(with("nonce", value), Err(IdTokenError::Nonce));
    }
}

#[test]
fn a_person_is_named() {
    for claim in ["tid", "oid"] {
        assert_eq!(with(claim, Value::Null), Err(IdTokenError::Missing { claim }));
    }
}

#[test]
fn claims_come_once_and_in_their_types() {
    let expected = Err(IdTokenError::Malformed { what: "its payload is not a JSON object of claims" });
    for (claim, value) in [
        ("iss", Value::Null),
        ("aud", Value::Null),
        ("exp", Value::Null),
        ("iat", Value::Null),
        ("exp", "1".into()),
        ("exp", json!(1.5)),
        ("oid", json!(7)),
        ("roles", "Operator".into()),
    ] {
        assert_eq!(with(claim, value.clone()), expected, "{claim} {value}");
    }
    let twice = perfect().to_string().replacen('{', r#"{"oid":"other","#, 1);
    assert_eq!(check(&token(&twice)), expected);
}

#[test]
fn other_shapes_are_refused() {
    let shape = |text: &str| check(&SecretString::from(text.to_owned()));
    for text in ["", "a.b", "a.b.c.d", "a.b.c.d.e"] {
        assert_eq!(shape(text), Err(IdTokenError::Malformed { what: "not three segments" }), "{text}");
    }
    assert_eq!(shape("a.=.c"), Err(IdTokenError::Malformed { what: "its payload is not base64url" }));
    let long = "a".repeat(MAX_ID_TOKEN_BYTES + 1);
    assert_eq!(shape(&long), Err(IdTokenError::TooLarge { bytes: long.len(), limit: MAX_ID_TOKEN_BYTES }));
}
