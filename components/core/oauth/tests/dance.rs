//! The whole dance with a shell of the test's own: a store that is a map, seals that are a table, Entra that says who comes back. It shows that the
//! parts fit together, and what happens between two requests.

mod shell;

use shell::{ALICE, BOB, Browser, Shell, VERIFIER, field, link};

/// Alice signs in and gets tokens.
fn signed_in(shell: &mut Shell, browser: &mut Browser) -> (String, String) {
    let page = shell.authorize(browser, "web", "");
    let entra = shell.consent(browser, &page, "allow");
    let location = shell.callback(browser, &link(&entra), ALICE);
    let code = field(&location, "code").expect("a code");
    let tokens = shell
        .token(&format!("grant_type=authorization_code&client_id=web&code={code}&code_verifier={VERIFIER}"));
    assert_eq!(tokens.0, 200, "{}", tokens.1);
    (code, tokens.1["refresh_token"].as_str().expect("a refresh token").to_owned())
}

fn refresh(shell: &mut Shell, token: &str) -> (u16, serde_json::Value) {
    shell.token(&format!("grant_type=refresh_token&client_id=web&refresh_token={token}"))
}

#[test]
fn the_first_sign_in_asks_and_the_second_does_not() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let (_, token) = signed_in(&mut shell, &mut browser);
    assert!(browser.has_user() && browser.transactions() == 0);
    assert_eq!(refresh(&mut shell, &token).0, 200);
    // At Entra at once.
    let second = shell.authorize(&mut browser, "web", "");
    assert!(second.starts_with("https://entra.example/?"), "{second}");
    let location = shell.callback(&mut browser, &second, ALICE);
    assert!(field(&location, "code").is_some());
    // More scopes, or another client, are asked about.
    assert!(shell.authorize(&mut browser, "web", "&scope=mcp.access+mcp.write").contains("mcp.write</code>"));
    assert!(shell.authorize(&mut browser, "other", "").contains("act for you?"));
}

#[test]
fn no_is_told_to_the_client() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let page = shell.authorize(&mut browser, "web", "");
    let location = link(&shell.consent(&mut browser, &page, "deny"));
    assert_eq!(field(&location, "error").as_deref(), Some("access_denied"));
    assert_eq!(
        (field(&location, "state").as_deref(), field(&location, "iss").as_deref()),
        (Some("s-1"), Some("https://valet.example"))
    );
    assert_eq!(shell.sessions.len(), 0);
}

/// O-8: the browser that was asked is the browser that comes back.
#[test]
fn another_browser_does_not_finish() {
    let (mut shell, mut mallory, mut alice) = (Shell::new(), Browser::default(), Browser::default());
    let page = shell.authorize(&mut mallory, "web", "");
    let entra = link(&shell.consent(&mut mallory, &page, "allow"));
    let answer = shell.callback(&mut alice, &entra, ALICE);
    assert!(answer.contains("was not begun in this browser"), "{answer}");
    assert_eq!(shell.sessions.len(), 0);
    // Nor does a form that was shown to another browser.
    let page = shell.authorize(&mut mallory, "web", "");
    let answer = shell.consent(&mut alice, &page, "allow");
    assert!(answer.contains("was not begun in this browser"), "{answer}");
    let (_, token) = signed_in(&mut shell, &mut alice);
    assert_eq!(refresh(&mut shell, &token).0, 200);
}

/// The browser knew Alice, so nothing was asked; Bob comes back from Entra, and has permitted nothing.
#[test]
fn somebody_else_who_comes_back_is_asked() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    signed_in(&mut shell, &mut browser);
    let entra = shell.authorize(&mut browser, "web", "");
    let page = shell.callback(&mut browser, &entra, BOB);
    assert!(page.contains("act for you?"), "{page}");
    assert_eq!(shell.sessions.len(), 1, "Bob's session was closed again");
    let entra = link(&shell.consent(&mut browser, &page, "allow"));
    let location = shell.callback(&mut browser, &entra, BOB);
    assert!(field(&location, "code").is_some(), "{location}");
}

/// O-9: an answer of Entra counts once; after it the cookie is gone, and with the cookie kept it is known as used.
#[test]
fn a_state_counts_once() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let page = shell.authorize(&mut browser, "web", "");
    let entra = link(&shell.consent(&mut browser, &page, "allow"));
    let mut copy = browser.clone();
    assert!(field(&shell.callback(&mut browser, &entra, ALICE), "code").is_some());
    assert!(shell.callback(&mut browser, &entra, ALICE).contains("was not begun in this browser"));
    assert!(shell.callback(&mut copy, &entra, ALICE).contains("already"));
    assert_eq!(shell.sessions.len(), 1);
}

/// O-12: what one tab does is nothing to the other.
#[test]
fn two_tabs_sign_in_at_once() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let pages = [shell.authorize(&mut browser, "web", ""), shell.authorize(&mut browser, "other", "")];
    let [first, second] = pages.map(|page| link(&shell.consent(&mut browser, &page, "allow")));
    assert!(shell.callback(&mut browser, &second, ALICE).starts_with("https://other.example/cb?code="));
    assert!(shell.callback(&mut browser, &first, ALICE).starts_with("https://app.example/cb?code="));
    assert_eq!(browser.transactions(), 0);
}

#[test]
fn transactions_are_no_load_for_the_store() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    for _ in 0..50 {
        shell.authorize(&mut browser, "web", "");
    }
    assert_eq!((shell.store.len(), browser.transactions()), (0, 3));
}

/// O-19: what the first use began is ended by the second.
#[test]
fn a_code_that_is_used_twice_ends_the_session() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let (code, token) = signed_in(&mut shell, &mut browser);
    let again = shell
        .token(&format!("grant_type=authorization_code&client_id=web&code={code}&code_verifier={VERIFIER}"));
    assert_eq!((again.0, &again.1["error"]), (400, &"invalid_grant".into()));
    let refreshed = refresh(&mut shell, &token);
    assert_eq!((refreshed.0, &refreshed.1["error"]), (400, &"invalid_grant".into()));
    assert_eq!(shell.sessions.len(), 0);
    let (_, token) = signed_in_again(&mut shell, &mut browser);
    assert_eq!(refresh(&mut shell, &token).0, 200);
}

/// With the permission remembered.
fn signed_in_again(shell: &mut Shell, browser: &mut Browser) -> (String, String) {
    let entra = shell.authorize(browser, "web", "");
    let code = field(&shell.callback(browser, &entra, ALICE), "code").expect("a code");
    let tokens = shell
        .token(&format!("grant_type=authorization_code&client_id=web&code={code}&code_verifier={VERIFIER}"));
    (code, tokens.1["refresh_token"].as_str().expect("a refresh token").to_owned())
}

/// O-28.
#[test]
fn a_refresh_token_that_two_have_ends_the_session() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let (_, stolen) = signed_in(&mut shell, &mut browser);
    let owner = refresh(&mut shell, &stolen).1["refresh_token"].as_str().unwrap().to_owned();
    let thief = refresh(&mut shell, &stolen).1["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(refresh(&mut shell, &owner).0, 200);
    assert_eq!(refresh(&mut shell, &thief).0, 400);
    assert_eq!(shell.sessions.len(), 0);
}

/// A process that dies after any write leaves the old or the new token good.
#[test]
fn a_crash_while_refreshing_shuts_nobody_out() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let (_, mut held) = signed_in(&mut shell, &mut browser);
    for round in 0..20 {
        if round % 3 > 0 {
            // Written, and never answered.
            assert_eq!(refresh(&mut shell, &held).0, 200);
        }
        let (status, tokens) = refresh(&mut shell, &held);
        assert_eq!(status, 200, "round {round}");
        held = tokens["refresh_token"].as_str().unwrap().to_owned();
    }
}

#[test]
fn signing_out_ends_all_and_forgets_what_was_permitted() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let (_, first) = signed_in(&mut shell, &mut browser);
    let (_, second) = signed_in_again(&mut shell, &mut browser);
    assert_eq!(shell.sessions.len(), 2);
    shell.sign_out(&mut browser);
    assert_eq!(shell.sessions.len(), 0);
    for token in [first, second] {
        assert_eq!(refresh(&mut shell, &token).0, 400);
    }
    assert!(!browser.has_user());
    assert!(shell.authorize(&mut browser, "web", "").contains("act for you?"));
}

/// O-30.
#[test]
fn revoking_ends_the_session_for_its_own_client_alone() {
    let (mut shell, mut browser) = (Shell::new(), Browser::default());
    let (_, token) = signed_in(&mut shell, &mut browser);
    assert_eq!(shell.revoke(&format!("client_id=other&token={token}")), 400);
    assert_eq!(shell.revoke("client_id=web&token=unknown"), 200);
    assert_eq!(shell.sessions.len(), 1);
    assert_eq!(shell.revoke(&format!("client_id=web&token={token}")), 200);
    assert_eq!(shell.revoke(&format!("client_id=web&token={token}")), 200);
    assert_eq!(shell.sessions.len(), 0);
    assert_eq!(refresh(&mut shell, &token).0, 400);
    // What was given back has to be asked for again.
    assert!(shell.authorize(&mut browser, "web", "").contains("name=\"csrf\""));
}
