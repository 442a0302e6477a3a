//! The authorize pages as a person uses them: choose, agree, decline; and what is shown instead of a redirect.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_emulator::{Options, ids};
use sha2::{Digest as _, Sha256};

use crate::bench::{Bench, VERIFIER, answer, valet_scope};

/// The hidden fields of the first form, and its action.
fn form(html: &str) -> (String, Vec<(String, String)>) {
    let attribute = |tag: &str, name: &str| {
        let start = tag.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
        let raw = &tag[start..start + tag[start..].find('"').unwrap()];
        raw.replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    let form = &html[html.find("<form").unwrap()..];
    let action = attribute(form, "action");
    let fields = form.split("<input").skip(1).map(|tag| (attribute(tag, "name"), attribute(tag, "value")));
    (action, fields.collect())
}

async fn click(bench: &Bench, html: &str, name: &str, value: &str) -> reqwest::Response {
    let (action, mut fields) = form(html);
    fields.push((name.into(), value.into()));
    bench.http.post(format!("{}{action}", bench.emulator.authority_url())).form(&fields).send().await.unwrap()
}

#[tokio::test]
async fn a_person_chooses_an_account_and_accepts_once() {
    let bench = Bench::start().await;
    let scope = valet_scope();
    let (status, headers, accounts) = bench.approve("", bench.authorize(&scope)).await;
    assert_eq!(status, 200);
    assert!(headers["content-security-policy"].to_str().unwrap().contains("http://localhost:49152"));
    assert!(accounts.contains("Adele Vance") && accounts.contains("Alex Wilber"));
    assert!(!accounts.contains("Farah"), "the foreign tenant's user is not offered");
    assert!(!accounts.contains("<script"));

    let alex = ids::ALEX.to_string();
    let consent = click(&bench, &accounts, "account", &alex).await;
    assert_eq!(consent.status(), 200);
    let consent = consent.text().await.unwrap();
    assert!(consent.contains("Valet demo client") && consent.contains("mcp.access"), "{consent}");

    let done = click(&bench, &consent, "decision", "accept").await;
    assert_eq!(done.status(), 302);
    let got = answer(done.headers());
    assert_eq!(got["state"], "st-1");
    assert_eq!(bench.redeem(got["code"].as_str().unwrap()).await.0, 200);

    let again = click(&bench, &accounts, "account", &alex).await;
    assert_eq!(again.status(), 302, "consent is remembered");
    bench.emulator.forget_consents();
    assert_eq!(click(&bench, &accounts, "account", &alex).await.status(), 200);
}

#[tokio::test]
async fn cancel_tells_the_client() {
    let bench = Bench::start().await;
    let scope = valet_scope();
    let (_, _, accounts) = bench.approve("", bench.authorize(&scope)).await;
    let consent = click(&bench, &accounts, "account", &ids::ADELE.to_string()).await.text().await.unwrap();
    let done = click(&bench, &consent, "decision", "cancel").await;
    let got = answer(done.headers());
    assert_eq!(got["error"], "access_denied");
    assert!(got["error_description"].as_str().unwrap().starts_with("AADSTS65004: "));
    assert_eq!(got["state"], "st-1");
}

#[tokio::test]
async fn pre_authorised_clients_are_not_asked() {
    let bench = Bench::start().await;
    let scope = format!("openid {}/{}", ids::LEDGER_URI, ids::LEDGER_SCOPE);
    let (_, _, accounts) = bench.approve("", bench.authorize(&scope)).await;
    let done = click(&bench, &accounts, "account", &ids::ADELE.to_string()).await;
    assert_eq!(done.status(), 302);
}

#[tokio::test]
async fn form_post_and_fragment() {
    let bench = Bench::start().await;
    let scope = valet_scope();
    let mut ask = bench.authorize(&scope);
    ask.push(("response_mode", "form_post"));
    let (status, headers, page) = bench.approve(ids::ADELE_UPN, ask).await;
    assert_eq!(status, 200);
    assert!(headers["content-security-policy"].to_str().unwrap().contains("script-src 'sha256-"));
    let (action, fields) = form(&page);
    assert_eq!(action, "http://localhost:49152/", "a bare host gets its slash");
    let names: Vec<_> = fields.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["code", "session_state", "state"]);

    let mut ask = bench.authorize(&scope);
    ask.push(("response_mode", "fragment"));
    let (_, headers, _) = bench.approve(ids::ADELE_UPN, ask).await;
    assert!(headers["location"].to_str().unwrap().starts_with("http://localhost:49152/#code="));
}

#[tokio::test]
async fn login_hint_approves_only_where_that_was_chosen() {
    let options = Options { auto_approve: true, ..Options::default() };
    let scope = valet_scope();
    for (bench, expected) in [(Bench::start_with(options).await, 302), (Bench::start().await, 200)] {
        let mut ask = bench.authorize(&scope);
        ask.push(("login_hint", ids::ADELE_UPN));
        assert_eq!(bench.approve("", ask).await.0, expected);
    }
}

#[tokio::test]
async fn client_and_redirect_errors_stay_on_a_page() {
    let bench = Bench::start().await;
    let scope = valet_scope();
    for (name, value, code) in [
        ("client_id", "7e57c000-0000-4000-8000-00000000ffff", "AADSTS700016: "),
        ("client_id", "7e57c000-0000-4000-8000-000000000005", "AADSTS700016: "),
        ("redirect_uri", "http://localhost:1/elsewhere", "AADSTS50011: "),
        ("redirect_uri", "", "AADSTS900144: "),
    ] {
        let ask = crate::bench::with(&bench.authorize(&scope), name, value);
        let (status, headers, page) = bench.approve(ids::ADELE_UPN, ask).await;
        assert_eq!((status, headers.get("location")), (400, None));
        assert!(page.contains(code), "{page}");
    }
}

#[tokio::test]
async fn a_user_of_another_tenant_is_refused() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| all.users.retain(|u| u.id != ids::FARAH_GUEST));
    let scope = valet_scope();
    let (status, headers, page) = bench.approve(ids::FARAH_UPN, bench.authorize(&scope)).await;
    assert_eq!((status, headers.get("location")), (400, None));
    assert!(page.contains("AADSTS50020: "), "{page}");
}

#[tokio::test]
async fn other_errors_go_to_the_client() {
    let bench = Bench::start().await;
    let scope = valet_scope();
    let graph_first = format!("{scope} User.Read");
    let admin = format!("{}/{}", ids::VALET_URI, ids::VALET_ADMIN_SCOPE);
    for (name, value, error, code) in [
        ("scope", "mcp.access", "invalid_scope", "AADSTS650053: "),
        ("scope", "api://nobody/x", "invalid_resource", "AADSTS500011: "),
        ("scope", admin.as_str(), "access_denied", "AADSTS90094: "),
        ("response_type", "token", "unsupported_response_type", "AADSTS70005: "),
        ("resource", ids::LEDGER_URI, "invalid_target", "AADSTS9010010: "),
        ("prompt", "none", "interaction_required", "AADSTS65001: "),
    ] {
        let ask = crate::bench::with(&bench.authorize(&scope), name, value);
        // With prompt=none there must be a session, but no consent yet.
        let upn = if name == "prompt" { "" } else { ids::ADELE_UPN };
        let ask = if upn.is_empty() {
            session_without_consent(&bench, ask).await
        } else {
            bench.approve(upn, ask).await
        };
        assert_eq!(ask.0, 302, "{}", ask.2);
        let got = answer(&ask.1);
        assert_eq!((got["error"].as_str(), got["state"].as_str()), (Some(error), Some("st-1")));
        assert!(got["error_description"].as_str().unwrap().starts_with(code), "{got}");
    }
    assert_eq!(
        bench.approve(ids::ADELE_UPN, bench.authorize(&graph_first)).await.0,
        302,
        "two resources are fine here"
    );
}

async fn session_without_consent(
    bench: &Bench,
    ask: Vec<(&str, &str)>,
) -> (u16, reqwest::header::HeaderMap, String) {
    let (_, headers, _) = bench.approve(ids::ADELE_UPN, bench.authorize("openid")).await;
    let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let ask = crate::bench::with(&ask, "code_challenge", &challenge);
    let url = bench.login("oauth2/v2.0/authorize");
    let response = bench.http.get(url).query(&ask).header("cookie", cookie).send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
}

#[tokio::test]
async fn no_session_with_prompt_none() {
    let bench = Bench::start().await;
    let scope = valet_scope();
    let mut ask = bench.authorize(&scope);
    ask.push(("prompt", "none"));
    assert_eq!(answer(&bench.approve("", ask).await.1)["error"], "login_required");
}
