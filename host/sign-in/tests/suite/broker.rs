//! The broker step of Linux, with a fake of the broker on a private bus.

use std::time::Duration;

use entra_emulator::ids;
use secrecy::ExposeSecret as _;
use serde_json::json;
use valet_sign_in::limits::BROKER_SILENT;
use valet_sign_in::{LogIn, SignInError, Skip, Step};

use crate::fake_broker::{Desktop, Mood};
use crate::person::{Does, approve};
use crate::rig::{GRAPH, adele, alex, ask, pass, until, wrong};

/// What a sign-in says why the broker was passed over, when nothing else is left.
async fn reason(desktop: &Desktop) -> String {
    desktop.rig.nobody_home();
    match desktop.sign_in().token(&[GRAPH], None).await.unwrap_err() {
        SignInError::NoStepLeft(skipped) => {
            skipped.into_iter().find(|Skip { step, .. }| *step == Step::Broker).unwrap().why
        }
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn the_broker_comes_before_the_browser_and_is_asked_silently_first() {
    let Some(desktop) = Desktop::start(Mood::Silent).await else { return };
    let sign_in = desktop.sign_in();
    let token = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(desktop.called(), ["getAccounts", "acquireTokenSilently"]);
    assert_eq!(desktop.rig.person.seen(), (0, 0));
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, adele());
    let again = sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(token.token.expose_secret(), again.token.expose_secret());
    assert_eq!(desktop.called().len(), 2, "the second one is cached");
    let request = desktop.calls.lock().unwrap()[1].1["authParameters"].clone();
    assert_eq!(request["clientId"], ids::DEMO_CLIENT.to_string());
    assert_eq!(request["account"]["localAccountId"], ids::ADELE.to_string());
    assert_eq!(request["requestedScopes"], json!([GRAPH]));
    assert_eq!(request["authority"], format!("{}/{}", desktop.rig.emulator.authority_url(), ids::TENANT));
    assert_eq!(request["authorizationType"], 1);
    assert_eq!(request["username"], ids::ADELE_UPN);
}

#[tokio::test]
async fn what_is_not_silent_is_asked_in_the_brokers_window() {
    for (mood, calls) in [
        (Mood::Window, vec!["getAccounts", "acquireTokenSilently", "acquireTokenInteractively"]),
        (Mood::Empty, vec!["getAccounts", "acquireTokenInteractively"]),
    ] {
        let Some(desktop) = Desktop::start(mood).await else { return };
        desktop.sign_in().token(&[GRAPH], None).await.unwrap();
        assert_eq!(desktop.called(), calls);
        assert_eq!(desktop.rig.person.seen(), (0, 0));
        let request = desktop.request("acquireTokenInteractively")["authParameters"].clone();
        assert_eq!(request["authorizationType"], 6);
        assert_eq!(request["account"].is_null(), mood == Mood::Empty);
    }
}

#[tokio::test]
async fn a_dismissed_window_ends_the_sign_in() {
    let Some(desktop) = Desktop::start(Mood::Cancelled).await else { return };
    let failed = desktop.sign_in().token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(failed, SignInError::Cancelled(Step::Broker));
    assert_eq!(desktop.rig.person.seen(), (0, 0), "no browser after a no");
}

#[tokio::test]
async fn each_reason_to_pass_the_broker_over_is_told_and_the_browser_comes_next() {
    for (mood, why) in [
        (Mood::Refuses, "it refused: ApiContractViolation 7 a context"),
        (Mood::Garbage, "its answer makes no sense: it is not a JSON object"),
    ] {
        let Some(desktop) = Desktop::start(mood).await else { return };
        assert_eq!(reason(&desktop).await, why);
        desktop.rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
        desktop.sign_in().token(&[GRAPH], None).await.unwrap();
        assert_eq!(desktop.rig.person.seen(), (1, 0));
    }
}

#[tokio::test]
async fn a_bus_without_a_broker_and_no_bus_at_all_are_told_apart() {
    let Some(mut desktop) = Desktop::start(Mood::Silent).await else { return };
    desktop.broker.take().unwrap().close().await.unwrap();
    assert_eq!(reason(&desktop).await, "com.microsoft.identity.broker1 is not on the session bus");
    desktop.bus.address = "unix:path=/nowhere".to_owned();
    let why = reason(&desktop).await;
    assert!(why.starts_with("no session bus: "), "{why}");
}

#[tokio::test]
async fn a_broker_that_goes_away_in_the_middle_is_passed_over() {
    let Some(mut desktop) = Desktop::start(Mood::Vanishes).await else { return };
    desktop.rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
    desktop.broker.take().unwrap().close().await.unwrap();
    asking.await.unwrap().unwrap();
    assert_eq!(desktop.rig.person.seen(), (1, 0));
}

#[tokio::test]
async fn a_sign_in_that_is_given_up_takes_the_brokers_window_away() {
    let Some(desktop) = Desktop::start(Mood::Vanishes).await else { return };
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
    asking.abort();
    // Whoever ends the process waits for this and for nothing else.
    sign_in.settle().await;
    assert_eq!(
        desktop.called(),
        ["getAccounts", "acquireTokenSilently", "acquireTokenInteractively", "cancelInteractiveFlow"]
    );
    assert_eq!(desktop.request("cancelInteractiveFlow")["error"]["status"], 7, "on behalf of the person");
}

/// A command that is given up drops its sign-in and ends at once, and so does a server whose client leaves.
#[tokio::test]
async fn whoever_ends_waits_until_the_window_is_taken_away() {
    let Some(desktop) = Desktop::start(Mood::Vanishes).await else { return };
    for dismissed in [false, true] {
        desktop.calls.lock().unwrap().clear();
        let sign_in = desktop.sign_in();
        let logging_in = {
            let sign_in = sign_in.clone();
            tokio::spawn(async move { sign_in.log_in(LogIn::default()).await })
        };
        until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
        match dismissed {
            true => desktop.rig.person.leave(),
            false => logging_in.abort(),
        }
        sign_in.settle().await;
        let calls = desktop.called();
        assert_eq!(
            calls,
            ["getAccounts", "acquireTokenInteractively", "cancelInteractiveFlow"],
            "{dismissed}"
        );
    }
    assert!(desktop.sign_in().accounts().await.unwrap().is_empty(), "nobody was signed in");
}

/// It owns its name and answers nothing.
#[tokio::test]
async fn a_broker_that_does_not_answer_is_not_waited_for_longer_than_its_bound() {
    let Some(desktop) = Desktop::start(Mood::Deaf).await else { return };
    desktop.rig.nobody_home();
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called() == ["getAccounts"]).await;
    pass(BROKER_SILENT - Duration::from_secs(5)).await;
    assert!(!asking.is_finished(), "a slow one is waited for");
    pass(Duration::from_secs(6)).await;
    let skip = |step, why: &str| Skip { step, why: why.to_owned() };
    let expected = SignInError::NoStepLeft(vec![
        skip(Step::Refresh, "nobody is signed in"),
        skip(Step::Broker, "the broker did not answer in time"),
        skip(Step::Browser, "nobody is here"),
        skip(Step::DeviceCode, "nobody is here"),
    ]);
    assert_eq!(asking.await.unwrap().unwrap_err(), expected);
    // Nor does it keep anybody who ends.
    sign_in.settle().await;
    desktop.rig.person.will(approve(ids::ADELE_UPN), Does::Unreachable);
    // Of another process: the connections that the first one keeps are as old as the time that has passed.
    let next = ask(&desktop.sign_in(), GRAPH);
    until("the broker is called", || desktop.called().len() == 2).await;
    pass(BROKER_SILENT + Duration::from_secs(1)).await;
    next.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_window_that_nobody_wants_any_more_ends_the_sign_in_and_is_taken_away() {
    let Some(desktop) = Desktop::start(Mood::Vanishes).await else { return };
    let sign_in = desktop.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the broker is called", || desktop.called().contains(&"acquireTokenInteractively")).await;
    desktop.rig.person.leave();
    assert_eq!(asking.await.unwrap().unwrap_err(), SignInError::Cancelled(Step::Broker));
    sign_in.settle().await;
    assert_eq!(desktop.called().last(), Some(&"cancelInteractiveFlow"));
    assert_eq!(desktop.rig.person.seen(), (0, 0), "and no browser comes in its place");
}

#[tokio::test]
async fn another_account_than_the_one_in_use_is_refused() {
    let Some(desktop) = Desktop::start(Mood::WrongAccount).await else { return };
    let sign_in = {
        let address = desktop.bus.address.clone();
        desktop.rig.sign_in_with(|settings| {
            settings.steps.insert(0, Step::Broker);
            settings.session_bus = Some(address);
            settings.account = Some(adele());
        })
    };
    let refused = sign_in.token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(wrong(&refused), (adele(), alex()));
    assert!(!desktop.rig.file().exists(), "nothing was kept");
}
