//! Transactions: what is kept, and what is not taken back.

use super::*;
use crate::cookie::Cookies;
use crate::form::Form;
use crate::testing::{NOW, Numbers, asking, at_entra, request, secret, secrets, settings};

fn plain(transaction: &Transaction) -> SecretString {
    transaction.to_plain().unwrap()
}

#[test]
fn what_was_sealed_is_read_back() {
    for transaction in [asking(), at_entra()] {
        let found = read::<ForClient>(Some(&plain(&transaction)), transaction.id(), NOW + 600).unwrap();
        assert_eq!(found, transaction);
    }
    assert_eq!(asking().id(), "6b49d200.BwcHBwcHBwcHBwcHBwcHBw");
    assert_eq!(asking().cookie_name(), "__Host-valet-tx-6b49d200.BwcHBwcHBwcHBwcHBwcHBw");
    assert_eq!(asking().redirect().as_str(), "https://app.example/cb");
}

#[test]
fn secrets_do_not_print() {
    let text = format!("{:?} {:?}", at_entra(), request());
    assert!(!text.contains("s-1"), "{text}");
    for random in [[1; 32], [2; 32], [3; 32], [8; 32]] {
        assert!(!text.contains(secret::text(&random).expose_secret()), "{text}");
    }
}

/// O-9: missing, altered, of another transaction, too old.
#[test]
fn what_is_not_this_transaction_is_refused() {
    let (transaction, id) = (at_entra(), at_entra().id().to_owned());
    let sealed = plain(&transaction);
    let read = |plain: Option<&SecretString>, id: &str, now| read::<ForClient>(plain, id, now).map(drop);
    assert_eq!(read(None, &id, NOW), Err(TransactionError::Foreign));
    assert_eq!(read(Some(&secret("{}")), &id, NOW), Err(TransactionError::Foreign));
    assert_eq!(read(Some(&sealed), "6b49d200.other", NOW), Err(TransactionError::Foreign));
    let evil = secret(&sealed.expose_secret().replace("https://app.example/cb", "javascript:alert(1)"));
    assert_eq!(read(Some(&evil), &id, NOW), Err(TransactionError::Foreign));
    let expected = Err(TransactionError::Expired { begun: NOW, now: NOW + 601 });
    assert_eq!(read(Some(&sealed), &id, NOW + 601), expected);
    assert_eq!(read(Some(&sealed), &id, NOW - 600), Ok(()));
    assert_eq!(
        read(Some(&sealed), &id, NOW - 601),
        Err(TransactionError::Expired { begun: NOW, now: NOW - 601 })
    );
    assert_eq!(read(Some(&sealed), &id, NOW), Ok(()));
}

/// O-8: a browser without the cookie is another browser.
#[test]
fn a_cookie_is_opened_under_its_own_name() {
    let transaction = at_entra();
    let (name, sealed) = (transaction.cookie_name(), plain(&transaction));
    let open = |header: &str, opens: bool| {
        Any::open(&Cookies::parse([header]), transaction.id(), NOW, |value, bound_to| {
            assert_eq!((value, bound_to), ("sealed", name.as_str()));
            opens.then(|| sealed.clone())
        })
        .map(drop)
    };
    assert_eq!(open(&format!("a=b; {name}=sealed"), true), Ok(()));
    assert_eq!(open(&format!("a=b; {name}=sealed"), false), Err(TransactionError::Foreign));
    assert_eq!(open("a=b", true), Err(TransactionError::NoCookie));
    assert_eq!(open(&format!("{name}2=sealed"), true), Err(TransactionError::NoCookie));
}

#[test]
fn a_step_is_not_taken_before_the_one_before_it() {
    assert_eq!(asking().entra_request().map(drop), Err(TransactionError::Phase));
    assert_eq!(asking().basis(), Err(TransactionError::Phase));
    assert_eq!(at_entra().csrf(), Err(TransactionError::Phase));
    assert_eq!(at_entra().basis(), Ok(Basis::Given));
    let remembered = Transaction::remembered(request(), &[7; 16], &secrets(), NOW);
    assert_eq!(remembered.basis(), Ok(Basis::Remembered));
    // Asking again leaves nothing that Entra's first answer would fit.
    let again = remembered.asking_again(&[9; 32]);
    assert_eq!(again.basis(), Err(TransactionError::Phase));
    assert_eq!((again.id(), again.lifetime(NOW + 100)), (asking().id(), 3500));
}

/// P2: the client's `state` is not Entra's, and each secret is its own.
#[test]
fn what_goes_to_entra_is_our_own() {
    let request = at_entra().entra_request().unwrap();
    let state = request.state.expose_secret();
    assert_eq!(state, format!("{}.{}", at_entra().id(), secret::text(&[1; 32]).expose_secret()));
    assert!(!state.contains("s-1"));
    assert_eq!(request.nonce.expose_secret(), secret::text(&[2; 32]).expose_secret());
    // P3: long enough for RFC 7636.
    assert_eq!(request.verifier.expose_secret().len(), 43);
}

/// O-27: every answer to a client names us.
#[test]
fn answers_to_the_client_have_its_state_and_our_issuer() {
    let settings = settings();
    let parameters = |location: &str| {
        let (uri, query) = location.split_once('?').unwrap();
        assert_eq!(uri, "https://app.example/cb");
        let form = Form::parse(query.as_bytes()).unwrap();
        ["code", "error", "state", "iss"].map(|name| form.get(name).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    let iss = some("https://valet.example");
    let success = at_entra().success(&secret("c"), &settings);
    assert_eq!(parameters(&success), [some("c"), None, some("s-1"), iss.clone()]);
    let failure = at_entra().failure(Code::AccessDenied, "x", &settings);
    assert_eq!(parameters(&failure), [None, some("access_denied"), some("s-1"), iss]);
}

#[test]
fn the_largest_transaction_still_fits_when_it_is_at_entra() {
    let mut numbers = Numbers(3);
    let (mut fitted, mut refused) = (0, 0);
    for _ in 0..500 {
        let mut request = request();
        // Characters that JSON has to escape take twice the room.
        let length = 800 + numbers.below(limits::STATE - 799);
        request.state = Some((0..length).map(|_| ['x', '"', '\\'][numbers.below(3)]).collect());
        request.client_id = "c".repeat(numbers.below(limits::CLIENT_ID + 1));
        request.scopes =
            (0..numbers.below(limits::SCOPES)).map(|at| format!("a-scope-with-a-long-name-{at}")).collect();
        let asking = Transaction::asking(request, &[7; 16], &[8; 32], NOW);
        match asking.to_plain() {
            Ok(_) => {
                fitted += 1;
                let at_entra = asking.permitted(&secrets());
                assert!(plain(&at_entra).expose_secret().len() <= limits::TRANSACTION - 52);
                let digest = secret::digest("claims");
                let sealed = plain(&at_entra.with_more_claims(digest.clone(), &secrets()));
                assert!(
                    sealed.expose_secret().len() <= limits::TRANSACTION
                        && sealed.expose_secret().contains(&digest)
                );
            }
            Err(size) => {
                refused += 1;
                assert!(size > limits::TRANSACTION - 220, "{size}");
            }
        }
    }
    assert!(fitted > 50 && refused > 50, "{fitted} {refused}");
}

/// O-12: tabs have cookies of their own, and not without end.
#[test]
fn a_browser_keeps_the_newest_transactions() {
    let name = |time: u64| format!("__Host-valet-tx-{time:x}.AAAA");
    let header =
        |times: &[u64]| times.iter().map(|time| format!("{}=v", name(*time))).collect::<Vec<_>>().join("; ");
    let superfluous = |times: &[u64]| superfluous(&Cookies::parse([header(times).as_str()]));
    assert_eq!(superfluous(&[]), Vec::<String>::new());
    assert_eq!(superfluous(&[NOW, NOW + 1]), Vec::<String>::new());
    assert_eq!(superfluous(&[NOW + 2, NOW, NOW + 1]), [name(NOW)]);
    assert_eq!(superfluous(&[NOW + 3, NOW + 2, NOW, NOW + 1]), [name(NOW), name(NOW + 1)]);
}

#[test]
fn ids_are_plain_text() {
    assert!(is_id(asking().id()));
    for text in ["a b", "a;b", "a/b", "\u{e9}", "a=b", &"x".repeat(49)] {
        assert!(!is_id(text), "{text}");
    }
}
