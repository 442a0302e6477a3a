//! The table of refusals of the token endpoint: each row is produced by its real cause, and the next good request works.

use std::time::Duration;

use entra_emulator::{
    ConditionalAccess, Control, FederatedCredential, Registrations, RevocationReason, SignInAudience, Signer,
    TokenVersion, ids,
};
use serde_json::{Value, json};

use crate::bench::{Bench, OBO, REDIRECT, redeem, valet_scope, with};

/// AADSTS number, `error`, `suberror` or nothing, status.
const ROWS: &[(u32, &str, &str, u16)] = &[
    (9_010_010, "invalid_target", "", 400),
    (650_053, "invalid_scope", "", 400),
    (70011, "invalid_scope", "", 400),
    (700_022, "invalid_scope", "", 400),
    (65001, "invalid_grant", "consent_required", 400),
    (50076, "interaction_required", "basic_action", 400),
    (50079, "interaction_required", "basic_action", 400),
    (50072, "interaction_required", "basic_action", 400),
    (50074, "interaction_required", "basic_action", 400),
    (50158, "interaction_required", "basic_action", 400),
    (53000, "access_denied", "message_only", 400),
    (53001, "access_denied", "message_only", 400),
    (53002, "access_denied", "message_only", 400),
    (53003, "access_denied", "message_only", 400),
    (530_032, "access_denied", "message_only", 400),
    (50173, "invalid_grant", "bad_token", 400),
    (50132, "invalid_grant", "bad_token", 400),
    (50133, "invalid_grant", "bad_token", 400),
    (700_082, "invalid_grant", "bad_token", 400),
    (700_084, "invalid_grant", "bad_token", 400),
    (70000, "invalid_grant", "bad_token", 400),
    (70008, "invalid_grant", "token_expired", 400),
    (70043, "invalid_grant", "token_expired", 400),
    (54005, "invalid_grant", "", 400),
    (501_481, "invalid_grant", "", 400),
    (700_005, "invalid_grant", "", 400),
    (500_131, "invalid_grant", "", 400),
    (500_133, "invalid_grant", "", 400),
    (50013, "invalid_grant", "", 400),
    (240_002, "invalid_request", "", 400),
    (7_000_114, "invalid_grant", "", 400),
    (500_011, "invalid_resource", "", 400),
    (700_016, "unauthorized_client", "", 400),
    (7_000_112, "unauthorized_client", "", 400),
    (90002, "invalid_request", "", 400),
    (7_000_215, "invalid_client", "", 401),
    (7_000_222, "invalid_client", "", 401),
    (700_027, "invalid_client", "", 401),
    (7_000_218, "invalid_client", "", 401),
    (700_025, "invalid_client", "", 401),
    (70021, "invalid_request", "", 400),
    (700_211, "invalid_client", "", 401),
    (700_212, "invalid_client", "", 401),
    (700_213, "invalid_client", "", 401),
    (7_002_138, "invalid_client", "", 401),
    (700_229, "invalid_client", "", 401),
    (50011, "invalid_request", "", 400),
    (500_112, "invalid_client", "", 401),
    (50105, "access_denied", "", 400),
    (501_051, "invalid_grant", "", 400),
    (50057, "invalid_grant", "", 400),
    (50020, "access_denied", "", 400),
    (50196, "invalid_grant", "", 400),
    (90055, "temporarily_unavailable", "", 429),
    (900_144, "invalid_request", "", 400),
    (9_000_411, "invalid_request", "", 400),
    (90023, "invalid_request", "", 400),
    (70003, "unsupported_grant_type", "", 400),
    (9_002_326, "invalid_request", "", 400),
    (9_002_327, "invalid_request", "", 400),
];

#[tokio::test]
async fn every_row_by_its_cause_and_then_a_good_request() {
    let bench = Bench::start().await;
    let before = bench.emulator.registrations();
    for &(number, error, suberror, status) in ROWS {
        let (got, body) = cause(&bench, number).await;
        assert_eq!(got, status, "{number}: {body}");
        assert_eq!(body["error_codes"], json!([number]), "{body}");
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(body.get("suberror").and_then(Value::as_str).unwrap_or_default(), suberror, "{body}");
        assert_eq!(body.get("claims").is_some(), error == "interaction_required", "{body}");
        let start = format!("AADSTS{number}: ");
        assert!(body["error_description"].as_str().unwrap().starts_with(&start), "{body}");
        bench.emulator.change_registrations(|all| *all = Registrations::clone(&before));
        let (status, body) = bench.redeem(&bench.code(&valet_scope()).await).await;
        assert_eq!(status, 200, "after {number}: {body}");
    }
}

async fn cause(bench: &Bench, number: u32) -> (u16, Value) {
    let emulator = &bench.emulator;
    match number {
        9_010_010 => code_with(bench, "resource", "api://other").await,
        650_053 => code_with(bench, "scope", "unknown.scope").await,
        70011 => code_with(bench, "scope", "/broken").await,
        700_022 => code_with(bench, "scope", &format!("{} User.Read", valet_scope())).await,
        65001 => code_with(bench, "scope", "https://graph.microsoft.com/Mail.Read").await,
        500_011 => code_with(bench, "scope", "api://nobody/x").await,
        501_481 => code_with(bench, "code_verifier", "another-verifier-of-at-least-43-characters-here").await,
        700_025 => code_with(bench, "client_secret", "any").await,
        50011 => code_with(bench, "redirect_uri", "http://localhost:1/elsewhere").await,
        500_112 => code_with(bench, "redirect_uri", "http://localhost:49152/callback").await,
        90023 => code_with(bench, "claims", "not JSON").await,
        70003 => code_with(bench, "grant_type", "password").await,
        50076 | 50079 | 50072 | 50074 | 50158 | 53000..=53003 | 530_032 => by_policy(bench, number).await,
        50173 => after_revocation(bench, RevocationReason::Sessions).await,
        50132 => after_revocation(bench, RevocationReason::PasswordExpired).await,
        50133 => after_revocation(bench, RevocationReason::PasswordChange).await,
        700_082 => refresh_after(bench, || emulator.advance_clock(days(91))).await,
        70043 => {
            let change = || {
                add_policy(bench, Control::None, Some(60));
                emulator.advance_clock(Duration::from_secs(3601));
            };
            refresh_after(bench, change).await
        }
        50057 => refresh_after(bench, || user(bench, |user| user.disabled = true)).await,
        50105 => {
            refresh_after(bench, || app(bench, ids::DEMO_CLIENT, |a| a.assignment_required = true)).await
        }
        7_000_112 => refresh_after(bench, || app(bench, ids::DEMO_CLIENT, |a| a.enabled = false)).await,
        700_084 | 9_002_327 => single_page(bench, number).await,
        9_002_326 => by_browser(bench, &redeem(&bench.code(&valet_scope()).await), true).await,
        70000 => bench.redeem("1.invented").await,
        70008 | 54005 => {
            let code = bench.code(&valet_scope()).await;
            match number {
                54005 => drop(bench.redeem(&code).await),
                _ => emulator.advance_clock(Duration::from_secs(601)),
            }
            bench.redeem(&code).await
        }
        700_005 | 50020 => in_the_foreign_tenant(bench, number).await,
        500_131 | 500_133 | 50013 | 240_002 | 7_000_114 => on_behalf_of(bench, number).await,
        700_016 => daemon(bench, "client_id", "7e57c000-0000-4000-8000-00000000ffff").await,
        7_000_215 => daemon(bench, "client_secret", "wrong").await,
        7_000_218 => daemon(bench, "client_secret", "").await,
        900_144 => daemon(bench, "scope", "").await,
        7_000_222 => {
            app(bench, ids::DAEMON, |a| a.expired_secrets.push("yesterdays".into()));
            daemon(bench, "client_secret", "yesterdays").await
        }
        9_000_411 => bench.token(&[("scope", "x"), ("scope", "x")]).await,
        90002 => bench.token_at("nobody.example", &redeem("x")).await,
        501_051 => {
            app(bench, ids::VALET, |a| a.assignment_required = true);
            app(bench, ids::DAEMON, |a| a.api_permissions.clear());
            daemon(bench, "", "").await
        }
        50196 => {
            emulator.change_registrations(|all| all.limits.equal_requests_in_five_minutes = Some(1));
            let (_, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
            assert_eq!(refresh(bench, &tokens).await.0, 200);
            refresh(bench, &tokens).await
        }
        90055 => {
            emulator.change_registrations(|all| all.limits.app_requests_in_a_minute = Some(1));
            assert_eq!(daemon(bench, "", "").await.0, 200);
            daemon(bench, "", "").await
        }
        _ => by_assertion(bench, number).await,
    }
}

fn days(n: u64) -> Duration {
    Duration::from_secs(n * 24 * 3600)
}

/// Redeems a fresh code with one parameter changed.
async fn code_with(bench: &Bench, name: &str, value: &str) -> (u16, Value) {
    let code = bench.code(&valet_scope()).await;
    bench.token(&with(&redeem(&code), name, value)).await
}

async fn refresh_after(bench: &Bench, change: impl FnOnce()) -> (u16, Value) {
    let (status, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    assert_eq!(status, 200, "{tokens}");
    change();
    refresh(bench, &tokens).await
}

async fn refresh(bench: &Bench, tokens: &Value) -> (u16, Value) {
    let (client, token) = (ids::DEMO_CLIENT.to_string(), tokens["refresh_token"].as_str().unwrap());
    bench.token(&[("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", token)]).await
}

async fn after_revocation(bench: &Bench, reason: RevocationReason) -> (u16, Value) {
    refresh_after(bench, || bench.emulator.revoke(ids::ADELE_UPN, reason).unwrap()).await
}

fn app(bench: &Bench, id: uuid::Uuid, change: impl FnOnce(&mut entra_emulator::App)) {
    bench.emulator.change_registrations(|all| change(all.app_mut(id).unwrap()));
}

fn user(bench: &Bench, change: impl FnOnce(&mut entra_emulator::User)) {
    bench.emulator.change_registrations(|all| {
        change(all.users.iter_mut().find(|u| u.id == ids::ADELE).unwrap());
    });
}

fn add_policy(bench: &Bench, control: Control, sign_in_frequency_minutes: Option<u32>) {
    let policy = ConditionalAccess {
        name: "row".into(),
        tenant: ids::TENANT,
        users: vec![],
        resources: vec![ids::VALET],
        clients: vec![],
        context: None,
        control,
        sign_in_frequency_minutes,
    };
    bench.emulator.change_registrations(|all| all.conditional_access.push(policy));
}

async fn by_policy(bench: &Bench, number: u32) -> (u16, Value) {
    let control = match number {
        50076 => Control::Mfa,
        50079 | 50072 => Control::MfaRegistration,
        50074 => Control::StrongAuthentication,
        50158 => Control::ExternalChallenge,
        53000 => Control::CompliantDevice,
        53001 => Control::DomainJoinedDevice,
        53002 => Control::ApprovedApp,
        53003 => Control::Block,
        _ => Control::SecurityPolicy,
    };
    let change = || {
        add_policy(bench, control, None);
        if number == 50072 {
            user(bench, |adele| adele.home = Some(ids::FARAH));
        }
    };
    refresh_after(bench, change).await
}

/// The demo client as a single-page application.
async fn single_page(bench: &Bench, number: u32) -> (u16, Value) {
    app(bench, ids::DEMO_CLIENT, |a| a.redirect_uris.spa.append(&mut a.redirect_uris.public_client));
    let code = bench.code(&valet_scope()).await;
    if number == 9_002_327 {
        return bench.redeem(&code).await;
    }
    let (status, tokens) = by_browser(bench, &redeem(&code), false).await;
    assert_eq!(status, 200, "{tokens}");
    let client = ids::DEMO_CLIENT.to_string();
    let token = tokens["refresh_token"].as_str().unwrap();
    let grant = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", token)];
    bench.emulator.advance_clock(Duration::from_secs(23 * 3600));
    let (status, tokens) = by_browser(bench, &grant, false).await;
    assert_eq!(status, 200, "{tokens}");
    bench.emulator.advance_clock(Duration::from_secs(2 * 3600));
    let successor = tokens["refresh_token"].as_str().unwrap();
    by_browser(bench, &with(&grant, "refresh_token", successor), false).await
}

/// A token request with an `Origin`, of the demo client as it is or as a web application.
async fn by_browser(bench: &Bench, params: &[(&str, &str)], web: bool) -> (u16, Value) {
    if web {
        app(bench, ids::DEMO_CLIENT, |a| a.redirect_uris.web.append(&mut a.redirect_uris.public_client));
        let code = bench.code(&valet_scope()).await;
        return Box::pin(by_browser(bench, &redeem(&code), false)).await;
    }
    let request = bench.http.post(bench.login("oauth2/v2.0/token")).header("origin", REDIRECT);
    let response = request.form(params).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn in_the_foreign_tenant(bench: &Bench, number: u32) -> (u16, Value) {
    app(bench, ids::DEMO_CLIENT, |a| a.sign_in_audience = SignInAudience::AzureADMultipleOrgs);
    let code = bench.code(&valet_scope()).await;
    let foreign = ids::FOREIGN_TENANT.to_string();
    if number == 700_005 {
        return bench.token_at(&foreign, &redeem(&code)).await;
    }
    let (_, tokens) = bench.redeem(&code).await;
    let (client, token) = (ids::DEMO_CLIENT.to_string(), tokens["refresh_token"].as_str().unwrap());
    let grant = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", token)];
    bench.token_at(&foreign, &grant).await
}

async fn on_behalf_of(bench: &Bench, number: u32) -> (u16, Value) {
    let emulator = &bench.emulator;
    let mint = |api, scope| emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, api, &[scope]).unwrap();
    let assertion = match number {
        500_131 => mint(ids::LEDGER, ids::LEDGER_SCOPE),
        240_002 => emulator.id_token(ids::ADELE_UPN, ids::VALET, None).unwrap(),
        7_000_114 => emulator.app_token(ids::DAEMON, ids::VALET, &[ids::VALET_APP_ROLE]).unwrap(),
        // A token for Graph is signed so that nobody else can verify it.
        50013 => emulator
            .access_token(ids::ADELE_UPN, ids::VALET, entra_emulator::GRAPH_APP_ID, &["User.Read"])
            .unwrap(),
        _ => mint(ids::VALET, ids::VALET_SCOPE),
    };
    if number == 500_133 {
        emulator.advance_clock(Duration::from_secs(5401));
    }
    let client = ids::VALET.to_string();
    let grant = [
        ("grant_type", OBO),
        ("client_id", client.as_str()),
        ("client_secret", ids::VALET_SECRET),
        ("assertion", &assertion),
        ("scope", "https://graph.microsoft.com/User.Read"),
        ("requested_token_use", "on_behalf_of"),
    ];
    bench.token(&grant).await
}

/// Client credentials of the daemon with one parameter changed.
async fn daemon(bench: &Bench, name: &str, value: &str) -> (u16, Value) {
    let (client, scope) = (ids::DAEMON.to_string(), format!("{}/.default", ids::VALET_URI));
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", &client),
        ("client_secret", ids::DAEMON_SECRET),
        ("scope", &scope),
    ];
    bench.token(&with(&good, name, value)).await
}

/// The daemon with a token of the emulator as its proof; a federated credential trusts one issuer and subject.
async fn by_assertion(bench: &Bench, number: u32) -> (u16, Value) {
    let emulator = &bench.emulator;
    let issuer = emulator.issuer(TokenVersion::V2, ids::TENANT);
    app(bench, ids::DAEMON, |a| {
        a.federated_credentials.push(FederatedCredential {
            name: "row".into(),
            issuer: issuer.clone(),
            subject: "right".into(),
            audience: "api://AzureADTokenExchange".into(),
            jwks: None,
        });
    });
    let mut header = emulator.header(TokenVersion::V2, Signer::Live);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // Far enough for the days by which other rows have put the clock forward.
    let mut claims = json!({
        "iss": issuer,
        "sub": "right",
        "aud": "api://AzureADTokenExchange",
        "exp": now + days(1000).as_secs(),
    });
    match number {
        700_211 => claims["iss"] = "https://other.example".into(),
        70021 => {
            claims["iss"] = "https://other.example".into();
            claims["sub"] = "wrong".into();
        }
        700_212 => claims["aud"] = "api://other".into(),
        700_213 => claims["sub"] = "wrong".into(),
        7_002_138 => claims["sub"] = "Right".into(),
        700_229 => claims["scp"] = "mcp.access".into(),
        700_027 => {
            claims["iss"] = ids::DAEMON.to_string().into();
            claims["sub"] = claims["iss"].clone();
            claims["aud"] = bench.login("oauth2/v2.0/token").into();
            header["x5t"] = "nobody-uploaded-this".into();
        }
        other => panic!("no cause for {other}"),
    }
    let assertion = emulator.forge(header, claims, Signer::Live);
    let (client, scope) = (ids::DAEMON.to_string(), format!("{}/.default", ids::VALET_URI));
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", &client),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
        ("scope", &scope),
    ];
    bench.token(&grant).await
}
