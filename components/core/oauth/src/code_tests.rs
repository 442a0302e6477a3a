//! Codes, presented in every wrong way and once in the right one.

use super::*;
use crate::testing::{NOW, VERIFIER, at_entra, secret, session};

fn issued() -> Issued {
    issue(&at_entra(), session(), &[4; 32], &[5; 16], NOW)
}

fn present(record: &[u8], verifier: Option<&str>, now: u64) -> Result<Decision, CodeError> {
    redeem(Some(record), "web", Some("https://app.example/cb"), verifier.map(secret).as_ref(), now)
}

fn redeemed(record: &[u8]) -> Vec<u8> {
    let Ok(Decision::Redeem { grant, family, spent }) = present(record, Some(VERIFIER), NOW + 59) else {
        panic!()
    };
    assert_eq!((grant, family.as_str()), (issued().grant, issued().family.as_str()));
    spent
}

#[track_caller]
fn refused(found: Result<Decision, CodeError>, expected: CodeError) {
    assert_eq!(found.map(drop), Err(expected));
    // Nothing has changed by it.
    redeemed(&issued().value);
}

#[test]
fn a_code_is_kept_as_a_digest() {
    let issued = issued();
    assert_eq!(issued.code.expose_secret().len(), 43);
    assert_eq!(issued.record, record_name(&issued.code));
    let stored = format!("{}{}", issued.record, String::from_utf8(issued.value).unwrap());
    assert!(!stored.contains(issued.code.expose_secret()));
    assert_eq!(issued.grant.scopes, ["mcp.access"]);
}

/// O-19, P4: once, and the second time ends the session.
#[test]
fn a_code_is_good_once() {
    let spent = redeemed(&issued().value);
    for client in ["web", "other"] {
        let again = redeem(Some(&spent), client, None, None, NOW + 1);
        let Ok(Decision::Replayed(Spent { grant, family })) = again else { panic!() };
        assert_eq!((grant.session.id.as_str(), family), ("session-1", issued().family));
    }
}

/// O-20.
#[test]
fn a_code_is_good_for_a_minute() {
    let expired = CodeError::Expired { expires_at: NOW + 60, now: NOW + 60 };
    refused(present(&issued().value, Some(VERIFIER), NOW + 60), expired);
    assert!(present(&issued().value, Some(VERIFIER), NOW + 59).is_ok());
}

/// O-18, C8: `resource` is compared where the request is read.
#[test]
fn a_code_is_for_its_client_and_its_redirect_uri() {
    let verifier = secret(VERIFIER);
    let redeem = |client, redirect| redeem(Some(&issued().value), client, redirect, Some(&verifier), NOW);
    refused(redeem("other", None), CodeError::Client { found: "other".into() });
    refused(redeem("WEB", None), CodeError::Client { found: "WEB".into() });
    for found in ["https://app.example/cb2", "https://evil.example/cb", "x"] {
        let expected = "https://app.example/cb".to_owned();
        refused(redeem("web", Some(found)), CodeError::Redirect { found: found.into(), expected });
    }
    assert!(matches!(redeem("web", None), Ok(Decision::Redeem { .. })));
}

/// O-21, O-23: there is no code without a challenge, so there is nothing to downgrade to.
#[test]
fn a_code_needs_its_verifier() {
    let verifier = |error| CodeError::Verifier(error);
    refused(present(&issued().value, None, NOW), verifier(VerifierError::Missing));
    refused(present(&issued().value, Some(""), NOW), verifier(VerifierError::Malformed { length: 0 }));
    let short = &VERIFIER[1..];
    refused(present(&issued().value, Some(short), NOW), verifier(VerifierError::Malformed { length: 42 }));
    let long = "a".repeat(129);
    refused(present(&issued().value, Some(&long), NOW), verifier(VerifierError::Malformed { length: 129 }));
    let wrong = "a".repeat(43);
    refused(present(&issued().value, Some(&wrong), NOW), verifier(VerifierError::Mismatch));
}

#[test]
fn a_code_that_was_never_given_is_unknown() {
    for record in [None, Some(&b""[..]), Some(b"{}"), Some(b"null")] {
        refused(redeem(record, "web", None, None, NOW), CodeError::Unknown);
    }
}
