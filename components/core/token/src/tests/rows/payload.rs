//! Rows about claims and time, and tokens that are good elsewhere.

use serde_json::{Value, json};

use super::super::{
    AUDIENCE, AUDIENCE_URI, FOREIGN_TENANT, KEY, KEY_ID, NOW, RULES, SECOND_TENANT, TENANT, jwk, mint_text,
    no_permissions, with_text,
};
use super::{
    Row, absent, app_claims, audience, changed, claimed, claims, header, ill, missing, row, twice, v1_claims,
    with, without,
};
use crate::{Rules, TokenError};

fn v2(tenant: &str) -> String {
    format!("{}/{tenant}/v2.0", RULES.authority)
}

fn v1(tenant: &str) -> String {
    format!("{}/{tenant}/", RULES.v1_authority)
}

/// `iss` is `found`, all else is the perfect v2 token's.
fn issuer(id: &'static str, found: &str) -> Row {
    let error = TokenError::Issuer { found: found.into(), expected: v2(TENANT) };
    changed(id, "iss", json!(found), error)
}

/// The perfect token with `member` written as text before the others.
fn written(id: &'static str, member: &str, error: TokenError) -> Row {
    row(id, member, mint_text(header().to_string(), with_text(&claims(), member)), error)
}

/// The perfect token with one member's value written as text, which it may not be.
fn literal(id: &'static str, name: &'static str, text: &str) -> Row {
    let error = TokenError::Claim { claim: name, found: Some(text.to_owned()) };
    let claims = with_text(&without(claims(), name), &format!(r#""{name}":{text}"#));
    row(id, format!("{name} = {text}"), mint_text(header().to_string(), claims), error)
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = times();
    rows.extend(origins());
    rows.extend(audiences());
    rows.extend(kinds());
    rows.extend(types());
    rows
}

fn times() -> Vec<Row> {
    let ended = |id, ago: u64| {
        let expires_at = NOW - ago;
        let old = with(with(claims(), "nbf", json!(NOW - 9000)), "exp", json!(expires_at));
        claimed(id, format!("ended {ago} s ago"), &old, TokenError::Expired { expires_at, now: NOW })
    };
    let early = |id, claim, from: u64| {
        changed(id, claim, json!(from), TokenError::NotYetValid { claim, from, now: NOW })
    };
    let never = TokenError::EmptyLifetime { not_before: NOW + 10, expires_at: NOW };
    let backwards = with(with(claims(), "nbf", json!(NOW + 10)), "exp", json!(NOW));
    vec![
        ended("J-23", 3600),
        ended("J-23", 360),
        early("J-24", "nbf", NOW + 3599),
        missing("J-25", "exp"),
        ill("J-25", "exp", Value::Null),
        ill("J-25", "exp", json!("1800003600")),
        ill("J-25", "exp", json!(-1)),
        literal("J-25", "exp", "1e400"),
        early("J-26", "iat", NOW + 61),
        ill("J-27", "nbf", json!("1800000000")),
        claimed("N-lifetime", "nbf after exp", &backwards, never),
        ended("N-lifetime", 60),
        early("N-lifetime", "nbf", NOW + 61),
        literal("N-lifetime", "exp", "1800003600.5"),
        literal("N-lifetime", "iat", "18446744073709551616"),
        missing("N-lifetime", "iat"),
        missing("N-lifetime", "nbf"),
    ]
}

fn origins() -> Vec<Row> {
    let own = v2(TENANT);
    let other_key = |issuer: &str, error: TokenError| {
        let keys = json!({ "keys": [with(jwk(&KEY, KEY_ID), "issuer", json!(issuer))] }).to_string();
        let mut row = claimed("N-signing-key", issuer, &claims(), error);
        // Lives as long as the test; there are a handful.
        row.given.keys = Box::leak(keys.into_boxed_str());
        row
    };
    let no_keys = {
        let mut row = claimed(
            "N-signing-key",
            "no keys at all",
            &claims(),
            TokenError::UnknownKey { key_id: KEY_ID.into() },
        );
        row.given.keys = r#"{"keys":[]}"#;
        row
    };
    let no_issuers = {
        let mut row = claimed(
            "N-issuer",
            "no tenant configured, so no issuer is valid",
            &claims(),
            TokenError::UnusableRules { setting: "tenants" },
        );
        row.given.rules = Rules { tenants: &[], ..RULES };
        row
    };
    let key_issuer = |key: &str| TokenError::KeyIssuer { key: key.into(), expected: v2(TENANT) };
    let v1_like = with(v1_claims(), "iss", json!(own));
    let crossed = TokenError::Issuer { found: own.clone(), expected: v1(TENANT) };
    let foreign = with(with(claims(), "tid", json!(FOREIGN_TENANT)), "iss", json!(v2(FOREIGN_TENANT)));
    let chain = TokenError::Issuer { found: own.clone(), expected: v2(SECOND_TENANT) };
    vec![
        issuer("J-29", "https://evil.example"),
        missing("J-29", "iss"),
        ill("J-29", "iss", json!([own])),
        issuer("J-29", &format!("{own}/")),
        issuer("J-29", &v2(FOREIGN_TENANT)),
        issuer("J-29", &v1(TENANT)),
        written("J-30", r#""iss":"https://evil.example""#, twice("iss")),
        written("J-30", r#""aud":"other""#, twice("aud")),
        claimed(
            "J-39",
            "another tenant, same keys",
            &foreign,
            TokenError::Tenant { found: FOREIGN_TENANT.into() },
        ),
        claimed("N-issuer", "v2 issuer in a v1 token", &v1_like, crossed),
        issuer("N-issuer", &v1(TENANT)),
        issuer("N-issuer", ""),
        issuer("N-issuer", "https://login.microsoftonline.com//v2.0"),
        issuer("N-issuer", &own.replace("login.microsoftonline.com", "login.windows-ppe.net")),
        issuer("N-issuer", &v2("{tenantid}")),
        issuer("N-issuer", "https://contoso.b2clogin.com/tfp/contoso/policy/v2.0/"),
        ill("N-issuer", "iss", Value::Null),
        missing("N-tenant", "tid"),
        ill("N-tenant", "tid", json!(7)),
        ill("N-tenant", "tid", json!("common")),
        changed("N-tenant", "tid", json!(SECOND_TENANT), chain),
        written("N-tenant", &format!(r#""TID":"{SECOND_TENANT}""#), twice("tid")),
        row(
            "N-tenant",
            "TID behind tid",
            mint_text(
                header().to_string(),
                claims().to_string().replacen('}', &format!(r#","TID":"{SECOND_TENANT}"}}"#), 1),
            ),
            twice("TID"),
        ),
        other_key(&v2(SECOND_TENANT), key_issuer(&v2(SECOND_TENANT))),
        other_key(
            "https://login.partner.microsoftonline.cn/{tenantid}/v2.0",
            key_issuer(&format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0")),
        ),
        no_keys,
        no_issuers,
    ]
}

fn audiences() -> Vec<Row> {
    let configured_with_slash = {
        let error = TokenError::Audience {
            found: AUDIENCE_URI.into(),
            expected: vec!["api://valet.example/".into()],
        };
        let mut row = changed("N-audience", "aud", json!(AUDIENCE_URI), error);
        row.given.rules = Rules { audiences: &["api://valet.example/"], ..RULES };
        row
    };
    vec![
        configured_with_slash,
        changed("J-28", "aud", json!("api://other"), audience("api://other")),
        missing("J-28", "aud"),
        ill("J-28", "aud", json!(["api://other"])),
        changed("J-28", "aud", json!(&AUDIENCE[..35]), audience(&AUDIENCE[..35])),
        ill("J-28", "aud", json!({ "aud": AUDIENCE })),
        ill("N-audience", "aud", Value::Null),
        ill("N-audience", "aud", json!([])),
        changed("N-audience", "aud", json!(""), audience("")),
        changed("N-audience", "aud", json!(" "), audience("?")),
        changed(
            "N-audience",
            "aud",
            json!("11111111-2222-3333-4444-555555555556"),
            audience("11111111-2222-3333-4444-555555555556"),
        ),
        changed("N-audience", "aud", json!(format!("{AUDIENCE}0")), audience(&format!("{AUDIENCE}0"))),
        changed("N-audience", "aud", json!("api://valet.example/"), audience("api://valet.example/")),
        changed("N-audience", "aud", json!("api://valet.example//"), audience("api://valet.example//")),
        ill("A-claims", "aud", json!([AUDIENCE, "api://other"])),
    ]
}

fn kinds() -> Vec<Row> {
    let id_token = with(without(without(claims(), "scp"), "azp"), "nonce", json!("n"));
    let with_roles = with(id_token.clone(), "roles", json!(["Operator"]));
    let stated = |claims: Value, kind: &str| with(claims, "idtyp", json!(kind));
    let graph = "00000003-0000-0000-c000-000000000000";
    vec![
        claimed("J-33", "an ID token", &id_token, no_permissions(0, 0, None)),
        claimed("J-33", "an ID token with roles", &with_roles, absent("azp")),
        changed("J-40", "aud", json!(graph), audience(graph)),
        changed("J-42", "cnf", json!({ "jkt": "0ZcOCORZNYy" }), TokenError::BoundToken),
        changed(
            "A-cross-use",
            "aud",
            json!("https://graph.microsoft.com"),
            audience("https://graph.microsoft.com"),
        ),
        changed("A-cross-use", "ver", json!("3.0"), TokenError::Version { version: "3.0".into() }),
        claimed("N-authorisation", "no scp, no roles", &without(claims(), "scp"), no_permissions(0, 0, None)),
        changed("N-authorisation", "scp", json!(""), no_permissions(0, 0, None)),
        claimed(
            "N-authorisation",
            "a user said to be an app",
            &stated(claims(), "app"),
            no_permissions(2, 0, Some("app")),
        ),
        claimed(
            "N-authorisation",
            "an app said to be a user",
            &stated(app_claims(), "user"),
            no_permissions(0, 1, Some("user")),
        ),
    ]
}

fn types() -> Vec<Row> {
    vec![
        written("A-claims", r#""tid":"common""#, twice("tid")),
        ill("A-claims", "oid", json!(["x"])),
        literal("A-claims", "exp", "99999999999999999999"),
        ill("A-claims", "scp", json!(["Mail.Read"])),
        ill("A-claims", "roles", json!("Admin")),
    ]
}
