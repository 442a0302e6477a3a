//! Permission: asked once, by our own page, of the person who is really there.

use entra_emulator::{Operation, ids};
use valet_suite::browser::Browser;
use valet_suite::config::{CLIENT, REDIRECT_URI};
use valet_suite::oauth::{self, Authorize, sign_in};
use valet_suite::rig::emulator;
use valet_suite::{Rig, log, run};

use crate::rig;

const HOST: &str = "valet.example";

/// The audit event after `mark`, in one line.
async fn audited(rig: &Rig, mark: usize) -> String {
    log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await)
}

#[test]
fn no_is_no_and_is_not_remembered() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let asked = browser.go(&Authorize::default().url()).await;
        let mark = rig.log().mark();
        let page = browser.decide(&asked, "deny").await;
        assert_eq!(page.parameter("error").as_deref(), Some("access_denied"));
        assert_eq!(page.parameter("code"), None);
        assert_eq!(audited(&rig, mark).await, "denied consent_denied");
        assert!(browser.go(&Authorize::default().url()).await.asks(), "asked again");
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn the_form_counts_only_from_its_page_in_its_browser() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let asked = browser.go(&Authorize::default().url()).await;
        let (transaction, csrf) = (asked.hidden("transaction").unwrap(), asked.hidden("csrf").unwrap());
        let url = "https://valet.example/oauth/consent";
        let form = |transaction, csrf, decision| {
            [("transaction", transaction), ("csrf", csrf), ("decision", decision)]
        };

        let no_cookie = "denied consent_form: the browser has no cookie of this sign-in";
        // Another browser, which has not seen the page.
        let mark = rig.log().mark();
        let mut other = Browser::new(&rig, ids::ALEX_UPN);
        let page = other.post(url, &form(&*transaction, &*csrf, "allow")).await;
        assert!(page.status == 403 && page.text.contains("not begun in this browser"), "{page:?}");
        assert_eq!(audited(&rig, mark).await, no_cookie);
        // Another page of the same browser.
        let mark = rig.log().mark();
        let page = browser.post(url, &form(&*transaction, "guess", "allow")).await;
        assert!(page.status == 403 && page.text.contains("does not belong to your sign-in"), "{page:?}");
        let why = "denied consent_form: the form's token is not the one of the page";
        assert_eq!(audited(&rig, mark).await, why);
        // Neither yes nor no.
        let mark = rig.log().mark();
        let page = browser.post(url, &form(&*transaction, &*csrf, "maybe")).await;
        assert_eq!(page.status, 403, "{page:?}");
        let why = "denied consent_form: the form lacks `transaction`, `csrf` or `decision`";
        assert_eq!(audited(&rig, mark).await, why);
        // A page of another site.
        let sealed = browser.cookie(HOST, "__Host-valet-tx-").unwrap();
        for (name, value, field) in [
            ("origin", "https://evil.example", "`Origin` is `https://evil.example`"),
            ("sec-fetch-site", "cross-site", "`Sec-Fetch-Site` is `cross-site`"),
        ] {
            let mark = rig.log().mark();
            let request = rig
                .http
                .post(url)
                .form(&form(&*transaction, &*csrf, "allow"))
                .header("cookie", format!("{}={}", sealed.0, sealed.1))
                .header(name, value);
            assert_eq!(request.send().await.unwrap().status(), 403, "{name}");
            let why = "denied consent_form: the form was not posted by a page of this server: ";
            assert_eq!(audited(&rig, mark).await, format!("{why}{field}"));
        }
        // The page itself.
        let page = browser.decide(&asked, "allow").await;
        oauth::finish(&rig, &page).await;
        // And not a second time.
        let mark = rig.log().mark();
        let page = browser.post(url, &form(&*transaction, &*csrf, "allow")).await;
        assert_eq!(page.status, 403, "{page:?}");
        assert_eq!(audited(&rig, mark).await, no_cookie);
    });
}

#[test]
fn who_comes_back_from_entra_has_to_have_permitted_it() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        sign_in(&rig, &mut browser).await;
        // Adele's permission is remembered in this browser; it is Alex who signs in at Entra now.
        let (_, known) = browser.cookie(HOST, "__Host-valet-user").unwrap();
        browser.forget();
        browser.set_cookie(HOST, "__Host-valet-user", &known);
        browser.user = ids::ALEX_UPN.to_owned();
        let page = browser.go(&Authorize::default().url()).await;
        assert!(page.asks(), "Alex has permitted nothing: {page:?}");
        let page = browser.decide(&page, "allow").await;
        let tokens = oauth::finish(&rig, &page).await;
        let who = rig.call("whoami", &tokens.access).await.result();
        assert_eq!(who["structuredContent"]["name"], "Alex Wilber");
    });
}

#[test]
fn another_client_in_the_same_browser_is_asked_about() {
    run(async {
        let (other, redirect_uri) = ("other-client", "https://other.client.example/callback");
        let clients = [(CLIENT, "The suite", REDIRECT_URI), (other, "Somebody else's", redirect_uri)];
        let rig = Rig::start_with(emulator().await, |config| config.with_clients(&clients)).await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        sign_in(&rig, &mut browser).await;
        let at_entra = || rig.emulator.faults().count(Operation::Authorize);
        let before = at_entra();
        // Entra knows this browser and would ask nothing. We ask before it, and say who wants what.
        let request = Authorize::default().set("client_id", other).set("redirect_uri", redirect_uri);
        for decision in ["deny", "allow"] {
            let page = browser.go(&request.url()).await;
            assert!(page.asks() && page.text.contains("Somebody else"), "{page:?}");
            assert!(page.text.contains("https://other.client.example"), "{}", page.text);
            assert_eq!(at_entra(), before, "Entra has not been asked");
            let mark = rig.log().mark();
            let page = browser.decide(&page, decision).await;
            assert_eq!(page.url.host_str(), Some("other.client.example"));
            match decision {
                "deny" => {
                    assert_eq!(page.parameter("error").as_deref(), Some("access_denied"));
                    assert_eq!(at_entra(), before);
                    assert_eq!(audited(&rig, mark).await, "denied consent_denied");
                }
                _ => {
                    oauth::arrived(&rig, &page);
                }
            }
        }
        // Nor does it get what the first one was given by naming it.
        let mark = rig.log().mark();
        let page = browser.step(&Authorize::default().set("redirect_uri", redirect_uri).url()).await;
        assert!(page.status == 400 && !page.headers.contains_key("location"), "{page:?}");
        let why = format!("the `redirect_uri` is `{redirect_uri}`, the client has [\"{REDIRECT_URI}\"]");
        assert_eq!(audited(&rig, mark).await, format!("denied unauthorized_client: {why}"));
        // The first is not asked about again.
        let page = browser.go(&Authorize::default().url()).await;
        oauth::finish(&rig, &page).await;
    });
}

#[test]
fn pages_are_framed_by_nobody_and_run_nothing() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let asked = browser.go(&Authorize::default().set("state", "<script>alert(1)</script>").url()).await;
        let policy = asked.headers["content-security-policy"].to_str().unwrap();
        for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]
        {
            assert!(policy.contains(rule), "{policy}");
        }
        assert_eq!(asked.headers["x-frame-options"], "DENY");
        assert_eq!(asked.headers["cache-control"], "no-store");
        assert!(!asked.text.contains("<script") && !policy.contains("unsafe"), "{}", asked.text);
        let cookie = asked.headers["set-cookie"].to_str().unwrap();
        for attribute in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        assert!(!cookie.contains("Domain"));
    });
}
