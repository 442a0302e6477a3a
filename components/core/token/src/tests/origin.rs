//! Key, issuer, tenant and audience: the chain that says where a token is from and whom it is for.

use serde_json::{Value, json};

use super::{
    AUDIENCE, AUDIENCE_URI, CLIENT, CONSUMER_KEY_ID, CONSUMERS, FOREIGN_TENANT, Given, KEY, KEY_ID, RULES,
    SECOND_TENANT, TENANT, accepted, app_claims, claims, header, jwk, malformed, mint, refused, v1_claims,
    with,
};
use crate::{Rules, TokenError};

fn with_claims(claims: &Value) -> Given<'static> {
    Given::token(mint(&header(), claims))
}

fn of_tenant(tenant: &str) -> Value {
    with(with(claims(), "tid", json!(tenant)), "iss", json!(v2_issuer(tenant)))
}

fn v2_issuer(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

fn v1_issuer(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

#[test]
fn the_issuer_is_exactly_the_tenants() {
    let odd = [
        String::new(),
        v1_issuer(TENANT),
        v2_issuer("{tenantid}"),
        v2_issuer("common"),
        v2_issuer("organizations"),
        v2_issuer(FOREIGN_TENANT),
        v2_issuer(SECOND_TENANT),
        v2_issuer(&TENANT.to_ascii_uppercase()),
        format!("{}/", v2_issuer(TENANT)),
        format!("{} ", v2_issuer(TENANT)).replace(' ', "%20"),
        format!("https://login.microsoftonline.com/{TENANT}"),
        format!("https://login.microsoftonline.com/{TENANT}/"),
        format!("https://login.microsoftonline.com/{TENANT}/v1.0"),
        format!("https://login.microsoftonline.com//{TENANT}/v2.0"),
        format!("https://login.microsoftonline.com:443/{TENANT}/v2.0"),
        format!("https://LOGIN.microsoftonline.com/{TENANT}/v2.0"),
        format!("https://login.microsoftonline.com.evil.example/{TENANT}/v2.0"),
        format!("https://evil.example/{TENANT}/v2.0"),
        format!("https://login.windows-ppe.net/{TENANT}/v2.0"),
        format!("https://login.microsoftonline.us/{TENANT}/v2.0"),
        format!("http://login.microsoftonline.com/{TENANT}/v2.0"),
        format!("https://evil.example/?{}", v2_issuer(TENANT)),
        format!("{TENANT}/v2.0"),
    ];
    for issuer in odd {
        let error = TokenError::Issuer { found: issuer.clone(), expected: v2_issuer(TENANT) };
        refused(&issuer, &with_claims(&with(claims(), "iss", json!(issuer))), error);
    }
}

#[test]
fn each_version_has_its_own_issuer() {
    let cases = [
        v2_issuer(TENANT),
        v1_issuer(FOREIGN_TENANT),
        v1_issuer("{tenantid}"),
        v1_issuer(TENANT).replace("/7", "//7"),
    ];
    for issuer in cases.into_iter().chain([v1_issuer(TENANT).trim_end_matches('/').to_owned()]) {
        let error = TokenError::Issuer { found: issuer.clone(), expected: v1_issuer(TENANT) };
        refused(&issuer, &with_claims(&with(v1_claims(), "iss", json!(issuer))), error);
    }
    accepted("v1", &with_claims(&v1_claims()));
}

#[test]
fn a_refused_issuer_is_logged_whole() {
    let slashed = format!("{}/", v2_issuer(TENANT));
    let error = super::check(&with_claims(&with(claims(), "iss", json!(slashed)))).unwrap_err();
    assert!(error.to_string().contains(&slashed), "the difference is at the end: {error}");
}

#[test]
fn the_tenant_has_to_be_listed() {
    for tenant in [FOREIGN_TENANT, "00000000-0000-0000-0000-000000000000", CONSUMERS] {
        refused(tenant, &with_claims(&of_tenant(tenant)), TokenError::Tenant { found: tenant.into() });
    }
    assert_eq!(accepted("second", &with_claims(&of_tenant(SECOND_TENANT))).tenant_id, SECOND_TENANT);
}

#[test]
fn the_tenant_of_the_issuer_is_the_tenant_of_the_token() {
    for (tid, issuer) in [(SECOND_TENANT, TENANT), (TENANT, SECOND_TENANT), (FOREIGN_TENANT, TENANT)] {
        let mixed = with(of_tenant(issuer), "tid", json!(tid));
        let error = TokenError::Issuer { found: v2_issuer(issuer), expected: v2_issuer(tid) };
        refused(tid, &with_claims(&mixed), error);
    }
}

#[test]
fn the_keys_issuer_is_the_tenants() {
    let cases = [
        v2_issuer(CONSUMERS),
        v2_issuer(SECOND_TENANT),
        v2_issuer("{TenantId}"),
        v1_issuer("{tenantid}"),
        "https://login.microsoftonline.us/{tenantid}/v2.0".into(),
        "{tenantid}".into(),
        " ".into(),
    ];
    for issuer in cases {
        let mut key = jwk(&KEY, KEY_ID);
        key["issuer"] = json!(issuer);
        let keys = json!({ "keys": [key] }).to_string();
        let shown = issuer.replace("{tenantid}", TENANT).replace(' ', "?");
        let error = TokenError::KeyIssuer { key: shown, expected: v2_issuer(TENANT) };
        for claims in [claims(), v1_claims()] {
            let given = Given { keys: &keys, ..with_claims(&claims) };
            refused(&issuer, &given, error.clone());
        }
    }
    let mut key = jwk(&KEY, KEY_ID);
    for issuer in [Value::Null, json!(""), json!(v2_issuer(TENANT)), json!(v2_issuer("{tenantid}"))] {
        key["issuer"] = issuer;
        let keys = json!({ "keys": [key] }).to_string();
        accepted("silent or right", &Given { keys: &keys, ..with_claims(&claims()) });
    }
}

#[test]
fn the_consumer_key_signs_for_consumers_where_they_may_call() {
    let token = mint(&with(header(), "kid", json!(CONSUMER_KEY_ID)), &of_tenant(CONSUMERS));
    refused("not listed", &Given::token(&*token), TokenError::Tenant { found: CONSUMERS.into() });
    let rules = Rules { tenants: &[CONSUMERS], ..RULES };
    accepted("listed", &Given { rules, ..Given::token(&*token) });
}

#[test]
fn the_audience_is_compared_whole() {
    let odd = [
        "",
        "???",
        "11111111-2222-3333-4444-555555555556",
        "11111111-2222-3333-4444-55555555555",
        "11111111-2222-3333-4444-5555555555555",
        "api://11111111-2222-3333-4444-555555555555",
        "api://valet.example/",
        "api://valet.example//",
        "api://valet.exampl",
        "api://valet.example.evil",
        "API://valet.example",
        "api://Valet.example",
        "api://valet.example,11111111-2222-3333-4444-555555555555",
        "https://graph.microsoft.com",
        "00000003-0000-0000-c000-000000000000",
    ];
    for audience in odd {
        let error = TokenError::Audience {
            found: audience.into(),
            expected: vec![AUDIENCE.into(), AUDIENCE_URI.into()],
        };
        refused(audience, &with_claims(&with(claims(), "aud", json!(audience))), error);
    }
    let blank =
        TokenError::Audience { found: "?".into(), expected: vec![AUDIENCE.into(), AUDIENCE_URI.into()] };
    refused("blank", &with_claims(&with(claims(), "aud", json!(" "))), blank);
    accepted("the other one", &with_claims(&with(claims(), "aud", json!(AUDIENCE_URI))));
}

#[test]
fn a_list_is_no_audience_although_it_contains_us() {
    for list in [json!([AUDIENCE]), json!([AUDIENCE, "api://other"]), json!([]), json!([[AUDIENCE]])] {
        let error = malformed("aud", &list);
        refused("list", &with_claims(&with(claims(), "aud", list)), error);
    }
}

#[test]
fn every_client_of_the_tenant_may_call_unless_some_are_listed() {
    const OTHER: &str = "b7c8d9e0-1111-4222-8333-444455556666";
    for claims in [claims(), v1_claims(), app_claims()] {
        let given = with_claims(&claims);
        accepted("any", &given);
        let listed = Rules { clients: Some(&[OTHER, CLIENT]), ..RULES };
        accepted("listed", &Given { rules: listed, ..with_claims(&claims) });
        let rules = Rules { clients: Some(&[OTHER]), ..RULES };
        refused("not listed", &Given { rules, ..given }, TokenError::Client { found: CLIENT.into() });
    }
}
