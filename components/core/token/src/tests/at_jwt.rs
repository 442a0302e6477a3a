//! Access tokens of an authorization server of ours (RFC 9068), and that neither kind of token passes for the other.

use std::sync::LazyLock;

use serde_json::{Value, json};
use valet_minting::{AT_JWT_AUDIENCE, AT_JWT_ISSUER, at_jwt_header};

use super::{
    AwsLc, Given, KEY, KEY_ID, KEYS, KeyPair, LEEWAY, NOW, OTHER_KEY, TENANT, USER, base64url, claims,
    header, jwk, malformed, missing, no_permissions, refused, sign_with, unfit, with, with_text, without,
};
use crate::{AtJwtRules, Caller, KeySet, Kind, MAX_LEEWAY, Reason, TokenError, Verified, verify_at_jwt};

const RULES: AtJwtRules<'_> =
    AtJwtRules { issuer: AT_JWT_ISSUER, audience: AT_JWT_AUDIENCE, leeway: LEEWAY as u32 };

/// The authorization server's key. Its `kid` is that of Entra's on purpose: names keep nothing apart.
static OWN_KEY: LazyLock<KeyPair> = LazyLock::new(valet_minting::key);

static OWN_KEYS: LazyLock<String> = LazyLock::new(|| json!({ "keys": [jwk(&OWN_KEY, KEY_ID)] }).to_string());

fn own_claims() -> Value {
    valet_minting::at_jwt_claims(NOW)
}

fn own(claims: &Value) -> String {
    valet_minting::mint(&OWN_KEY, &at_jwt_header(), claims)
}

fn check_by(token: &str, keys: &str, rules: &AtJwtRules<'_>, now: u64) -> Result<Caller, TokenError> {
    verify_at_jwt(token, &KeySet::parse(keys).unwrap(), rules, now, &AwsLc).map(Verified::into_caller)
}

fn check(token: &str) -> Result<Caller, TokenError> {
    check_by(token, &OWN_KEYS, &RULES, NOW)
}

fn caller() -> Caller {
    Caller {
        tenant_id: TENANT.into(),
        object_id: USER.into(),
        kind: Kind::User,
        client_id: "https://client.example/metadata.json".into(),
        display_name: Some("Abe Lincoln".into()),
        scopes: vec!["mcp.access".into()],
        roles: vec![],
        token_id: Some("jti-1".into()),
        session_id: Some("session-1".into()),
        expires_at: NOW + 600,
    }
}

/// `token` meets exactly `error`, and the next good token is not harmed by it.
#[track_caller]
fn own_refused(name: &str, token: &str, error: TokenError) {
    assert_eq!(check(token), Err(error), "{name}");
    assert_eq!(check(&own(&own_claims())), Ok(caller()), "the perfect token after: {name}");
}

#[test]
fn our_own_token_gives_its_caller() {
    assert_eq!(check(&own(&own_claims())), Ok(caller()));
    let more = with(with(own_claims(), "roles", json!(["Operator", " "])), "nbf", json!(NOW));
    assert_eq!(check(&own(&more)), Ok(Caller { roles: vec!["Operator".into()], ..caller() }));
    let bare = without(own_claims(), "name");
    assert_eq!(check(&own(&bare)), Ok(Caller { display_name: None, ..caller() }));
}

#[test]
fn its_typ_has_to_say_what_it_is() {
    for kind in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        let token = valet_minting::mint(&OWN_KEY, &with(header(), "typ", json!(kind)), &own_claims());
        assert_eq!(check(&token), Ok(caller()), "{kind}");
    }
    for kind in ["JWT", "jwt", "", "at+jwtx", "application/jwt", "id+jwt", "application/application/at+jwt"] {
        let token = valet_minting::mint(&OWN_KEY, &with(header(), "typ", json!(kind)), &own_claims());
        own_refused(kind, &token, TokenError::Type { kind: kind.into() });
    }
    let absent = valet_minting::mint(&OWN_KEY, &without(header(), "typ"), &own_claims());
    own_refused("absent", &absent, TokenError::Type { kind: String::new() });
}

#[test]
fn neither_kind_passes_for_the_other() {
    let entra = valet_minting::mint(&KEY, &header(), &claims());
    own_refused("Entra's, as it is", &entra, TokenError::Type { kind: "JWT".into() });
    refused("ours, as it is", &Given::token(own(&own_claims())), TokenError::Type { kind: "at+jwt".into() });
    // With the other's `typ`, the key refuses, although both are called the same.
    own_refused(
        "Entra's key",
        &valet_minting::mint(&KEY, &at_jwt_header(), &own_claims()),
        TokenError::Signature,
    );
    refused(
        "our key",
        &Given::token(valet_minting::mint(&OWN_KEY, &header(), &claims())),
        TokenError::Signature,
    );
    // And with the other's key as well, the claims refuse.
    let found = claims()["iss"].as_str().unwrap().to_owned();
    let claims = with(own_claims(), "iss", json!(found));
    own_refused(
        "Entra's issuer",
        &own(&claims),
        TokenError::Issuer { found, expected: AT_JWT_ISSUER.into() },
    );
    let ours = Given::token(valet_minting::mint(&KEY, &header(), &own_claims()));
    refused("our claims", &ours, missing("ver"));
}

#[test]
fn a_key_of_entra_is_no_key_of_ours_even_in_our_set() {
    let error = TokenError::KeyIssuer {
        key: "https://login.microsoftonline.com/{tenantid}/v2.0".into(),
        expected: AT_JWT_ISSUER.into(),
    };
    let token = valet_minting::mint(&KEY, &at_jwt_header(), &own_claims());
    assert_eq!(check_by(&token, &KEYS, &RULES, NOW), Err(error));
    let named = json!({ "keys": [with(jwk(&OWN_KEY, KEY_ID), "issuer", json!(AT_JWT_ISSUER))] }).to_string();
    assert_eq!(check_by(&own(&own_claims()), &named, &RULES, NOW), Ok(caller()));
}

#[test]
fn its_claims_are_those_of_the_profile() {
    for claim in ["iat", "sub", "jti", "client_id", "sid", "iss", "aud", "tid", "oid", "exp"] {
        own_refused(claim, &own(&without(own_claims(), claim)), missing(claim));
        own_refused(claim, &own(&with(own_claims(), claim, json!({}))), malformed(claim, &json!({})));
    }
    for claim in ["nbf", "name", "scope", "roles"] {
        own_refused(claim, &own(&with(own_claims(), claim, json!({}))), malformed(claim, &json!({})));
    }
    for (claim, value) in [
        ("sub", ""),
        ("jti", ""),
        ("client_id", ""),
        ("client_id", "two words"),
        ("client_id", "caf\u{e9}"),
        ("client_id", &*"c".repeat(1025)),
        ("sid", ""),
        ("sid", "two words"),
        ("sid", &*"s".repeat(129)),
        ("tid", "common"),
        ("oid", "abe"),
        ("scope", "a\tb"),
    ] {
        let error = malformed(claim, &json!(value));
        own_refused(claim, &own(&with(own_claims(), claim, json!(value))), error);
    }
    let longest = "c".repeat(1024);
    let token = own(&with(own_claims(), "client_id", json!(longest)));
    assert_eq!(check(&token), Ok(Caller { client_id: longest, ..caller() }));
    let longest = "s".repeat(128);
    let token = own(&with(own_claims(), "sid", json!(longest)));
    assert_eq!(check(&token), Ok(Caller { session_id: Some(longest), ..caller() }));
}

#[test]
fn it_needs_a_scope_and_no_proof() {
    for scope in ["", " "] {
        let error = no_permissions(0, 0, None);
        own_refused("blank", &own(&with(own_claims(), "scope", json!(scope))), error);
    }
    let with_roles = with(without(own_claims(), "scope"), "roles", json!(["Operator", " "]));
    own_refused("absent", &own(&with_roles), no_permissions(0, 1, None));
    let bound = with(own_claims(), "cnf", json!({ "jkt": "x" }));
    own_refused("bound", &own(&bound), TokenError::BoundToken);
    let twice = with_text(&own_claims(), r#""tid":"x""#);
    own_refused(
        "tid twice",
        &valet_minting::mint_text(&OWN_KEY, at_jwt_header().to_string(), twice),
        TokenError::DuplicateMember { member: "tid".into() },
    );
}

#[test]
fn issuer_and_audience_are_compared_whole() {
    for found in [
        "https://valet.example/",
        "https://valet.exampl",
        "https://VALET.example",
        "http://valet.example",
        "",
    ] {
        let error = TokenError::Issuer { found: found.into(), expected: AT_JWT_ISSUER.into() };
        own_refused(found, &own(&with(own_claims(), "iss", json!(found))), error);
    }
    for found in ["https://valet.example", "https://valet.example/mcp/", "https://staging.valet.example/mcp"]
    {
        let error = TokenError::Audience { found: found.into(), expected: vec![AT_JWT_AUDIENCE.into()] };
        own_refused(found, &own(&with(own_claims(), "aud", json!(found))), error);
    }
    let list = own(&with(own_claims(), "aud", json!([AT_JWT_AUDIENCE])));
    own_refused("a list", &list, malformed("aud", &json!([AT_JWT_AUDIENCE])));
}

#[test]
fn its_time_is_kept() {
    let token = own(&own_claims());
    let at = |now| check_by(&token, &OWN_KEYS, &RULES, now);
    let (exp, iat) = (NOW + 600, NOW - 300);
    assert_eq!(at(exp + LEEWAY - 1), Ok(caller()));
    assert_eq!(at(exp + LEEWAY), Err(TokenError::Expired { expires_at: exp, now: exp + LEEWAY }));
    assert_eq!(at(iat - LEEWAY), Ok(caller()));
    assert_eq!(
        at(iat - LEEWAY - 1),
        Err(TokenError::NotYetValid { claim: "nbf", from: iat, now: iat - LEEWAY - 1 })
    );
    let late = NOW + LEEWAY + 1;
    let error = TokenError::NotYetValid { claim: "nbf", from: late, now: NOW };
    own_refused("nbf", &own(&with(own_claims(), "nbf", json!(late))), error);
    let error = TokenError::EmptyLifetime { not_before: iat, expires_at: iat };
    own_refused("no life", &own(&with(own_claims(), "exp", json!(iat))), error);
}

#[test]
fn rules_that_would_check_nothing_are_refused() {
    let token = own(&own_claims());
    for (setting, rules) in [
        ("issuer", AtJwtRules { issuer: "", ..RULES }),
        ("issuer", AtJwtRules { issuer: "http://valet.example", ..RULES }),
        ("issuer", AtJwtRules { issuer: "https://valet.example/", ..RULES }),
        ("audience", AtJwtRules { audience: " ", ..RULES }),
        ("leeway", AtJwtRules { leeway: MAX_LEEWAY + 1, ..RULES }),
    ] {
        let error = check_by(&token, &OWN_KEYS, &rules, NOW).unwrap_err();
        assert_eq!(error, TokenError::UnusableRules { setting });
        assert_eq!(error.reason(), Reason::UnusableConfiguration);
    }
    let rules = AtJwtRules { leeway: MAX_LEEWAY, ..RULES };
    assert_eq!(check_by(&token, &OWN_KEYS, &rules, NOW), Ok(caller()));
}

#[test]
fn its_header_and_signature_are_judged_as_entras_are() {
    let encoding = &aws_lc_rs::signature::RSA_PKCS1_SHA384;
    let input =
        |header: &Value| format!("{}.{}", base64url(header.to_string()), base64url(own_claims().to_string()));
    own_refused("RS384", &sign_with(&OWN_KEY, encoding, &input(&at_jwt_header())), TokenError::Signature);
    let stranger = valet_minting::mint(&OTHER_KEY, &at_jwt_header(), &own_claims());
    own_refused("stranger", &stranger, TokenError::Signature);
    let unknown = valet_minting::mint(&OWN_KEY, &with(at_jwt_header(), "kid", json!("k")), &own_claims());
    own_refused("unknown", &unknown, TokenError::UnknownKey { key_id: "k".into() });
    for parameter in ["jwk", "crit", "cty"] {
        let token =
            valet_minting::mint(&OWN_KEY, &with(at_jwt_header(), parameter, Value::Null), &own_claims());
        own_refused(parameter, &token, unfit(parameter, &Value::Null));
    }
    let none = valet_minting::mint(&OWN_KEY, &with(at_jwt_header(), "alg", json!("none")), &own_claims());
    own_refused("none", &none, TokenError::Algorithm { algorithm: "none".into() });
}
