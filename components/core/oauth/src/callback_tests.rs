//! Entra's answers.

use super::*;
use crate::testing::{NOW, asking, at_entra, request, secrets, settings};
use crate::transaction::EntraSecrets;

const ISSUER: &str = "https://login.example/t/v2.0";

fn state() -> String {
    at_entra().entra_request().unwrap().state.expose_secret().to_owned()
}

fn answer(query: &str) -> Result<Answer, CallbackError> {
    Answer::read(&Form::parse(query.as_bytes()).unwrap())
}

fn outcome(query: &str, transaction: &Transaction) -> Result<Outcome, CallbackError> {
    answer(query)?.outcome(transaction, &[ISSUER.to_owned()])
}

/// Where the page leads. It is no redirection, to which the policy of the page with Entra's form would apply.
fn leads(response: &Response) -> String {
    assert_eq!(response.status, 200);
    let (_, rest) = response.body.split_once("content=\"0;url=").unwrap();
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

#[test]
fn a_code_is_redeemed_with_what_was_sent() {
    let query = format!("code=entra-code&state={}&session_state=x", state());
    assert_eq!(answer(&query).unwrap().transaction, at_entra().id());
    let Ok(Outcome::Redeem { code, request }) = outcome(&query, &at_entra()) else { panic!() };
    let sent = at_entra().entra_request().unwrap();
    assert_eq!(code.expose_secret(), "entra-code");
    assert_eq!(request.verifier.expose_secret(), sent.verifier.expose_secret());
    assert_eq!(request.nonce.expose_secret(), sent.nonce.expose_secret());
    assert!(!format!("{:?}", answer(&query).unwrap()).contains("entra-code"));
}

/// O-9, C6.
#[test]
fn a_state_that_was_not_sent_is_refused() {
    let none = |query: &str| assert_eq!(answer(query).map(drop), Err(CallbackError::State), "{query}");
    none("code=c");
    none("code=c&state=");
    none("code=c&state=abc");
    none("code=c&state=a/b.c");
    none(&format!("code=c&state=a.{}", "x".repeat(limits::SECRET + 1)));
    let refused = |state: &str, transaction: &Transaction, expected| {
        let found = outcome(&format!("code=c&state={state}"), transaction).map(drop);
        assert_eq!(found, Err(CallbackError::Transaction(expected)), "{state}");
    };
    let (id, secret) =
        state().rsplit_once('.').map(|(id, secret)| (id.to_owned(), secret.to_owned())).unwrap();
    refused(&format!("{id}.{}", secret.replace('A', "B")), &at_entra(), TransactionError::State);
    refused(&format!("{id}."), &at_entra(), TransactionError::State);
    refused(&format!("{id}2.{secret}"), &at_entra(), TransactionError::State);
    // Of another tab of the same browser, and of the same tab before permission was given.
    let other = EntraSecrets { state: [9; 32], ..secrets() };
    refused(&state(), &Transaction::remembered(request(), &[7; 16], &other, NOW), TransactionError::State);
    refused(
        &state(),
        &Transaction::remembered(request(), &[6; 16], &secrets(), NOW),
        TransactionError::State,
    );
    refused(&state(), &asking(), TransactionError::Phase);
    assert!(outcome(&format!("code=c&state={}", state()), &at_entra()).is_ok());
}

/// O-27 at our side: the code is sent nowhere.
#[test]
fn an_answer_of_another_issuer_is_refused() {
    assert!(matches!(
        outcome(&format!("code=c&state={}&iss=https%3A%2F%2Flogin.example%2Ft%2Fv2.0", state()), &at_entra()),
        Ok(Outcome::Redeem { .. })
    ));
    for found in
        ["https://login.example/t/v2.0/", "https://evil.example/t/v2.0", "https://LOGIN.example/t/v2.0"]
    {
        let query = format!("code=c&state={}&iss={found}", state());
        let Ok(Outcome::Refused { reason, code, .. }) = outcome(&query, &at_entra()) else {
            panic!("{found}")
        };
        assert_eq!((reason, code), (Refused::Issuer { found: found.into() }, Code::ServerError));
    }
}

/// C12, O-10: the client learns of it, and of nothing that a stranger may have written.
#[test]
fn an_error_reaches_the_client_in_our_words() {
    for (error, expected) in [
        ("access_denied", Code::AccessDenied),
        ("consent_required", Code::AccessDenied),
        ("login_required", Code::AccessDenied),
        ("interaction_required", Code::AccessDenied),
        ("temporarily_unavailable", Code::TemporarilyUnavailable),
        ("server_error", Code::ServerError),
        ("invalid_client", Code::ServerError),
        ("<script>", Code::ServerError),
    ] {
        let query = format!(
            "error={error}&error_description=AADSTS50126%3A+%3Cscript%3Ealert(1)%3C%2Fscript%3E%0D%0Ax&state={}",
            state()
        );
        let Ok(Outcome::Refused { reason, code, description }) = outcome(&query, &at_entra()) else {
            panic!("{error}")
        };
        let entra = EntraError { error: error.into(), number: Some(50126) };
        assert_eq!((reason, code), (Refused::Entra(entra), expected));
        let response = refused(&at_entra(), code, description, &settings());
        let location = leads(&response);
        assert!(location.starts_with(&format!("https://app.example/cb?error={expected}&error_description=")));
        assert!(location.ends_with("&state=s-1&iss=https%3A%2F%2Fvalet.example"), "{location}");
        assert!(!location.contains("AADSTS") && !location.contains("alert"));
    }
    // With both, the error counts.
    let both = format!("error=access_denied&code=c&state={}", state());
    assert!(matches!(outcome(&both, &at_entra()), Ok(Outcome::Refused { .. })));
}

#[test]
fn an_answer_of_neither_is_none() {
    assert_eq!(answer(&format!("state={}", state())).map(drop), Err(CallbackError::Empty));
    assert_eq!(answer(&format!("code=&state={}", state())).map(drop), Err(CallbackError::Empty));
}

#[test]
fn only_the_number_of_a_description_is_kept() {
    for (text, expected) in [
        ("AADSTS50011: The redirect URI", Some(50011)),
        ("AADSTS7000215", Some(7_000_215)),
        ("AADSTS", None),
        ("AADSTSx", None),
        ("AADSTS99999999999", None),
        ("x AADSTS50011", None),
        ("", None),
    ] {
        assert_eq!(aadsts(text), expected, "{text}");
    }
}

#[test]
fn what_belongs_to_nobody_is_a_page() {
    for (error, status) in [
        (CallbackError::State, 400),
        (CallbackError::Empty, 400),
        (CallbackError::Transaction(TransactionError::NoCookie), 403),
        (CallbackError::Transaction(TransactionError::State), 403),
        (CallbackError::Transaction(TransactionError::Expired { begun: 1, now: 9999 }), 400),
    ] {
        let page = error.response("request-7");
        assert_eq!(page.status, status, "{error}");
        assert!(page.body.contains("request-7"));
        assert!(!page.headers.iter().any(|(name, _)| *name == "location"));
    }
}

#[test]
fn an_answer_to_the_client_ends_the_transaction() {
    let cleared = ("set-cookie", crate::cookie::clear(&at_entra().cookie_name()));
    let done = finished(&at_entra(), &"c".into(), &settings());
    assert!(leads(&done).starts_with("https://app.example/cb?code=c&"));
    assert_eq!(done.headers.last(), Some(&cleared));
    for (failure, expected) in [
        (SessionFailure::Refused, "access_denied"),
        (SessionFailure::Misconfigured, "server_error"),
        (SessionFailure::Unavailable, "temporarily_unavailable"),
    ] {
        let (code, description) = failure.told();
        let response = refused(&at_entra(), code, description, &settings());
        assert!(leads(&response).starts_with(&format!("https://app.example/cb?error={expected}&")));
        assert_eq!(response.headers.last(), Some(&cleared));
    }
}

/// Who uses up what an address has keeps nobody out who was here before.
#[test]
fn refused_sign_ins_are_counted_by_user_or_by_address() {
    let alice = crate::testing::alice();
    let renamed = crate::user::User { name: None, ..alice.clone() };
    assert_eq!(counted_as(Some(&alice), "192.0.2.1"), counted_as(Some(&renamed), "192.0.2.2"));
    assert_eq!(counted_as(None, "192.0.2.1"), "address 192.0.2.1");
    assert_ne!(counted_as(Some(&alice), "192.0.2.1"), counted_as(None, "192.0.2.1"));
    assert_eq!(SessionFailure::TooMany.told().0, Code::TemporarilyUnavailable);
}
