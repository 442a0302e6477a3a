//! Where answers go: to the URI that was asked for, if it is one of the client's; never to one that only looks like it.

use entra_emulator::ids;
use serde_json::json;
use toml::Table;
use valet_suite::browser::Browser;
use valet_suite::config::{Config, list};
use valet_suite::oauth::{self, Authorize, Tokens, arrived, code_form, sign_in, token};
use valet_suite::rig::emulator;
use valet_suite::{Rig, log, run};

use crate::registrations::{id, post, sign_in_at};

const LOOPBACK: &str = "http://127.0.0.1:4711/callback";

/// The suite's client, one with two redirect URIs, and those that register themselves.
async fn rig() -> Rig {
    let with = |config: Config| {
        let mut client = Table::new();
        client.insert("client_id".to_owned(), "two".into());
        client.insert("client_name".to_owned(), "Two".into());
        let uris = list(&["https://first.client.example/callback", "https://second.client.example/callback"]);
        client.insert("redirect_uris".to_owned(), uris);
        config
            .with_sessions()
            .and_client(client)
            .set("oauth.registration_redirects", list(&["loopback", "https://client.example/callback"]))
    };
    Rig::start_with(emulator().await, with).await
}

/// Asks for an answer there, and is shown a page for this reason instead.
async fn shown(rig: &Rig, client: &str, redirect_uri: &str, why: &str) {
    let mark = rig.log().mark();
    let request = Authorize::default().set("client_id", client).set("redirect_uri", redirect_uri);
    let page = Browser::new(rig, ids::ADELE_UPN).step(&request.url()).await;
    assert!(page.status == 400 && page.onward().is_none(), "{redirect_uri}: {page:?}");
    assert!(!page.text.contains("evil"), "nothing that a stranger wrote: {}", page.text);
    let event = rig.log().wait(mark, "audit event", log::is_refusal).await;
    assert_eq!(log::audit_line(&event), format!("denied unauthorized_client: {why}"), "{redirect_uri}");
}

/// O-16: OpenID Connect Dynamic Client Registration 1.0, section 2.
#[test]
fn a_web_application_is_not_registered_with_a_loopback_address() {
    run(async {
        let rig = rig().await;
        let perfect = json!({ "redirect_uris": [LOOPBACK], "application_type": "native" });
        for (change, uri) in [
            (json!([LOOPBACK]), LOOPBACK),
            (
                json!(["https://client.example/callback", "http://localhost/callback"]),
                "http://localhost/callback",
            ),
        ] {
            let mut web = perfect.clone();
            web["application_type"] = "web".into();
            web["redirect_uris"] = change;
            let mark = rig.log().mark();
            let answer = post(&rig, &web).await;
            assert_eq!(oauth::error(&answer), (400, "invalid_redirect_uri".to_owned()));
            let event = rig.log().wait(mark, "audit event", log::is_refusal).await;
            let why = format!("denied registration: a web application cannot have `{uri}`");
            assert_eq!(log::audit_line(&event), why);
        }
        let web = json!({ "redirect_uris": ["https://client.example/callback"], "application_type": "web" });
        id(&post(&rig, &web).await);
        sign_in_at(&rig, &id(&post(&rig, &perfect).await), LOOPBACK).await;
    });
}

/// O-25: what parsers of URLs read differently is read by none.
#[test]
fn what_leads_elsewhere_is_sent_nowhere() {
    run(async {
        let rig = rig().await;
        let unread =
            |error: &str| format!("a redirect URI is not an absolute URI in its plain form: {error}");
        for (redirect_uri, error) in [
            ("//evil.example", "Scheme"),
            ("/\\evil.example", "Character"),
            ("https:evil.example", "Host"),
            ("https:/evil.example", "Host"),
            ("\t//evil.example", "Character"),
            ("\thttps://client.example/callback", "Character"),
            ("https://client.example\\@evil.example/callback", "Character"),
            ("https://client.example@evil.example/callback", "Userinfo"),
            ("https://client.example/callback/../../evil", "DotSegment"),
        ] {
            shown(&rig, valet_suite::config::CLIENT, redirect_uri, &unread(error)).await;
        }
        sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
    });
}

/// O-26: RFC 8252 section 7.3.
#[test]
fn of_a_loopback_address_the_port_alone_is_free() {
    run(async {
        let rig = rig().await;
        let client = id(&post(&rig, &json!({ "redirect_uris": [LOOPBACK] })).await);
        for other in [
            "http://localhost:4711/callback",
            "http://[::1]:4711/callback",
            "http://127.0.0.2:4711/callback",
            "http://127.0.0.1:4711/callback/",
            "http://127.0.0.1:4711/evil",
            "http://127.0.0.1:4711/callback?evil",
            "https://127.0.0.1:4711/callback",
        ] {
            let why = match other.strip_prefix("http://127.0.0.2") {
                None => format!("the `redirect_uri` is `{other}`, the client has [{LOOPBACK:?}]"),
                Some(_) => "a redirect URI is http at `127.0.0.2`, which is not loopback".to_owned(),
            };
            shown(&rig, &client, other, &why).await;
        }
        for host in ["localhost.evil", "127.0.0.1.evil"] {
            let why = format!("a redirect URI is http at `{host}`, which is not loopback");
            shown(&rig, &client, &format!("http://{host}:4711/callback"), &why).await;
        }
        sign_in_at(&rig, &client, LOOPBACK).await;
        sign_in_at(&rig, &client, "http://127.0.0.1:52001/callback").await;
        sign_in_at(&rig, &client, "http://127.0.0.1/callback").await;
    });
}

/// C7.
#[test]
fn an_answer_goes_to_the_uri_that_was_asked_for_and_not_to_the_first() {
    run(async {
        let rig = rig().await;
        for host in ["second.client.example", "first.client.example"] {
            let redirect_uri = format!("https://{host}/callback");
            let request = Authorize::default().set("client_id", "two").set("redirect_uri", &redirect_uri);
            let mut browser = Browser::new(&rig, ids::ADELE_UPN);
            let asked = browser.go(&request.url()).await;
            assert!(asked.asks(), "{asked:?}");
            let page = browser.decide(&asked, "allow").await;
            assert_eq!(page.url.host_str(), Some(host));
            let mut form = code_form(&arrived(&rig, &page));
            form[1].1 = "two".to_owned();
            form[3].1 = redirect_uri;
            Tokens::read(&rig, &token(&rig, &form).await);

            // Refusals, too (RFC 6749 section 4.1.2.1).
            let asked = browser.go(&request.set("scope", "mcp.admin").url()).await;
            assert_eq!(
                (asked.url.host_str(), asked.parameter("error").as_deref()),
                (Some(host), Some("invalid_scope"))
            );
        }
        let neither = "https://third.client.example/callback";
        let known = r#"["https://first.client.example/callback", "https://second.client.example/callback"]"#;
        let why = format!("the `redirect_uri` is `{neither}`, the client has {known}");
        shown(&rig, "two", neither, &why).await;
    });
}
