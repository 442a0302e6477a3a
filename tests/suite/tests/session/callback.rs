//! Entra's answer: the browser that began is the browser that comes back, once.

use entra_emulator::{Operation, ids};
use serde_json::Value;
use valet_suite::browser::{Browser, Page};
use valet_suite::oauth::{self, Authorize, sign_in};
use valet_suite::{Rig, log, run};

use crate::{own_rig, rig};

const HOST: &str = "valet.example";

/// A browser at the very end of its way: the address at which Entra's answer is delivered, not gone to yet.
async fn at_the_door(rig: &Rig, browser: &mut Browser) -> String {
    let asked = browser.go(&Authorize::default().url()).await;
    let mut page = browser.post_decision(&asked, "allow").await;
    assert!(page.status == 200, "{page:?}");
    loop {
        let url = page.onward().unwrap_or_else(|| panic!("no way on: {page:?}"));
        if url.as_str().starts_with("https://valet.example/auth/callback") {
            // Entra's code, which must be in no log.
            for (name, value) in url.query_pairs() {
                if name == "code" {
                    rig.keep_secret(&value);
                }
            }
            return url.into();
        }
        page = browser.step(url.as_str()).await;
    }
}

fn refused(page: &Page, words: &str) {
    assert!((400..500).contains(&page.status), "{page:?}");
    assert!(page.text.contains(words), "{}", page.text);
    assert!(!page.headers.contains_key("location"));
}

#[test]
fn another_browser_cannot_bring_the_answer() {
    run(async {
        let rig = rig().await;
        let mut mallory = Browser::new(&rig, ids::ADELE_UPN);
        let url = at_the_door(&rig, &mut mallory).await;
        let mut alice = Browser::new(&rig, ids::ALEX_UPN);
        refused(&alice.step(&url).await, "not begun in this browser");
        // Nor one that began a sign-in of its own.
        let own = at_the_door(&rig, &mut alice).await;
        refused(&alice.step(&url).await, "not begun in this browser");
        // Each in its own browser is fine.
        for (browser, url) in [(&mut mallory, url), (&mut alice, own)] {
            let page = browser.go(&url).await;
            oauth::finish(&rig, &page).await;
        }
    });
}

#[test]
fn an_answer_counts_once() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let url = at_the_door(&rig, &mut browser).await;
        let (name, value) = browser.cookie(HOST, "__Host-valet-tx-").unwrap();
        let page = browser.go(&url).await;
        let tokens = oauth::finish(&rig, &page).await;
        // The back button, and a reload.
        refused(&browser.step(&url).await, "not begun in this browser, or is finished already");
        // Nor with the cookie put back.
        browser.set_cookie(HOST, &name, &value);
        refused(&browser.step(&url).await, "This step was taken already.");
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200, "the first sign-in is not harmed");
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn state_cookie_and_answer_belong_together() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let url = at_the_door(&rig, &mut browser).await;
        let (name, value) = browser.cookie(HOST, "__Host-valet-tx-").unwrap();
        let answer = url::Url::parse(&url).unwrap();
        let changed = |change: &dyn Fn(&str, &str) -> Option<String>| {
            let mut url = answer.clone();
            let pairs: Vec<(String, String)> = answer
                .query_pairs()
                .filter_map(|(name, value)| Some((name.to_string(), change(&name, &value)?)))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(pairs);
            String::from(url)
        };
        let keep = |value: &str| Some(value.to_owned());
        // Another state of the same transaction.
        let another = |state: &str| {
            let (rest, last) = state.split_at(state.len() - 1);
            format!("{rest}{}", if last == "A" { "E" } else { "A" })
        };
        let other = changed(&|name, value| if name == "state" { Some(another(value)) } else { keep(value) });
        refused(&browser.step(&other).await, "does not belong to your sign-in");
        let none = changed(&|name, value| (name != "state").then(|| value.to_owned()));
        refused(&browser.step(&none).await, "no answer to a sign-in");
        let empty = changed(&|name, value| (name == "state").then(|| value.to_owned()));
        refused(&browser.step(&empty).await, "no answer to a sign-in");
        // A cookie that was changed, or that is another transaction's.
        let at = value.len() / 2;
        let other = if &value[at..=at] == "A" { "B" } else { "A" };
        browser.set_cookie(HOST, &name, &format!("{}{other}{}", &value[..at], &value[at + 1..]));
        refused(&browser.step(&url).await, "not begun in this browser");
        let mut second = Browser::new(&rig, ids::ADELE_UPN);
        at_the_door(&rig, &mut second).await;
        let (_, foreign) = second.cookie(HOST, "__Host-valet-tx-").unwrap();
        browser.set_cookie(HOST, &name, &foreign);
        refused(&browser.step(&url).await, "not begun in this browser");
        // An answer that names another issuer (RFC 9207): its code is sent nowhere, and the client hears of it.
        browser.set_cookie(HOST, &name, &value);
        let mixed = browser.go(&format!("{url}&iss=https%3A%2F%2Fevil.example")).await;
        assert_eq!(mixed.parameter("error").as_deref(), Some("server_error"));
        // With everything as it was the same answer is good.
        browser.set_cookie(HOST, &name, &value);
        let page = browser.go(&url).await;
        oauth::finish(&rig, &page).await;
    });
}

#[test]
fn what_entra_refuses_the_client_hears() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        browser.declines = true;
        let asked = browser.go(&Authorize::default().url()).await;
        let page = browser.decide(&asked, "allow").await;
        assert_eq!(page.parameter("error").as_deref(), Some("access_denied"), "{page:?}");
        assert_eq!(page.parameter("state").as_deref(), Some("client-state"));
        assert_eq!(page.parameter("iss").as_deref(), Some(oauth::ISSUER));
        browser.declines = false;
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn a_sign_in_that_takes_too_long_begins_again() {
    run(async {
        let rig = own_rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let url = at_the_door(&rig, &mut browser).await;
        // Entra's code ends after ten minutes.
        rig.emulator.advance_clock(std::time::Duration::from_secs(660));
        let page = browser.go(&url).await;
        assert_eq!(page.parameter("error").as_deref(), Some("access_denied"), "{page:?}");
        rig.emulator.set_clock_offset(0);
        sign_in(&rig, &mut browser).await;
    });
}

/// The address of a callback with a code that nobody gave, in a sign-in that this browser has begun.
async fn made_up(browser: &mut Browser) -> String {
    let asked = browser.go(&Authorize::default().url()).await;
    let page = if asked.asks() { browser.post_decision(&asked, "allow").await } else { asked };
    let at_entra = page.onward().unwrap_or(page.url);
    let state = at_entra.query_pairs().find(|(name, _)| name == "state").unwrap().1;
    format!("https://{HOST}/auth/callback?code=made-up&state={state}")
}

#[test]
fn entra_is_asked_once_about_an_answer() {
    run(async {
        let rig = own_rig().await;
        let redeemed = || rig.emulator.faults().count(Operation::RedeemCode);
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let url = made_up(&mut browser).await;
        let (name, value) = browser.cookie(HOST, "__Host-valet-tx-").unwrap();
        let page = browser.go(&url).await;
        assert_eq!(page.parameter("error").as_deref(), Some("access_denied"), "{page:?}");
        assert_eq!(redeemed(), 1);
        for code in ["made-up", "another", "0.AXEA"] {
            browser.set_cookie(HOST, &name, &value);
            refused(&browser.step(&url.replace("made-up", code)).await, "This step was taken already.");
        }
        assert_eq!(redeemed(), 1, "whatever was sent, it was not asked about");
        sign_in(&rig, &mut browser).await;
        assert_eq!(redeemed(), 2);
    });
}

#[test]
fn who_makes_codes_up_is_stopped_and_keeps_nobody_out_who_was_here() {
    run(async {
        let rig = own_rig().await;
        let mut known = Browser::new(&rig, ids::ALEX_UPN);
        // Those that succeed are not counted.
        for _ in 0..3 {
            sign_in(&rig, &mut known).await;
        }
        let asked = || rig.emulator.faults().count(Operation::RedeemCode);
        let before = asked();
        let mut strangers = Vec::new();
        for _ in 0..100 {
            let mut stranger = Browser::new(&rig, ids::ADELE_UPN);
            let url = made_up(&mut stranger).await;
            strangers.push((stranger, url));
        }
        // All at once: one comes back in a second.
        let mark = rig.log().mark();
        let arriving = strangers.iter_mut().map(|(stranger, url)| stranger.go(url));
        let pages = futures_util::future::join_all(arriving).await;
        let told = |error: &str| {
            pages.iter().filter(|page| page.parameter("error").as_deref() == Some(error)).count()
        };
        let (refused, stopped) = (told("access_denied"), told("temporarily_unavailable"));
        assert!(refused >= 60 && stopped > 0 && refused + stopped == 100, "{refused} {stopped}");
        assert_eq!(asked() - before, refused as u64, "the others did not reach Entra");
        let limited = |event: &Value| log::is_audit(event) && event["reason"] == "rate_limited";
        let line = log::audit_line(&rig.log().wait(mark, "a refusal", limited).await);
        assert!(line.starts_with("denied rate_limited: address 127.0.0.1: again in "), "{line}");
        sign_in(&rig, &mut known).await;
    });
}
