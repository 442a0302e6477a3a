//! A person is awaited here and signs in elsewhere: by `valet login` in a terminal, or for another client's server. Nothing is shared but the folder.

use std::time::Duration;

use entra_emulator::{Endpoint, Fault, Operation, PlannedFault, ids};
use secrecy::ExposeSecret as _;
use tokio::task::JoinHandle;
use valet_sign_in::limits::ELSEWHERE_POLL;
use valet_sign_in::{AccessToken, LogIn, SignIn, SignInError};

use crate::browser::parameter;
use crate::person::{Does, approve};
use crate::rig::{GRAPH, LONG, Rig, adele, alex, ask, pass, until, until_it_fails};

/// A sign-in that waits for a person who does nothing, in the browser or with a code.
async fn waits(rig: &Rig, sign_in: &SignIn, with_code: bool) -> JoinHandle<Result<AccessToken, SignInError>> {
    match with_code {
        true => rig.person.will(Does::Unreachable, Does::Nothing),
        false => rig.person.will(Does::Nothing, Does::Unreachable),
    }
    let before = rig.person.seen();
    let asking = ask(sign_in, GRAPH);
    until("a person is asked", || rig.person.seen() != before).await;
    asking
}

#[tokio::test]
async fn a_sign_in_that_waits_takes_the_token_that_came_elsewhere() {
    for with_code in [false, true] {
        let rig = Rig::start().await;
        let waiting = waits(&rig, &rig.sign_in(), with_code).await;
        rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
        let elsewhere = rig.sign_in().token(&[GRAPH], None).await.unwrap();
        let found = waiting.await.unwrap().unwrap();
        assert_eq!(found.token.expose_secret(), elsewhere.token.expose_secret());
        if !with_code {
            let listener = parameter(&rig.person.urls()[0], "redirect_uri");
            until_it_fails("the listener closes", async || rig.person.http.get(&listener).send().await).await;
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_waits_is_finished_silently_after_a_log_in_elsewhere() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    // Adele has consented, and signs out.
    sign_in.token(&[GRAPH], None).await.unwrap();
    sign_in.log_out(&adele()).await.unwrap();
    let waiting = waits(&rig, &sign_in, false).await;
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    rig.sign_in().log_in(LogIn::default()).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(rig.count(Operation::Refresh), 1, "by what that one brought");
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, adele());
    rig.nobody_home();
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn who_signs_in_elsewhere_is_the_account_in_use_also_for_who_waits() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    rig.adele_was_here(&sign_in).await;
    let waiting = waits(&rig, &sign_in, false).await;
    rig.person.will(approve(ids::ALEX_UPN), Does::Unreachable);
    let elsewhere = rig.sign_in();
    elsewhere.log_in(LogIn::default()).await.unwrap();
    // What the call here needs he has not consented to yet.
    elsewhere.token(&[GRAPH], None).await.unwrap();
    // Nobody else has a token, or could have one.
    waiting.await.unwrap().unwrap();
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, alex());
}

#[tokio::test]
async fn a_pinned_account_is_waited_for_whoever_signs_in_elsewhere() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in_with(|settings| settings.account = Some(alex()));
    let waiting = waits(&rig, &sign_in, false).await;
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    let of_adele = rig.sign_in().token(&[GRAPH], None).await.unwrap();
    // It looks, and goes on waiting.
    pass(ELSEWHERE_POLL * 2).await;
    let answer = rig.person.agree(&rig.person.urls()[0], ids::ALEX_UPN).await;
    assert!(!waiting.is_finished());
    rig.person.send_back(answer).await;
    let of_alex = waiting.await.unwrap().unwrap();
    assert_ne!(of_alex.token.expose_secret(), of_adele.token.expose_secret());
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, alex());
}

/// Adele's window is open when somebody puts Alex in use, who cannot give what is asked for here.
#[tokio::test]
async fn who_is_put_in_use_meanwhile_stays_it() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    rig.adele_was_here(&sign_in).await;
    let waiting = waits(&rig, &sign_in, false).await;
    rig.person.will(approve(ids::ALEX_UPN), Does::Unreachable);
    rig.sign_in().log_in(LogIn::default()).await.unwrap();
    let answer = rig.person.agree(&rig.person.urls()[1], ids::ADELE_UPN).await;
    rig.person.send_back(answer).await;
    waiting.await.unwrap().unwrap();
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, alex());
}

/// The sign-in here ends in the middle of a refresh with what came elsewhere, by which the authority replaces the refresh token.
#[tokio::test]
async fn a_refresh_that_has_begun_is_not_dropped_when_the_person_ends_here() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    rig.adele_was_here(&sign_in).await;
    let waiting = waits(&rig, &sign_in, false).await;
    let slow = PlannedFault::new(Endpoint::Token, Fault::Delay(Duration::from_secs(8)));
    rig.emulator.faults().plan(slow.grant_type("refresh_token").times(1)).unwrap();
    let before = rig.count(Operation::Token);
    rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    rig.sign_in().log_in(LogIn::default()).await.unwrap();
    until("what came elsewhere is refreshed", || rig.count(Operation::Token) == before + 2).await;
    // Somebody else than is wanted, so there is nothing to be had here.
    let (listener, answer) = rig.person.agree(&rig.person.urls()[1], ids::ALEX_UPN).await;
    let page = rig.person.http.post(listener).form(&answer).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("You are not signed in"));
    waiting.await.unwrap().unwrap();
    rig.nobody_home();
    rig.advance(LONG);
    sign_in.token(&[GRAPH], None).await.unwrap();
}
