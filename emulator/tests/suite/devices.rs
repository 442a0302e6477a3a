//! The device code flow: the codes, the page where a person enters one, and every answer to a poll.

use std::time::Duration;

use entra_emulator::ids;
use serde_json::Value;

use crate::bench::{Bench, claims, valet_scope, with};
use crate::browser::{Browser, Shown};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

struct Device {
    device_code: String,
    user_code: String,
}

async fn ask(bench: &Bench, params: &[(&str, &str)]) -> (u16, Value) {
    let url = bench.login("oauth2/v2.0/devicecode");
    let response = bench.http.post(url).form(params).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn device(bench: &Bench, scope: &str) -> Device {
    let client = ids::DEMO_CLIENT.to_string();
    let (status, body) = ask(bench, &[("client_id", &client), ("scope", scope)]).await;
    assert_eq!(status, 200, "{body}");
    let get = |name: &str| body[name].as_str().unwrap().to_owned();
    Device { device_code: get("device_code"), user_code: get("user_code") }
}

async fn poll(bench: &Bench, device: &Device) -> (u16, Value) {
    let client = ids::DEMO_CLIENT.to_string();
    bench.token(&[("grant_type", GRANT), ("client_id", &client), ("device_code", &device.device_code)]).await
}

async fn approve(bench: &Bench, device: &Device, headers: &[(&'static str, &str)]) -> Shown {
    let url = format!("{}/common/oauth2/deviceauth", bench.emulator.authority_url());
    Browser::script(bench, headers).post(&url, &[("user_code", &device.user_code)]).await
}

fn check((status, body): (u16, Value), code: u32, error: &str) {
    let expected = if error == "invalid_client" { 401 } else { 400 };
    assert_eq!((status, body["error"].as_str()), (expected, Some(error)), "{body}");
    assert_eq!(body["error_codes"], serde_json::json!([code]), "{body}");
}

#[tokio::test]
async fn the_answer_has_entras_six_members() {
    let bench = Bench::start().await;
    let client = ids::DEMO_CLIENT.to_string();
    let (_, body) = ask(&bench, &[("client_id", &client), ("scope", &valet_scope())]).await;
    let mut names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["device_code", "expires_in", "interval", "message", "user_code", "verification_uri"]);
    assert_eq!((body["expires_in"].as_i64(), body["interval"].as_i64()), (Some(900), Some(5)));
    let (uri, message) = (body["verification_uri"].as_str().unwrap(), body["message"].as_str().unwrap());
    assert!(message.contains(uri) && message.contains(body["user_code"].as_str().unwrap()), "{message}");
    assert!(Browser::new(&bench).get(uri, &[]).await.location().ends_with("/common/oauth2/deviceauth"));
}

#[tokio::test]
async fn a_person_enters_the_code_and_the_device_is_signed_in_once() {
    let bench = Bench::start().await;
    let device = device(&bench, &valet_scope()).await;
    check(poll(&bench, &device).await, 70016, "authorization_pending");

    let mut browser = Browser::new(&bench);
    let url = format!("{}/common/oauth2/deviceauth", bench.emulator.authority_url());
    let page = browser.get(&url, &[("user_code", "<script>")]).await;
    assert!(
        !page.has("<script") && page.headers["content-security-policy"].to_str().unwrap().contains("'none'")
    );
    // As people type it.
    let typed = format!(" {}-{} ", device.user_code[..4].to_lowercase(), &device.user_code[4..]);
    let accounts = browser.submit(&page, &[("user_code", &typed)]).await;
    assert!(accounts.has("Adele Vance") && !accounts.has("fabrikam"), "{}", accounts.html);
    let consent = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(consent.has("Valet demo client") && consent.has("mcp.access"), "{}", consent.html);
    check(poll(&bench, &device).await, 70016, "authorization_pending");
    let done = browser.submit(&consent, &[("decision", "accept")]).await;
    assert_eq!(done.status, 200, "{}", done.html);

    let (status, tokens) = poll(&bench, &device).await;
    assert_eq!(status, 200, "{tokens}");
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((access["scp"].as_str(), access["azpacr"].as_str()), (Some("mcp.access"), Some("0")));
    assert!(tokens["id_token"].is_string() && tokens["refresh_token"].is_string());
    check(poll(&bench, &device).await, 70018, "bad_verification_code");
    let again = browser.submit(&page, &[("user_code", &device.user_code)]).await;
    assert_eq!(again.status, 400, "the code is used up");

    let (client, refresh) = (ids::DEMO_CLIENT.to_string(), tokens["refresh_token"].as_str().unwrap());
    let form = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", refresh)];
    assert_eq!(bench.token(&form).await.0, 200);
}

#[tokio::test]
async fn both_spellings_of_grant_and_parameter() {
    let bench = Bench::start().await;
    let client = ids::DEMO_CLIENT.to_string();
    for (grant, name) in [(GRANT, "code"), ("device_code", "device_code"), ("device_code", "code")] {
        let device = device(&bench, &valet_scope()).await;
        assert_eq!(approve(&bench, &device, &[("x-emulator-approve", ids::ADELE_UPN)]).await.status, 200);
        let form = [("grant_type", grant), ("client_id", &client), (name, &device.device_code)];
        let (status, body) = bench.token(&form).await;
        assert_eq!(status, 200, "{grant} {name}: {body}");
    }
    check(bench.token(&[("grant_type", GRANT), ("client_id", &client)]).await, 900_144, "invalid_request");
}

#[tokio::test]
async fn declined_expired_unknown() {
    let bench = Bench::start().await;
    let declined = device(&bench, &valet_scope()).await;
    approve(&bench, &declined, &[("x-emulator-decline", "1")]).await;
    check(poll(&bench, &declined).await, 65004, "authorization_declined");
    let late = approve(&bench, &declined, &[("x-emulator-approve", ids::ADELE_UPN)]).await;
    assert_eq!(late.status, 400, "a decision is final");
    check(poll(&bench, &declined).await, 65004, "authorization_declined");

    let by_button = device(&bench, &valet_scope()).await;
    let accounts = approve(&bench, &by_button, &[]).await;
    Browser::new(&bench).submit(&accounts, &[("decision", "cancel")]).await;
    check(poll(&bench, &by_button).await, 65004, "authorization_declined");

    let invented = Device { device_code: "invented".into(), user_code: String::new() };
    check(poll(&bench, &invented).await, 70018, "bad_verification_code");

    let expired = device(&bench, &valet_scope()).await;
    bench.emulator.advance_clock(Duration::from_secs(901));
    check(poll(&bench, &expired).await, 70019, "expired_token");
    let page = approve(&bench, &expired, &[("x-emulator-approve", ids::ADELE_UPN)]).await;
    assert!(page.status == 400 && page.has("not valid"), "{}", page.html);

    let good = device(&bench, &valet_scope()).await;
    approve(&bench, &good, &[("x-emulator-approve", ids::ADELE_UPN)]).await;
    assert_eq!(poll(&bench, &good).await.0, 200);
}

#[tokio::test]
async fn a_code_is_bound_to_client_and_tenant() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        for app in &mut all.apps {
            app.sign_in_audience = entra_emulator::SignInAudience::AzureADMultipleOrgs;
        }
    });
    let device = device(&bench, &valet_scope()).await;
    approve(&bench, &device, &[("x-emulator-approve", ids::ADELE_UPN)]).await;
    let client = ids::DEMO_CLIENT.to_string();
    let good = [("grant_type", GRANT), ("client_id", client.as_str()), ("device_code", &device.device_code)];
    let other = ids::FOREIGN_APP.to_string();
    check(bench.token(&with(&good, "client_id", &other)).await, 70018, "bad_verification_code");
    for tenant in [ids::FOREIGN_TENANT.to_string(), "common".into()] {
        check(bench.token_at(&tenant, &good).await, 700_005, "invalid_grant");
    }
    assert_eq!(bench.token(&good).await.0, 200, "the refusals used nothing up");
}

#[tokio::test]
async fn only_public_clients_go_without_a_secret() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::LEDGER).unwrap().is_fallback_public_client = false;
    });
    let ledger = ids::LEDGER.to_string();
    let (_, body) = ask(&bench, &[("client_id", &ledger), ("scope", "openid")]).await;
    let device = Device {
        device_code: body["device_code"].as_str().unwrap().into(),
        user_code: body["user_code"].as_str().unwrap().into(),
    };
    approve(&bench, &device, &[("x-emulator-approve", ids::ADELE_UPN)]).await;
    let bare = [("grant_type", GRANT), ("client_id", ledger.as_str()), ("device_code", &device.device_code)];
    check(bench.token(&bare).await, 7_000_218, "invalid_client");
    check(
        bench.token(&[bare.as_slice(), &[("client_secret", "wrong")]].concat()).await,
        7_000_215,
        "invalid_client",
    );
    let (status, body) =
        bench.token(&[bare.as_slice(), &[("client_secret", ids::LEDGER_SECRET)]].concat()).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn refusals_of_the_code_endpoint() {
    let bench = Bench::start().await;
    let (client, scope) = (ids::DEMO_CLIENT.to_string(), valet_scope());
    let good = [("client_id", client.as_str()), ("scope", scope.as_str())];
    for (name, value, code, error) in [
        ("client_id", "", 900_144, "invalid_request"),
        ("client_id", "7e57c000-0000-4000-8000-00000000ffff", 700_016, "unauthorized_client"),
        ("scope", "", 900_144, "invalid_request"),
        ("scope", "mcp.access", 650_053, "invalid_scope"),
        ("resource", ids::LEDGER_URI, 9_010_010, "invalid_target"),
        ("claims", "[]", 90023, "invalid_request"),
    ] {
        check(ask(&bench, &with(&good, name, value)).await, code, error);
    }
    check(
        ask(&bench, &[good.as_slice(), &[("scope", "openid")]].concat()).await,
        9_000_411,
        "invalid_request",
    );
    let json = bench.http.post(bench.login("oauth2/v2.0/devicecode")).json(&good).send().await.unwrap();
    check((json.status().as_u16(), json.json().await.unwrap()), 900_144, "invalid_request");
    assert_eq!(ask(&bench, &good).await.0, 200);
}

#[tokio::test]
async fn slow_down_comes_only_when_asked_for() {
    let bench = Bench::start().await;
    let device = device(&bench, &valet_scope()).await;
    for _ in 0..3 {
        check(poll(&bench, &device).await, 70016, "authorization_pending");
    }
    bench.emulator.slow_down_device_codes(1);
    check(poll(&bench, &device).await, 70016, "slow_down");
    check(poll(&bench, &device).await, 70016, "authorization_pending");
}

#[tokio::test]
async fn the_page_takes_odd_input() {
    let bench = Bench::start().await;
    let url = format!("{}/common/oauth2/deviceauth", bench.emulator.authority_url());
    let mut browser = Browser::new(&bench);
    let page = browser.post(&url, &[("user_code", "\"><script>alert(1)</script>")]).await;
    assert!(page.status == 400 && !page.has("<script"), "{}", page.html);
    let twice = browser.post(&url, &[("user_code", "A"), ("user_code", "B")]).await;
    assert!(twice.status == 400 && twice.has("AADSTS9000411: "), "{}", twice.html);
    let empty = bench.http.post(&url).body(vec![0xff, 0xfe]).send().await.unwrap();
    assert_eq!(empty.status(), 400);
}
