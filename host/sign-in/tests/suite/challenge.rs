//! Claims challenges: first silently, then with the person; Conditional Access in the middle of a refresh.

use entra_emulator::{ConditionalAccess, Control, Operation, ids};
use secrecy::ExposeSecret as _;
use valet_core_entra::claims::ClaimsError;
use valet_sign_in::SignInError;

use crate::person::{Does, approve};
use crate::rig::{GRAPH, Rig};

/// What Graph says when it revokes a token in the middle of its life.
const REVOKED: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;

fn second_factor() -> ConditionalAccess {
    ConditionalAccess {
        name: "second factor".to_owned(),
        tenant: ids::TENANT,
        users: vec![],
        resources: vec![],
        clients: vec![],
        context: None,
        control: Control::Mfa,
        sign_in_frequency_minutes: None,
    }
}

#[tokio::test]
async fn a_challenge_is_answered_silently_where_that_can_be() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    rig.nobody_home();
    let second = sign_in.token(&[GRAPH], Some(REVOKED)).await.unwrap();
    assert_ne!(first.token.expose_secret(), second.token.expose_secret());
    assert_eq!(rig.count(Operation::Refresh), 1);
    // From here on the new one is the cached one, also for others.
    for sign_in in [sign_in, rig.sign_in()] {
        let third = sign_in.token(&[GRAPH], None).await.unwrap();
        assert_eq!(second.token.expose_secret(), third.token.expose_secret());
    }
}

#[tokio::test]
async fn a_hundred_calls_with_one_challenge_refresh_once() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    sign_in.token(&[GRAPH], None).await.unwrap();
    rig.nobody_home();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let sign_in = sign_in.clone();
            tokio::spawn(async move { sign_in.token(&[GRAPH], Some(REVOKED)).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(rig.count(Operation::Refresh), 1);
}

#[tokio::test]
async fn what_a_refresh_cannot_do_the_person_does_with_the_claims_of_the_authority() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let first = sign_in.token(&[GRAPH], None).await.unwrap();
    rig.emulator.change_registrations(|all| all.conditional_access.push(second_factor()));
    rig.expire(&first);
    rig.person.will(approve(&format!("{};mfa", ids::ADELE_UPN)), Does::Unreachable);
    sign_in.token(&[GRAPH], None).await.unwrap();
    assert_eq!(rig.person.seen(), (2, 0));
    let url = rig.person.urls().remove(1);
    let claims = crate::browser::parameter(&url, "claims");
    let claims: serde_json::Value = serde_json::from_str(&claims).unwrap();
    assert_eq!(claims["access_token"]["xms_cc"]["values"][0], "cp1", "our capability stays: {claims}");
    assert!(
        claims["access_token"].as_object().unwrap().len() > 1,
        "and what was asked for is there: {claims}"
    );
    rig.nobody_home();
    sign_in.token(&[GRAPH], None).await.unwrap();
}

#[tokio::test]
async fn a_challenge_that_is_none_is_refused() {
    let rig = Rig::start().await;
    let sign_in = rig.sign_in();
    let refused = sign_in.token(&[GRAPH], Some("not json")).await.unwrap_err();
    assert_eq!(refused, SignInError::Claims(ClaimsError::NotAnObject));
    sign_in.token(&[GRAPH], None).await.unwrap();
}
