//! The order of the steps, and each fallback.

use std::sync::Arc;

use entra_emulator::{Endpoint, Fault, Operation, ids};
use secrecy::ExposeSecret as _;
use tokio::sync::Notify;
use valet_sign_in::{SignInError, Skip, Step};

use crate::person::{Does, approve};
use crate::rig::{GRAPH, Rig, VALET, adele, ask, until, until_it_fails};

#[tokio::test]
async fn the_first_token_comes_from_the_browser_and_the_next_from_the_cache() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.person.seen(), (1, 0));
    rig.nobody_home();
    let requests = rig.count(Operation::Token);
    let second = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(first.token.expose_secret(), second.token.expose_secret());
    // Another process finds it too.
    let third = rig.sign_in().token(&[GRAPH], None).await.unwrap();
    assert_eq!(first.token.expose_secret(), third.token.expose_secret());
    assert_eq!(rig.count(Operation::Token), requests, "a cached token costs no request");
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, adele());
}

#[tokio::test]
async fn a_token_near_its_end_is_refreshed_silently() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    rig.nobody_home();
    rig.advance(first.expires_at - crate::rig::system_clock() - 299);
    let second = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_ne!(first.token.expose_secret(), second.token.expose_secret());
    assert_eq!(rig.count(Operation::Refresh), 1);
    assert!(second.expires_at > first.expires_at);
}

#[tokio::test]
async fn another_api_is_asked_silently_and_only_for_its_own_scopes() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    sign_in.token(&[GRAPH], None).await.unwrap();
    let url = rig.person.urls().remove(0);
    assert!(url.contains("User.Read") && !url.contains("mcp.access"), "only what the call needs: {url}");
    // Nobody has consented to this one, so the person is asked once more, for it alone.
    let second = sign_in.token(&[VALET], None).await.unwrap();
    let url = rig.person.urls().remove(1);
    assert!(url.contains("mcp.access") && !url.contains("User.Read"), "{url}");
    rig.nobody_home();
    assert_eq!(
        sign_in.token(&[VALET], None).await.unwrap().token.expose_secret(),
        second.token.expose_secret()
    );
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_revoked_refresh_token_leads_to_the_browser() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    rig.adele_was_here(&sign_in).await;
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.person.seen(), (2, 0));
    assert!(
        rig.person.urls()[1].contains("login_hint=adele%40contoso.example"),
        "the same person is expected"
    );
}

#[tokio::test]
async fn without_a_browser_a_device_code_is_shown() {
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, approve(ids::ADELE_UPN));
    rig.sign_in().token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.person.seen(), (0, 1));
}

#[tokio::test]
async fn with_no_step_left_every_reason_is_told() {
    let rig = Rig::start().await;
    rig.nobody_home();
    let sign_in = rig.sign_in();
    let skip = |step, why: &str| Skip { step, why: why.to_owned() };
    let expected = SignInError::NoStepLeft(vec![
        skip(Step::Refresh, "nobody is signed in"),
        skip(Step::Broker, "switched off"),
        skip(Step::Browser, "nobody is here"),
        skip(Step::DeviceCode, "nobody is here"),
    ]);
    assert_eq!(sign_in.token(&[GRAPH], None).await.unwrap_err(), expected);
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_hundred_first_calls_open_one_browser() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let sign_in = sign_in.clone();
            tokio::spawn(async move { sign_in.token(&[GRAPH], None).await.unwrap().token })
        })
        .collect();
    let mut tokens = Vec::new();
    for call in calls {
        tokens.push(call.await.unwrap().expose_secret().to_owned());
    }
    tokens.dedup();
    assert_eq!((rig.person.seen(), tokens.len()), ((1, 0), 1));
}

#[tokio::test]
async fn different_scopes_at_once_open_one_browser_after_the_other() {
    let rig = Rig::start().await;
    rig.person.will(Does::Nothing, Does::Unreachable);
    let sign_in = rig.sign_in();
    let graph = ask(&sign_in, GRAPH);
    until("a browser opens", || !rig.person.urls().is_empty()).await;
    let valet = ask(&sign_in, VALET);
    let first = rig.person.agree(&rig.person.urls()[0], ids::ADELE_UPN).await;
    // A page was fetched from the authority meanwhile, so whoever does not wait for their turn had the time to open a browser.
    assert_eq!(rig.person.seen(), (1, 0));
    rig.person.send_back(first).await;
    let graph = graph.await.unwrap().unwrap();
    until("a browser opens", || rig.person.urls().len() == 2).await;
    assert!(rig.person.urls()[1].contains("mcp.access"), "the other one's turn");
    let second = rig.person.agree(&rig.person.urls()[1], ids::ADELE_UPN).await;
    rig.person.send_back(second).await;
    let valet = valet.await.unwrap().unwrap();
    assert_ne!(graph.token.expose_secret(), valet.token.expose_secret());
    assert_eq!(rig.person.seen(), (2, 0));
}

/// What needs nobody waits for nobody.
#[tokio::test]
async fn a_silent_refresh_does_not_wait_for_who_is_asked_something_else() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    rig.person.will(Does::Nothing, Does::Unreachable);
    let waiting = ask(&sign_in, VALET);
    until("a browser opens", || rig.person.urls().len() == 2).await;
    rig.expire(&first);
    let second = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_ne!(second.token.expose_secret(), first.token.expose_secret());
    assert!(!waiting.is_finished());
    assert_eq!(rig.person.seen(), (2, 0));
    waiting.abort();
}

#[tokio::test]
async fn a_hundred_calls_share_a_refusal_too() {
    let rig = Rig::start().await;
    let nudge = Arc::new(Notify::new());
    rig.person.will(Does::DismissLater(nudge.clone()), Does::Unreachable);
    let sign_in = rig.sign_in();
    // The cache is in memory from here on, so that a call gets to the person without waiting.
    sign_in.accounts().await.unwrap();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let sign_in = sign_in.clone();
            tokio::spawn(async move { sign_in.token(&[GRAPH], None).await.unwrap_err() })
        })
        .collect();
    until("a person is asked", || rig.person.seen() == (1, 0)).await;
    nudge.notify_one();
    for call in calls {
        assert_eq!(call.await.unwrap(), SignInError::Cancelled(Step::Browser));
    }
    assert_eq!(rig.person.seen(), (1, 0));
}

#[tokio::test]
async fn a_call_that_is_given_up_closes_its_listener_and_the_next_one_starts_anew() {
    let rig = Rig::start().await;
    rig.person.will(Does::Nothing, Does::Unreachable);
    let sign_in = rig.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("a browser opens", || !rig.person.urls().is_empty()).await;
    asking.abort();
    let listener = crate::browser::parameter(&rig.person.urls()[0], "redirect_uri");
    until_it_fails("the listener closes", async || rig.person.http.get(&listener).send().await).await;
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn an_authority_out_of_reach_is_no_reason_to_open_a_browser() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    rig.emulator.faults().set(Endpoint::Token, Fault::Status { code: 503, retry_after: None });
    // Within its last minutes the old token still serves.
    let life = first.expires_at - crate::rig::system_clock();
    rig.advance(life - 200);
    assert_eq!(
        sign_in.token(&[GRAPH], None).await.unwrap().token.expose_secret(),
        first.token.expose_secret()
    );
    rig.advance(200);
    let failed = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert!(matches!(failed, SignInError::Authority(_)), "{failed:?}");
    rig.emulator.faults().set(Endpoint::Token, Fault::Reset);
    let failed = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert!(matches!(failed, SignInError::Unreachable { .. }), "{failed:?}");
    rig.emulator.faults().set(Endpoint::Token, Fault::Huge { megabytes: 1 });
    let failed = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert!(matches!(failed, SignInError::Unreachable { .. }), "{failed:?}");
    assert_eq!(rig.person.seen(), (1, 0));
    rig.emulator.faults().clear_all();
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.person.seen(), (1, 0));
}

#[tokio::test]
async fn a_wrong_application_is_told_by_its_name_in_the_authoritys_answer() {
    let rig = Rig::start().await;
    rig.nobody_home();
    rig.person.will(Does::Unreachable, Does::Nothing);
    let sign_in =
        rig.sign_in_with(|settings| settings.client_id = "7e57c000-0000-4000-8000-00000000ffff".into());
    let failed = sign_in.token(&[GRAPH], None).await.unwrap_err();
    let SignInError::Authority(valet_core_entra::answer::Failure::Misconfigured(detail)) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(detail.codes, [700_016]);
}

#[tokio::test]
async fn scopes_that_are_none_are_refused_before_anything_is_asked() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    for scope in ["", "a b", "a\nb", "a\"b", "ä"] {
        let refused = sign_in.token(&[scope], None).await.unwrap_err();
        assert!(matches!(refused, SignInError::Scope(_)), "{scope}: {refused:?}");
    }
    assert_eq!(sign_in.token(&[], None).await.unwrap_err(), SignInError::Scope(String::new()));
    assert_eq!(rig.person.seen(), (0, 0));
}
