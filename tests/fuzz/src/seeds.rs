//! Inputs to begin with: good ones of each kind, made now. No token and no key is kept in the repository.

use serde_json::{Value, json};
use valet_minting::{
    AUTHORITY, KEY_ID, TENANT, app_claims, at_jwt_claims, at_jwt_header, base64url, claims, header, v1_claims,
};

use crate::token::NOW;

/// The seeds of the target called `name`.
#[must_use]
pub fn seeds(name: &str) -> Vec<Vec<u8>> {
    let text = |values: Vec<Value>| values.into_iter().map(|value| value.to_string().into_bytes()).collect();
    let entra = || vec![claims(NOW), v1_claims(NOW), app_claims(NOW)];
    match name {
        "token" => {
            let mut tokens: Vec<_> = entra().iter().map(|claims| token(&header(), claims)).collect();
            tokens.push(token(&at_jwt_header(), &at_jwt_claims(NOW)));
            tokens
        }
        "header" => {
            text(vec![header(), at_jwt_header(), json!({ "alg": "RS256", "kid": KEY_ID, "x5t": KEY_ID })])
        }
        "claims" => text(entra()),
        "at-jwt-claims" => text(vec![at_jwt_claims(NOW)]),
        "key-set" => text(vec![key_set(), json!({ "keys": [] })]),
        "documents" => vec![documents()],
        "authorization" => [
            "/mcp",
            "/mcp\nBearer a.b.c",
            "/mcp?access_token=x\nbearer  abc==",
            "/mcp?%61ccess_token",
            "/\nBasic YTpi\nBearer x",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
        _ => Vec::new(),
    }
}

fn token(header: &Value, claims: &Value) -> Vec<u8> {
    format!("{}.{}.AAAA", base64url(header.to_string()), base64url(claims.to_string())).into_bytes()
}

/// Three keys that are none, as Entra writes them.
fn key_set() -> Value {
    let key = |kid: &str, issuer: &str| {
        json!({
            "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": base64url([0xc5; 256]), "e": "AQAB",
            "x5c": ["AAAA"], "issuer": issuer, "cloud_instance_name": "microsoftonline.com",
        })
    };
    json!({ "keys": [
        key("a", &format!("{AUTHORITY}/{{tenantid}}/v2.0")), key("b", ""), key("c", &format!("{AUTHORITY}/{TENANT}/v2.0")),
    ] })
}

fn documents() -> Vec<u8> {
    let discovery = json!({
        "issuer": format!("{AUTHORITY}/{TENANT}/v2.0"),
        "jwks_uri": format!("{AUTHORITY}/{TENANT}/discovery/v2.0/keys"),
        "x-emulator": false,
    });
    format!("{discovery}\0{}", key_set()).into_bytes()
}
