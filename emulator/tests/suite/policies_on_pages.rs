//! Conditional Access as a person meets it on the pages: second factor, blocks, age of the sign-in, problems of the account.

use std::time::Duration;

use entra_emulator::{ConditionalAccess, Control, ids};

use crate::bench::{Bench, valet_scope, with};
use crate::browser::{Browser, Shown};

fn policy(control: Control) -> ConditionalAccess {
    ConditionalAccess {
        name: "For Valet".into(),
        tenant: ids::TENANT,
        users: vec![],
        resources: vec![ids::VALET],
        clients: vec![],
        context: None,
        control,
        sign_in_frequency_minutes: None,
    }
}

async fn bench(policy: ConditionalAccess) -> Bench {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| all.conditional_access.push(policy));
    bench
}

async fn authorize(bench: &Bench, browser: &mut Browser<'_>, changes: &[(&str, &str)]) -> Shown {
    let scope = valet_scope();
    let mut ask = with(&bench.authorize(&scope), "code_challenge", "");
    ask = with(&ask, "code_challenge_method", "");
    for (name, value) in changes {
        ask = with(&ask, name, value);
    }
    browser.get(&bench.login("oauth2/v2.0/authorize"), &ask).await
}

fn error(shown: &Shown) -> (String, String) {
    shown.location();
    let got = crate::bench::answer(&shown.headers);
    let text = got["error_description"].as_str().unwrap_or_else(|| panic!("{got}"));
    (got["error"].as_str().unwrap().into(), text.split(':').next().unwrap().into())
}

fn is(shown: &Shown, expected: &str, code: &str) {
    assert_eq!(error(shown), (expected.to_owned(), code.to_owned()));
}

#[tokio::test]
async fn a_second_factor_is_approved_once_and_remembered_by_the_session() {
    let bench = bench(policy(Control::Mfa)).await;
    let mut browser = Browser::new(&bench);
    let accounts = authorize(&bench, &mut browser, &[]).await;
    let factor = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(factor.status == 200 && factor.has("Approve sign-in"), "{}", factor.html);
    let skipped = browser.submit(&factor, &[("decision", "accept")]).await;
    assert!(skipped.has("Approve sign-in"), "{}", skipped.html);
    is(&browser.submit(&factor, &[("decision", "cancel")]).await, "access_denied", "AADSTS65004");
    let consent = browser.submit(&factor, &[("decision", "approve")]).await;
    assert!(consent.has("Permissions requested"), "{}", consent.html);
    let done = browser.submit(&consent, &[("decision", "accept")]).await;
    assert!(done.location().contains("code="));
    let silent = authorize(&bench, &mut browser, &[("prompt", "none")]).await;
    assert!(silent.location().contains("code="), "the session knows of the second factor");
}

#[tokio::test]
async fn without_a_page_the_client_is_told_the_claims() {
    let bench = Bench::start().await;
    let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
    authorize(&bench, &mut browser, &[]).await.location();
    bench.emulator.change_registrations(|all| all.conditional_access.push(policy(Control::Mfa)));
    let page = authorize(&bench, &mut browser, &[]).await;
    assert!(page.has("Approve sign-in"), "a script without a second factor: {}", page.html);
    browser.headers.clear();
    let silent = authorize(&bench, &mut browser, &[("prompt", "none")]).await;
    is(&silent, "interaction_required", "AADSTS50076");
    assert!(crate::bench::answer(&silent.headers)["claims"].as_str().unwrap().starts_with('{'));
    browser.headers = vec![("x-emulator-approve", ids::ADELE_UPN.into()), ("x-emulator-mfa", "1".into())];
    assert!(authorize(&bench, &mut browser, &[]).await.location().contains("code="));
}

#[tokio::test]
async fn registration_of_a_second_factor_is_worded_so() {
    let bench = bench(policy(Control::MfaRegistration)).await;
    let mut browser = Browser::new(&bench);
    let accounts = authorize(&bench, &mut browser, &[]).await;
    let page = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(page.has("Register and approve"), "{}", page.html);
}

#[tokio::test]
async fn blocks_are_explained_and_returned() {
    for (control, code) in [
        (Control::CompliantDevice, "AADSTS53000"),
        (Control::DomainJoinedDevice, "AADSTS53001"),
        (Control::ApprovedApp, "AADSTS53002"),
        (Control::Block, "AADSTS53003"),
        (Control::SecurityPolicy, "AADSTS530032"),
    ] {
        let bench = Bench::start().await;
        let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
        authorize(&bench, &mut browser, &[]).await.location();
        bench.emulator.change_registrations(|all| all.conditional_access.push(policy(control)));
        is(&authorize(&bench, &mut browser, &[]).await, "access_denied", code);
        browser.headers.clear();
        let silent = authorize(&bench, &mut browser, &[("prompt", "none")]).await;
        is(&silent, "interaction_required", code);
        let page = authorize(&bench, &mut browser, &[]).await;
        assert!(page.status == 200 && page.has(code), "{}", page.html);
        is(&browser.submit(&page, &[("decision", "return")]).await, "access_denied", code);
    }
}

#[tokio::test]
async fn an_old_sign_in_is_repeated() {
    let old = ConditionalAccess { sign_in_frequency_minutes: Some(60), ..policy(Control::None) };
    let bench = bench(old).await;
    let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
    authorize(&bench, &mut browser, &[]).await.location();
    browser.headers.clear();
    assert!(authorize(&bench, &mut browser, &[]).await.location().contains("code="));
    bench.emulator.advance_clock(Duration::from_secs(3601));
    is(&authorize(&bench, &mut browser, &[("prompt", "none")]).await, "interaction_required", "AADSTS70043");
    let accounts = authorize(&bench, &mut browser, &[]).await;
    assert!(accounts.has("Pick an account"), "{}", accounts.html);
    let again = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(again.location().contains("code="));
    let silent = authorize(&bench, &mut browser, &[("prompt", "none")]).await;
    assert!(silent.location().contains("code="), "the session is as new as the sign-in");
}

#[tokio::test]
async fn problems_of_the_account_stay_on_the_page() {
    let bench = Bench::start().await;
    let mut browser = Browser::new(&bench);
    let accounts = authorize(&bench, &mut browser, &[]).await;
    let disable = |on: bool| {
        bench.emulator.change_registrations(|all| {
            all.users.iter_mut().find(|u| u.id == ids::ADELE).unwrap().disabled = on;
        });
    };
    disable(true);
    let page = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(page.status == 400 && page.has("AADSTS50057: "), "{}", page.html);
    disable(false);
    bench
        .emulator
        .change_registrations(|all| all.app_mut(ids::DEMO_CLIENT).unwrap().assignment_required = true);
    let page = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(page.status == 400 && page.has("AADSTS50105: "), "{}", page.html);
    bench
        .emulator
        .change_registrations(|all| all.app_mut(ids::DEMO_CLIENT).unwrap().assignment_required = false);
    let consent = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(consent.has("Permissions requested"), "{}", consent.html);
}

#[tokio::test]
async fn a_device_asks_for_the_second_factor_too() {
    let bench = bench(policy(Control::Mfa)).await;
    let (client, scope) = (ids::DEMO_CLIENT.to_string(), valet_scope());
    let ask = [("client_id", client.as_str()), ("scope", scope.as_str())];
    let url = bench.login("oauth2/v2.0/devicecode");
    let codes: serde_json::Value =
        bench.http.post(url).form(&ask).send().await.unwrap().json().await.unwrap();
    let page = format!("{}/common/oauth2/deviceauth", bench.emulator.authority_url());
    let mut browser = Browser::new(&bench);
    let accounts = browser.post(&page, &[("user_code", codes["user_code"].as_str().unwrap())]).await;
    let factor = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(factor.has("Approve sign-in"), "{}", factor.html);
    let consent = browser.submit(&factor, &[("decision", "approve")]).await;
    assert_eq!(browser.submit(&consent, &[("decision", "accept")]).await.status, 200);
    let poll = [
        ("grant_type", "device_code"),
        ("client_id", client.as_str()),
        ("device_code", codes["device_code"].as_str().unwrap()),
    ];
    let (status, body) = bench.token(&poll).await;
    assert_eq!(status, 200, "{body}");
}
