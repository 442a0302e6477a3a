//! What a person sees between a client's request and its answer: passwords, guests, sessions, prompts, logout, and the
//! kinds of answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::{Options, Registrations, SAMPLE_TOML, SignInAudience, ids};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::bench::{Bench, VERIFIER, claims, valet_scope, with};
use crate::browser::{Browser, Shown};

const GRADY: &str = "7e57b000-0000-4000-8000-000000000011";
const GUEST: &str = "7e57b000-0000-4000-8000-000000000012";

/// The sample, a user with a password, and Farah as a guest of Contoso.
async fn bench() -> Bench {
    let text = format!(
        "{SAMPLE_TOML}\n[[users]]\nid = \"{GRADY}\"\ntenant = \"{contoso}\"\nuser_principal_name = \"grady@contoso.example\"\n\
         display_name = \"Grady <b>Archie\"\npassword = \"open sesame\"\n\
         [[users]]\nid = \"{GUEST}\"\ntenant = \"{contoso}\"\n\
         user_principal_name = \"farah_fabrikam.example#EXT#@contoso.example\"\ndisplay_name = \"Farah Nadim\"\n\
         home = \"{farah}\"\n",
        contoso = ids::TENANT,
        farah = ids::FARAH,
    );
    let registrations = Registrations::from_toml(&text).unwrap();
    Bench::start_with(Options { registrations, ..Options::default() }).await
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

async fn authorize(bench: &Bench, browser: &mut Browser<'_>, changes: &[(&str, &str)]) -> Shown {
    let (scope, challenge) = (valet_scope(), challenge());
    let mut ask = with(&bench.authorize(&scope), "code_challenge", &challenge);
    for (name, value) in changes {
        ask = with(&ask, name, value);
    }
    browser.get(&bench.login("oauth2/v2.0/authorize"), &ask).await
}

/// The parameters of an answer by redirect.
fn answer(shown: &Shown) -> Value {
    shown.location();
    crate::bench::answer(&shown.headers)
}

fn refused(shown: &Shown, error: &str, code: u32) {
    let got = answer(shown);
    assert_eq!((got["error"].as_str(), got["state"].as_str()), (Some(error), Some("st-1")), "{got}");
    assert!(got["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{code}: ")), "{got}");
}

fn on_page(shown: &Shown, code: u32) {
    assert_eq!((shown.status, shown.headers.get("location")), (400, None), "{}", shown.html);
    assert!(shown.has(&format!("AADSTS{code}: ")), "{}", shown.html);
}

#[tokio::test]
async fn a_password_is_asked_and_cannot_be_skipped() {
    let bench = bench().await;
    let mut browser = Browser::new(&bench);
    let accounts = authorize(&bench, &mut browser, &[]).await;
    assert!(accounts.has("Grady &lt;b&gt;Archie"), "{}", accounts.html);
    let password = browser.submit(&accounts, &[("account", GRADY)]).await;
    assert!(password.has("type=\"password\"") && !password.has("open sesame"), "{}", password.html);

    let wrong = browser.submit(&password, &[("password", "open sesam")]).await;
    assert!(wrong.status == 200 && wrong.has("AADSTS50126: ") && !wrong.has("open sesam"), "{}", wrong.html);
    for skip in [
        vec![("account", GRADY), ("decision", "accept")],
        vec![("account", GRADY), ("decision", "approve")],
        vec![("account", GRADY), ("decision", "accept"), ("proof", "x.0.0.99999999999.AAAA")],
    ] {
        let page = browser.submit(&accounts, &skip).await;
        assert!(page.has("type=\"password\""), "{skip:?}: {}", page.html);
    }

    let consent = browser.submit(&wrong, &[("password", "open sesame")]).await;
    assert!(consent.has("Permissions requested"), "{}", consent.html);
    let (_, fields) = consent.form();
    let proof = &fields.iter().find(|(name, _)| name == "proof").unwrap().1;

    // The proof is for this request, this user and a while.
    let elsewhere = authorize(&bench, &mut Browser::new(&bench), &[("state", "st-2")]).await;
    let fields = [("account", GRADY), ("decision", "accept"), ("proof", proof)];
    assert!(Browser::new(&bench).submit(&elsewhere, &fields).await.has("type=\"password\""));
    let tampered = format!("{}{}", ids::ADELE, &proof[36..]);
    let fields = [("account", GRADY), ("decision", "accept"), ("proof", tampered.as_str())];
    assert!(Browser::new(&bench).submit(&consent, &fields).await.has("type=\"password\""));

    let done = browser.submit(&consent, &[("decision", "accept")]).await;
    assert_eq!(bench.redeem(answer(&done)["code"].as_str().unwrap()).await.0, 200);
    bench.emulator.advance_clock(Duration::from_secs(901));
    let late = Browser::new(&bench).submit(&consent, &[("decision", "accept")]).await;
    assert!(late.has("type=\"password\""), "{}", late.html);
}

#[tokio::test]
async fn a_hint_leads_to_the_password() {
    let bench = bench().await;
    let mut browser = Browser::new(&bench);
    let hint = [("login_hint", "grady@contoso.example"), ("domain_hint", "contoso.example")];
    let password = authorize(&bench, &mut browser, &hint).await;
    assert!(password.has("type=\"password\""), "{}", password.html);
    let accounts = browser.submit(&password, &[("account", ""), ("decision", "back")]).await;
    assert!(accounts.has("Pick an account"), "{}", accounts.html);
    let hinted = authorize(&bench, &mut Browser::new(&bench), &[("login_hint", ids::ALEX_UPN)]).await;
    assert!(hinted.html.find("Alex Wilber").unwrap() < hinted.html.find("Adele Vance").unwrap());
}

#[tokio::test]
async fn guests_are_offered_where_they_are_guests_and_sign_in_with_the_home_account() {
    let bench = bench().await;
    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::DEMO_CLIENT).unwrap().sign_in_audience = SignInAudience::AzureADMultipleOrgs;
        all.users.iter_mut().find(|u| u.id == ids::FARAH).unwrap().password = Some("home password".into());
    });
    let mut browser = Browser::new(&bench);
    let accounts = authorize(&bench, &mut browser, &[]).await;
    assert!(accounts.has("Farah Nadim") && accounts.has(">guest<"), "{}", accounts.html);
    let password = browser.submit(&accounts, &[("account", GUEST)]).await;
    let consent = browser.submit(&password, &[("password", "home password")]).await;
    let done = browser.submit(&consent, &[("decision", "accept")]).await;
    let (_, body) = bench.redeem(answer(&done)["code"].as_str().unwrap()).await;
    let got = claims(body["access_token"].as_str().unwrap());
    assert_eq!(
        (got["oid"].as_str(), got["tid"].as_str()),
        (Some(GUEST), Some(ids::TENANT.to_string().as_str()))
    );

    // Named by the home account, by script and by hint.
    let script = &[("x-emulator-approve", ids::FARAH_UPN)];
    assert!(answer(&authorize(&bench, &mut Browser::script(&bench, script), &[]).await)["code"].is_string());
    assert!(
        answer(&authorize(&bench, &mut browser, &[("login_hint", ids::FARAH_UPN)]).await)["code"].is_string()
    );

    let url = format!("{}/common/oauth2/v2.0/authorize", bench.emulator.authority_url());
    let (scope, challenge) = (valet_scope(), challenge());
    let ask = with(&bench.authorize(&scope), "code_challenge", &challenge);
    let common = Browser::new(&bench).get(&url, &ask).await;
    assert!(common.has("farah@fabrikam.example") && !common.has("#EXT#"), "{}", common.html);
}

#[tokio::test]
async fn single_sign_on_keeps_the_time_of_the_first_sign_in() {
    let bench = bench().await;
    let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
    authorize(&bench, &mut browser, &[]).await.location();
    browser.headers.clear();
    bench.emulator.advance_clock(Duration::from_secs(20 * 3600));
    assert!(answer(&authorize(&bench, &mut browser, &[]).await)["code"].is_string());
    let other = authorize(&bench, &mut browser, &[("prompt", "none"), ("login_hint", ids::ALEX_UPN)]).await;
    refused(&other, "login_required", 50058);
    // A session lasts a day from its sign-in, not from its last use.
    bench.emulator.advance_clock(Duration::from_secs(5 * 3600));
    refused(&authorize(&bench, &mut browser, &[("prompt", "none")]).await, "login_required", 50058);
}

#[tokio::test]
async fn prompts() {
    let bench = bench().await;
    let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
    authorize(&bench, &mut browser, &[]).await.location();
    browser.headers.clear();
    for (prompt, title) in [
        ("login", "Pick an account"),
        ("select_account", "Pick an account"),
        ("consent", "Permissions requested"),
    ] {
        let page = authorize(&bench, &mut browser, &[("prompt", prompt)]).await;
        assert!(page.status == 200 && page.has(title), "{prompt}: {}", page.html);
    }
    let code = authorize(&bench, &mut browser, &[("prompt", "none")]).await;
    assert!(answer(&code)["code"].is_string());
    for prompt in ["create", "LOGIN", "login consent"] {
        refused(&authorize(&bench, &mut browser, &[("prompt", prompt)]).await, "invalid_request", 90023);
    }
    bench.emulator.forget_consents();
    let silent = authorize(&bench, &mut browser, &[("prompt", "none")]).await;
    refused(&silent, "interaction_required", 65001);
}

#[tokio::test]
async fn scripts_decline_and_name_the_second_factor() {
    let bench = bench().await;
    let mut declining = Browser::script(&bench, &[("x-emulator-decline", "1")]);
    let declined = authorize(&bench, &mut declining, &[]).await;
    refused(&declined, "access_denied", 65004);
    assert_eq!(answer(&declined)["error_subcode"], "cancel");
    let approve = format!("{};mfa", ids::ADELE_UPN);
    let mut browser = Browser::script(&bench, &[("x-emulator-approve", &approve)]);
    assert!(answer(&authorize(&bench, &mut browser, &[]).await)["code"].is_string());
}

#[tokio::test]
async fn what_needs_an_administrator_is_explained_and_returned() {
    let bench = bench().await;
    let scope = format!("openid {}/{}", ids::VALET_URI, ids::VALET_ADMIN_SCOPE);
    let mut browser = Browser::new(&bench);
    let accounts = authorize(&bench, &mut browser, &[("scope", &scope)]).await;
    let page = browser.submit(&accounts, &[("account", &ids::ADELE.to_string())]).await;
    assert!(page.status == 200 && page.has("AADSTS90094") && page.has("mcp.admin"), "{}", page.html);
    let accepted = browser.submit(&page, &[("decision", "accept")]).await;
    assert!(accepted.has("AADSTS90094"), "accepting changes nothing: {}", accepted.html);
    refused(&browser.submit(&page, &[("decision", "return")]).await, "access_denied", 90094);

    let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
    authorize(&bench, &mut browser, &[]).await.location();
    browser.headers.clear();
    let silent = authorize(&bench, &mut browser, &[("scope", &scope), ("prompt", "none")]).await;
    refused(&silent, "interaction_required", 90094);
}

#[tokio::test]
async fn logout_ends_the_session_on_the_server() {
    let bench = bench().await;
    let logout = bench.login("oauth2/v2.0/logout");
    for (target, expected) in [
        ("", None),
        ("https://elsewhere.example/", None),
        ("http://localhost/callback/more", None),
        ("http://localhost:5000/callback", Some("http://localhost:5000/callback?state=bye+bye")),
    ] {
        let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
        let signed_in = authorize(&bench, &mut browser, &[]).await;
        let cookie = signed_in.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let query = [
            ("post_logout_redirect_uri", target),
            ("state", "bye bye"),
            ("id_token_hint", "e30.e30."),
            ("logout_hint", "x"),
        ];
        let out = browser.get(&logout, &query).await;
        assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
        match expected {
            Some(location) => assert_eq!(out.location(), location),
            None => assert!(out.status == 200 && out.has("Signed out"), "{}", out.html),
        }
        // The old cookie is worth nothing.
        browser.headers = vec![("cookie", cookie)];
        refused(&authorize(&bench, &mut browser, &[("prompt", "none")]).await, "login_required", 50058);
    }
}

#[tokio::test]
async fn id_tokens_where_the_registration_allows_them() {
    let bench = bench().await;
    let script = [("x-emulator-approve", ids::ADELE_UPN)];
    let mut browser = Browser::script(&bench, &script);
    for wanted in ["id_token", "code id_token"] {
        let off = authorize(&bench, &mut browser, &[("response_type", wanted)]).await;
        assert!(off.location().contains("/#error="), "{}", off.location());
        refused(&off, "unsupported_response_type", 700_054);
    }
    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::DEMO_CLIENT).unwrap().enable_id_token_issuance = true;
    });
    for (name, value, error, code) in [
        ("nonce", "", "invalid_request", 900_144),
        ("response_mode", "query", "invalid_request", 70007),
        ("scope", "User.Read", "invalid_scope", 70011),
        ("response_type", "id_token token", "unsupported_response_type", 70005),
    ] {
        let ask = [("response_type", "id_token"), (name, value)];
        refused(&authorize(&bench, &mut browser, &ask).await, error, code);
    }
    let shown = authorize(&bench, &mut browser, &[("response_type", "id_token")]).await;
    assert!(shown.location().starts_with("http://localhost:49152/#id_token="));
    let got = answer(&shown);
    assert!(got.get("code").is_none());
    let id = got["id_token"].as_str().unwrap();
    assert!(bench.verifies(id).await);
    assert_eq!((claims(id)["nonce"].as_str(), claims(id).get("c_hash")), (Some("no-1"), None));

    let hybrid = [("response_type", "id_token code"), ("response_mode", "form_post")];
    let page = authorize(&bench, &mut browser, &hybrid).await;
    let (action, fields) = page.form();
    assert_eq!(action, "http://localhost:49152/");
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).unwrap().1.clone();
    let id = field("id_token");
    assert!(bench.verifies(&id).await);
    let half = &Sha256::digest(field("code"))[..16];
    assert_eq!(claims(&id)["c_hash"], URL_SAFE_NO_PAD.encode(half));
    assert_eq!(bench.redeem(&field("code")).await.0, 200);
}

#[tokio::test]
async fn redirect_addresses() {
    let bench = bench().await;
    bench.emulator.change_registrations(|all| {
        let uris = &mut all.app_mut(ids::DEMO_CLIENT).unwrap().redirect_uris;
        uris.public_client
            .extend(["http://[::1]:5000/cb", "msal7e57://auth", "https://app.example/Cb"].map(String::from));
    });
    let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
    for (uri, code) in [
        ("http://[::1]:5000/cb", 50011),
        ("http://localhost:49152/other", 50011),
        ("http://127.0.0.1:49152/", 50011),
        ("https://app.example/cb", 50011),
        ("https://app.example:444/Cb", 50011),
        ("/relative", 70004),
        ("http://localhost:49152/#here", 70004),
    ] {
        on_page(&authorize(&bench, &mut browser, &[("redirect_uri", uri)]).await, code);
    }
    for (uri, start) in [
        ("http://localhost:49152", "http://localhost:49152/?code="),
        ("http://127.0.0.1:7/callback", "http://127.0.0.1:7/callback?code="),
        ("https://app.example/Cb", "https://app.example/Cb?code="),
        ("msal7e57://auth", "msal7e57://auth?code="),
    ] {
        let location = authorize(&bench, &mut browser, &[("redirect_uri", uri)]).await.location();
        assert!(location.starts_with(start), "{location}");
    }
}

#[tokio::test]
async fn a_form_cannot_be_made_a_redirector_and_text_stays_text() {
    let bench = bench().await;
    let odd = "\"><script>alert(1)</script>";
    let mut browser = Browser::new(&bench);
    let page = authorize(&bench, &mut browser, &[("state", odd)]).await;
    assert!(page.status == 200 && !page.has("<script"), "{}", page.html);
    let request = "client_id=7e57c000-0000-4000-8000-000000000002&response_type=code&scope=openid\
                   &redirect_uri=https%3A%2F%2Felsewhere.example";
    let fields = [("request", request), ("account", GUEST), ("decision", "accept")];
    on_page(&browser.submit(&page, &fields).await, 50011);
    let fields = [("request", request), ("decision", "cancel")];
    on_page(&browser.submit(&page, &fields).await, 50011);
    let url = bench.login("oauth2/v2.0/authorize/continue");
    on_page(&browser.post(&url, &[("request", "a"), ("request", "b")]).await, 9_000_411);
    let declined = browser.submit(&page, &[("decision", "cancel")]).await;
    assert_eq!(answer(&declined)["state"], odd);
}

#[tokio::test]
async fn parameters_of_telemetry_are_tolerated_and_the_form_method_works() {
    let bench = bench().await;
    let mut browser = Browser::script(&bench, &[("x-emulator-approve", ids::ADELE_UPN)]);
    let extra = [
        ("X-AnchorMailbox", "UPN:adele@contoso.example"),
        ("x-client-SKU", "msal.js.node"),
        ("client-request-id", "not a guid"),
        ("clidata", "1"),
        ("max_age", "0"),
        ("claims", r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#),
    ];
    assert!(answer(&authorize(&bench, &mut browser, &extra).await)["code"].is_string());
    let (scope, challenge) = (valet_scope(), challenge());
    let ask = with(&bench.authorize(&scope), "code_challenge", &challenge);
    let posted = browser.post(&bench.login("oauth2/v2.0/authorize"), &ask).await;
    assert!(answer(&posted)["code"].is_string());
    refused(&authorize(&bench, &mut browser, &[("claims", "[")]).await, "invalid_request", 90023);
}
