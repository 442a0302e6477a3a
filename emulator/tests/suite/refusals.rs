//! Every refusal of the token endpoint, provoked by doing the thing that causes it.

use std::time::Duration;

use entra_emulator::{SignInAudience, Signer, TokenVersion, ids};
use serde_json::Value;

use crate::bench::{Bench, OBO, redeem, valet_scope, with};

/// The one place that knows the shape of an error body.
pub(crate) fn check((status, body): (u16, Value), code: u32, error: &str) {
    let case = format!("expected {code} {error}, got {status} {body}");
    assert_eq!(status, if error == "invalid_client" { 401 } else { 400 }, "{case}");
    assert_eq!(body["error"], error, "{case}");
    assert_eq!(body["error_codes"], serde_json::json!([code]), "{case}");
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")), "{case}");
    for (label, member) in
        [("Trace ID: ", "trace_id"), ("Correlation ID: ", "correlation_id"), ("Timestamp: ", "timestamp")]
    {
        assert!(text.contains(&format!("{label}{}", body[member].as_str().unwrap())), "{case}");
    }
    assert!(body["error_uri"].as_str().unwrap().ends_with(&format!("/error?code={code}")), "{case}");
}

fn daemon<'a>(client: &'a str, scope: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", ids::DAEMON_SECRET),
        ("scope", scope),
    ]
}

#[tokio::test]
async fn of_clients() {
    let bench = Bench::start().await;
    let (client, scope) = (ids::DAEMON.to_string(), format!("{}/.default", ids::VALET_URI));
    let good = daemon(&client, &scope);
    assert_eq!(bench.token(&good).await.0, 200);
    let refused =
        async |name, value, code, error| check(bench.token(&with(&good, name, value)).await, code, error);
    refused("client_secret", "wrong", 7_000_215, "invalid_client").await;
    refused("client_secret", "", 7_000_218, "invalid_client").await;
    refused("client_id", "7e57c000-0000-4000-8000-00000000ffff", 700_016, "unauthorized_client").await;
    refused("client_id", "not-a-guid", 700_016, "unauthorized_client").await;
    refused("client_id", "", 900_144, "invalid_request").await;
    refused("grant_type", "", 900_144, "invalid_request").await;
    refused("grant_type", "password", 70003, "unsupported_grant_type").await;
    refused("scope", "", 900_144, "invalid_request").await;
    refused("scope", "User.Read", 1_002_012, "invalid_scope").await;
    refused("scope", "api://nobody/.default", 500_011, "invalid_resource").await;
    let two = format!("{scope} https://graph.microsoft.com/.default");
    check(bench.token(&with(&good, "scope", &two)).await, 700_022, "invalid_scope");
    check(bench.token(&[good.as_slice(), &[("scope", "x")]].concat()).await, 9_000_411, "invalid_request");
    check(bench.token_at("nobody.example", &good).await, 90002, "invalid_request");
    let foreign = ids::FOREIGN_TENANT.to_string();
    check(bench.token_at(&foreign, &good).await, 700_016, "unauthorized_client");
    check(bench.token_at("common", &good).await, 50194, "invalid_request");
}

#[tokio::test]
async fn of_codes() {
    let bench = Bench::start().await;
    let scope = valet_scope();
    let code = bench.code(&scope).await;
    let good = redeem(&code);
    let refused =
        async |name, value, code, error| check(bench.token(&with(&good, name, value)).await, code, error);
    refused("client_secret", "any", 700_025, "invalid_client").await;
    refused("redirect_uri", "http://localhost:1/elsewhere", 50011, "invalid_request").await;
    refused("redirect_uri", "http://localhost:49152/callback", 500_112, "invalid_client").await;
    refused("redirect_uri", "", 900_144, "invalid_request").await;
    refused("code_verifier", "another-verifier-of-at-least-forty-three-chars", 501_481, "invalid_grant")
        .await;
    refused("code_verifier", "", 501_481, "invalid_grant").await;
    refused("code", "invented", 70000, "invalid_grant").await;
    let two = format!("{scope} User.Read");
    assert_eq!(bench.token(&good).await.0, 200);
    check(bench.token(&good).await, 54005, "invalid_grant");

    let scope_cases = [
        (two.as_str(), 700_022, "invalid_scope"),
        ("unknown.scope", 650_053, "invalid_scope"),
        ("/broken", 70011, "invalid_scope"),
        ("https://graph.microsoft.com/Mail.Read", 65001, "invalid_grant"),
    ];
    for (asked, number, error) in scope_cases {
        let code = bench.code(&scope).await;
        check(bench.token(&with(&redeem(&code), "scope", asked)).await, number, error);
    }
    let code = bench.code(&scope).await;
    check(bench.token(&with(&redeem(&code), "resource", "api://other")).await, 9_010_010, "invalid_target");
    let code = bench.code("openid User.Read").await;
    let graph = "https://graph.microsoft.com";
    check(bench.token(&with(&redeem(&code), "resource", graph)).await, 9_010_010, "invalid_target");

    let code = bench.code(&scope).await;
    bench.emulator.advance_clock(Duration::from_secs(601));
    check(bench.redeem(&code).await, 70008, "invalid_grant");
}

#[tokio::test]
async fn of_grants_of_somebody_else() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        for app in [ids::DEMO_CLIENT, ids::FOREIGN_APP] {
            all.app_mut(app).unwrap().sign_in_audience = SignInAudience::AzureADMultipleOrgs;
        }
    });
    let code = bench.code(&valet_scope()).await;
    let other = ids::FOREIGN_APP.to_string();
    check(bench.token(&with(&redeem(&code), "client_id", &other)).await, 70000, "invalid_grant");
    let foreign = ids::FOREIGN_TENANT.to_string();
    check(bench.token_at(&foreign, &redeem(&code)).await, 700_005, "invalid_grant");
    let (status, tokens) = bench.token_at("common", &redeem(&code)).await;
    assert_eq!(status, 200, "a multi-tenant app may use the alias: {tokens}");
    let token = tokens["refresh_token"].as_str().unwrap();
    let stolen = [("grant_type", "refresh_token"), ("client_id", other.as_str()), ("refresh_token", token)];
    check(bench.token(&stolen).await, 70000, "invalid_grant");
    let client = ids::DEMO_CLIENT.to_string();
    check(bench.token_at(&foreign, &with(&stolen, "client_id", &client)).await, 50020, "access_denied");
}

#[tokio::test]
async fn of_a_web_application() {
    let bench = Bench::start().await;
    let (valet, redirect, scope) =
        (ids::VALET.to_string(), "http://localhost:7000/auth/callback", "openid User.Read");
    let ask = with(&bench.authorize(scope), "client_id", &valet);
    let (_, headers, _) = bench.approve(ids::ALEX_UPN, with(&ask, "redirect_uri", redirect)).await;
    let answer = crate::bench::answer(&headers);
    let code = answer["code"].as_str().unwrap();
    let bare = with(&with(&redeem(code), "client_id", &valet), "redirect_uri", redirect);
    check(bench.token(&bare).await, 7_000_218, "invalid_client");
    check(bench.token(&with(&bare, "client_secret", "wrong")).await, 7_000_215, "invalid_client");
    let good = with(&bare, "client_secret", ids::VALET_SECRET);
    check(by_browser(&bench, &good).await, 9_002_326, "invalid_request");
    let (status, tokens) = bench.token(&good).await;
    assert_eq!(status, 200, "failed attempts do not use up the code: {tokens}");
}

#[tokio::test]
async fn of_a_single_page_application() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        let uris = &mut all.app_mut(ids::DEMO_CLIENT).unwrap().redirect_uris;
        uris.spa.append(&mut uris.public_client);
    });
    let code = bench.code(&valet_scope()).await;
    check(bench.token(&redeem(&code)).await, 9_002_327, "invalid_request");
    let (status, tokens) = by_browser(&bench, &redeem(&code)).await;
    assert_eq!(status, 200, "{tokens}");
}

/// A token request as a script in a browser sends it.
async fn by_browser(bench: &Bench, params: &[(&str, &str)]) -> (u16, Value) {
    let request = bench.http.post(bench.login("oauth2/v2.0/token")).header("origin", "http://localhost:7000");
    let response = request.form(params).send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:7000");
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn of_refresh_tokens() {
    let bench = Bench::start().await;
    let (_, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    let (client, token) = (ids::DEMO_CLIENT.to_string(), tokens["refresh_token"].as_str().unwrap());
    let good = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", token)];
    check(bench.token(&with(&good, "refresh_token", "invented")).await, 70000, "invalid_grant");
    check(bench.token(&with(&good, "client_secret", "any")).await, 700_025, "invalid_client");
    let (status, body) = bench.token(&with(&good, "scope", "https://graph.microsoft.com/Mail.Read")).await;
    assert_eq!(body["suberror"], "consent_required");
    check((status, body), 65001, "invalid_grant");
    bench.emulator.advance_clock(Duration::from_secs(91 * 24 * 3600));
    check(bench.token(&good).await, 700_082, "invalid_grant");
}

fn obo<'a>(client: &'a str, secret: &'a str, assertion: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", OBO),
        ("client_id", client),
        ("client_secret", secret),
        ("assertion", assertion),
        ("scope", "https://graph.microsoft.com/User.Read"),
        ("requested_token_use", "on_behalf_of"),
    ]
}

#[tokio::test]
async fn of_on_behalf_of() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let valet = ids::VALET.to_string();
    let mint = |api, scope| emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, api, &[scope]).unwrap();
    let good = mint(ids::VALET, ids::VALET_SCOPE);
    let for_ledger = mint(ids::LEDGER, ids::LEDGER_SCOPE);
    let exchange = async |assertion: &str| bench.token(&obo(&valet, ids::VALET_SECRET, assertion)).await;
    assert_eq!(exchange(&good).await.0, 200);
    check(exchange(&for_ledger).await, 500_131, "invalid_grant");
    check(exchange("not.a.token").await, 50013, "invalid_grant");
    check(exchange(&format!("{good}AA")).await, 50013, "invalid_grant");
    let app_only = emulator.app_token(ids::DAEMON, ids::VALET, &[ids::VALET_APP_ROLE]).unwrap();
    check(exchange(&app_only).await, 7_000_114, "invalid_grant");
    let id_token = emulator.id_token(ids::ADELE_UPN, ids::VALET, None).unwrap();
    check(exchange(&id_token).await, 240_002, "invalid_request");
    let claims =
        emulator.claims_of(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap();
    for signer in [Signer::Removed, Signer::Stranger] {
        let forged = emulator.forge(emulator.header(TokenVersion::V2, signer), claims.clone(), signer);
        check(exchange(&forged).await, 50013, "invalid_grant");
    }
    // Ledger may not call Graph for anybody.
    let ledger = ids::LEDGER.to_string();
    check(bench.token(&obo(&ledger, ids::LEDGER_SECRET, &for_ledger)).await, 65001, "invalid_grant");
    let without = with(&obo(&valet, ids::VALET_SECRET, &good), "requested_token_use", "").to_vec();
    check(bench.token(&without).await, 900_144, "invalid_request");
    check(bench.token(&obo(&valet, "wrong", &good)).await, 7_000_215, "invalid_client");
    emulator.advance_clock(Duration::from_secs(5401));
    check(exchange(&good).await, 500_133, "invalid_grant");
}

#[tokio::test]
async fn the_clients_request_id_is_echoed() {
    let bench = Bench::start().await;
    let id = "11111111-2222-4333-8444-555555555555";
    let request = bench.http.post(bench.login("oauth2/v2.0/token")).header("client-request-id", id);
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["correlation_id"], id);
}
