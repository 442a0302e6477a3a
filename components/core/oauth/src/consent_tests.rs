//! Permission: asked before Entra, answered by the page alone, remembered for whom it is of.

use super::*;
use crate::testing::{NOW, asking, at_entra, client, request, secrets, settings};
use crate::transaction::Transaction;

const FORM: &str = "application/x-www-form-urlencoded";

fn body(decision: &str) -> String {
    let csrf = asking().csrf().unwrap().to_owned();
    format!("transaction={}&csrf={csrf}&decision={decision}", asking().id())
}

fn read(body: &str) -> Result<Answer, ConsentError> {
    Answer::read(Some(FORM), body.as_bytes(), Some("https://valet.example"), Some("same-origin"), &settings())
}

#[test]
fn yes_goes_on_to_entra_and_no_does_not() {
    let answer = read(&body("allow")).unwrap();
    assert_eq!(answer.transaction, asking().id());
    let (decision, transaction) = answer.decide(asking(), &secrets()).unwrap();
    assert_eq!((decision, transaction.basis()), (Decision::Allow, Ok(Basis::Given)));
    let (decision, transaction) = read(&body("deny")).unwrap().decide(asking(), &secrets()).unwrap();
    assert_eq!((decision, transaction.basis()), (Decision::Deny, Err(TransactionError::Phase)));
}

/// O-6, O-7, O-11: only the form of the page that this browser was shown.
#[test]
fn a_forged_form_is_refused() {
    let transaction = |error| Err(ConsentError::Transaction(error));
    let decide =
        |body: &str, transaction| read(body).unwrap().decide(transaction, &secrets()).map(|(it, _)| it);
    let other = Transaction::asking(request(), &[7; 16], &[9; 32], NOW);
    assert_eq!(decide(&body("allow"), other), transaction(TransactionError::Csrf));
    for csrf in ["x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let forged = format!("transaction={}&csrf={csrf}&decision=allow", asking().id());
        assert_eq!(decide(&forged, asking()), transaction(TransactionError::Csrf));
    }
    // The back button: the form again, after it was taken.
    assert_eq!(decide(&body("allow"), at_entra()), transaction(TransactionError::Phase));
    assert_eq!(decide(&body("allow"), asking()), Ok(Decision::Allow));
}

#[test]
fn a_form_of_another_page_is_refused() {
    let read = |origin, site| {
        Answer::read(Some(FORM), body("allow").as_bytes(), origin, site, &settings()).map(drop)
    };
    for origin in ["null", "https://evil.example"] {
        let expected = ForeignForm { field: "Origin", value: origin.into() };
        assert_eq!(read(Some(origin), None), Err(ConsentError::Foreign(expected)));
    }
    let expected = ForeignForm { field: "Sec-Fetch-Site", value: "cross-site".into() };
    assert_eq!(read(None, Some("cross-site")), Err(ConsentError::Foreign(expected)));
    assert_eq!(read(None, None), Ok(()));
}

#[test]
fn a_form_is_complete() {
    let whole = body("allow");
    for missing in ["transaction=", "csrf=", "decision="] {
        let cut: Vec<&str> = whole.split('&').filter(|field| !field.starts_with(missing)).collect();
        assert_eq!(read(&cut.join("&")).map(drop), Err(ConsentError::Incomplete), "{missing}");
    }
    assert_eq!(read(&body("ALLOW")).map(drop), Err(ConsentError::Incomplete));
    assert_eq!(read(&whole.replace("6b49d200", "../x")).map(drop), Err(ConsentError::Incomplete));
    let twice = format!("{whole}&decision=deny");
    let expected = FormError::Duplicate { name: "decision".into() };
    assert_eq!(read(&twice).map(drop), Err(ConsentError::Form(expected)));
    let media_type = Answer::read(Some("text/plain"), whole.as_bytes(), None, None, &settings()).map(drop);
    assert_eq!(media_type, Err(ConsentError::Form(FormError::MediaType { found: "text/plain".into() })));
}

/// O-5: without a permission of the user whom the browser knows, a person is asked.
#[test]
fn a_permission_is_remembered_for_user_and_client() {
    let mut account = Account::default();
    let remembered =
        |request: &Request, account: Option<&Account>, now| is_remembered(request, account, &settings(), now);
    assert!(!remembered(&request(), None, NOW));
    assert!(!remembered(&request(), Some(&account), NOW));
    account.permit(&at_entra(), NOW);
    assert!(remembered(&request(), Some(&account), NOW + 1));
    let lifetime = settings().consent_lifetime;
    assert!(!remembered(&request(), Some(&account), NOW + lifetime));
    let again = Request { ask_again: true, ..request() };
    assert!(!remembered(&again, Some(&account), NOW));
    let more = Request { scopes: vec!["mcp.access".into(), "mcp.write".into()], ..request() };
    assert!(!remembered(&more, Some(&account), NOW));
    // The name of another client does not help.
    let other = Request { client_id: "other".into(), ..request() };
    assert!(!remembered(&other, Some(&account), NOW));
}

/// RFC 8252 section 8.6.
#[test]
fn a_client_that_any_program_can_claim_to_be_is_asked_about_each_time() {
    let mut request = request();
    request.redirect = client("cli").redirect(Some("http://127.0.0.1:5000/cb")).unwrap();
    request.client_id = "https://client.example/oauth.json".into();
    let mut account = Account::default();
    account.permit(&Transaction::asking(request.clone(), &[7; 16], &[8; 32], NOW), NOW);
    assert!(!is_remembered(&request, Some(&account), &settings(), NOW));
}

/// The browser knew Alice, and Bob came back.
#[test]
fn a_remembered_permission_has_to_be_of_who_comes_back() {
    let remembered = Transaction::remembered(request(), &[7; 16], &secrets(), NOW);
    let (mut alice, bob) = (Account::default(), Account::default());
    alice.permit(&at_entra(), NOW);
    assert_eq!(holds(&remembered, &alice, &settings(), NOW), Ok(true));
    assert_eq!(holds(&remembered, &bob, &settings(), NOW), Ok(false));
    // Withdrawn in the meantime.
    assert_eq!(holds(&remembered, &Account::default(), &settings(), NOW), Ok(false));
    // What was said on the page of this transaction holds for whoever was at the browser.
    assert_eq!(holds(&at_entra(), &bob, &settings(), NOW), Ok(true));
    assert_eq!(holds(&asking(), &alice, &settings(), NOW), Err(TransactionError::Phase));
}
