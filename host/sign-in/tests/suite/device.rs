//! The device code step: success, every way in which polling ends, and a code that is dismissed.
//!
//! The emulator asks for five seconds between polls, so these take that long; nothing measures time.

use std::sync::Arc;

use entra_emulator::{Endpoint, Fault, Operation, PlannedFault, ids};
use valet_core_entra::answer::Failure;
use valet_sign_in::{SignInError, Step};

use tokio::sync::Notify;

use crate::person::{Does, approve};
use crate::rig::{GRAPH, Rig, adele, ask, until};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[tokio::test]
async fn slow_down_and_pending_and_an_authority_out_of_reach_are_waited_out() {
    let rig = Rig::start().await;
    rig.emulator.slow_down_device_codes(1);
    rig.person.will(Does::Unreachable, Does::Nothing);
    let sign_in = rig.sign_in();
    let asking = ask(&sign_in, GRAPH);
    // The first poll is told to slow down; the second one gets no answer; then the person signs in.
    until("the authority is asked", || rig.count(Operation::Token) >= 1).await;
    let reset = PlannedFault::new(Endpoint::Token, Fault::Reset).grant_type(GRANT).times(1);
    rig.emulator.faults().plan(reset).unwrap();
    rig.person.enter_last(approve(ids::ADELE_UPN)).await;
    asking.await.unwrap().unwrap();
    assert_eq!(sign_in.account().await.unwrap().unwrap().id, adele());
    assert_eq!(rig.count(Operation::Token), 3);
}

#[tokio::test]
async fn a_declined_code_ends_the_sign_in_and_the_next_one_is_good() {
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, Does::Decline);
    let sign_in = rig.sign_in();
    let failed = sign_in.token(&[GRAPH], None).await.unwrap_err();
    let SignInError::Declined { step: Step::DeviceCode, detail } = failed else { panic!("{failed:?}") };
    assert!(detail.contains("authorization_declined"), "{detail}");
    rig.person.will(Does::Unreachable, approve(ids::ADELE_UPN));
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn an_expired_code_ends_the_sign_in() {
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, Does::Nothing);
    let sign_in = rig.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("a person is asked", || rig.person.seen().1 > 0).await;
    rig.advance(901);
    let expected = SignInError::TimedOut { step: Step::DeviceCode, seconds: 900 };
    assert_eq!(asking.await.unwrap().unwrap_err(), expected);
}

#[tokio::test]
async fn a_code_that_the_authority_does_not_know_ends_the_sign_in() {
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, Does::Nothing);
    let sign_in = rig.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("a person is asked", || rig.person.seen().1 > 0).await;
    // The application is gone before the first poll.
    rig.emulator.change_registrations(|all| all.apps.retain(|app| app.client_id != ids::DEMO_CLIENT));
    let failed = asking.await.unwrap().unwrap_err();
    assert!(matches!(failed, SignInError::Authority(_)), "{failed:?}");
}

#[tokio::test]
async fn a_code_whose_tokens_were_lost_on_the_way_is_spent_and_the_next_one_is_good() {
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, approve(ids::ADELE_UPN));
    let sign_in = rig.sign_in();
    // The answer with the tokens breaks off, so it is polled again, and then the code is a used one.
    let cut_off = PlannedFault::new(Endpoint::Token, Fault::CutOff).grant_type(GRANT).times(1);
    rig.emulator.faults().plan(cut_off).unwrap();
    let failed = sign_in.token(&[GRAPH], None).await.unwrap_err();
    let SignInError::Authority(Failure::GrantRefused(detail)) = failed else { panic!("{failed:?}") };
    assert_eq!((detail.error.as_str(), detail.codes.as_slice()), ("bad_verification_code", &[70_018][..]));
    assert_eq!(rig.count(Operation::Token), 2);
    assert!(!rig.file().exists(), "nothing was kept");
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_dismissed_code_ends_the_sign_in_at_once() {
    let rig = Rig::start().await;
    rig.person.will(Does::Unreachable, Does::Dismiss);
    let failed = rig.sign_in().token(&[GRAPH], None).await.unwrap_err();
    assert_eq!(failed, SignInError::Cancelled(Step::DeviceCode));
    assert_eq!(rig.count(Operation::Token), 0, "nothing was polled");
}

#[tokio::test]
async fn a_code_that_is_dismissed_between_two_polls_is_not_polled_again() {
    let rig = Rig::start().await;
    let nudge = Arc::new(Notify::new());
    rig.person.will(Does::Unreachable, Does::DismissLater(nudge.clone()));
    let sign_in = rig.sign_in();
    let asking = ask(&sign_in, GRAPH);
    until("the authority is asked", || rig.count(Operation::Token) >= 1).await;
    nudge.notify_one();
    assert_eq!(asking.await.unwrap().unwrap_err(), SignInError::Cancelled(Step::DeviceCode));
    // The next one has a code of its own, which is entered; the poll that brings its tokens is the only one.
    rig.person.will(Does::Unreachable, approve(ids::ADELE_UPN));
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!((rig.count(Operation::DeviceCode), rig.count(Operation::Token)), (2, 2));
}
