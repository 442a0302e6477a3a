//! What is kept about a user.

use super::*;
use crate::testing::{NOW, alice, at_entra, grant, settings, settings_with};
use crate::user::{Session, User};

const DAY: u64 = 24 * 3600;

fn scopes(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(|&scope| scope.to_owned()).collect()
}

fn permitted() -> Account {
    let mut account = Account::default();
    account.permit(&at_entra(), NOW);
    account
}

#[test]
fn a_permission_is_for_a_client_its_origin_and_its_scopes() {
    let account = Account::read(Some(&permitted().to_record()));
    let permits =
        |client, origin, asked: &[&str], now| account.permits(client, origin, &scopes(asked), DAY, now);
    assert!(permits("web", "https://app.example", &["mcp.access"], NOW));
    assert!(permits("web", "https://app.example", &["mcp.access"], NOW + DAY - 1));
    assert!(!permits("web", "https://app.example", &["mcp.access"], NOW + DAY));
    assert!(!permits("web", "https://app.example", &["mcp.access", "mcp.write"], NOW));
    assert!(!permits("web", "https://evil.example", &["mcp.access"], NOW));
    assert!(!permits("other", "https://app.example", &["mcp.access"], NOW));
    assert!(
        !account.permits("web", "https://app.example", &scopes(&["mcp.access"]), 0, NOW),
        "never remembered"
    );
}

#[test]
fn a_record_that_is_none_permits_nothing() {
    for record in [None, Some(&b""[..]), Some(b"null"), Some(b"[]"), Some(b"{\"c\":1}")] {
        assert_eq!(Account::read(record), Account::default());
    }
}

#[test]
fn a_further_permission_adds_to_the_one_before() {
    let mut account = permitted();
    let mut request = crate::testing::request();
    request.scopes = scopes(&["mcp.write"]);
    let more = Transaction::asking(request, &[7; 16], &[8; 32], NOW);
    account.permit(&more, NOW + 5);
    assert_eq!(account.consents().len(), 1);
    assert_eq!(
        (account.consents()[0].scopes.clone(), account.consents()[0].given),
        (scopes(&["mcp.write", "mcp.access"]), NOW + 5)
    );
}

/// RFC 7009 section 1: the authorization grant goes with its token.
#[test]
fn a_session_that_is_given_back_takes_the_permission_of_its_client_along() {
    let mut account = permitted();
    let session =
        |id: &str| Grant { session: Session { id: id.into(), ..crate::testing::session() }, ..grant() };
    account.begin(&session("one"), "family-1", DAY, NOW);
    account.begin(&session("two"), "family-2", DAY, NOW);
    assert_eq!((account.family_of("one"), account.family_of("three")), (Some("family-1"), None));
    account.give_back("three", "other");
    assert_eq!(account.consents().len(), 1, "another client's");
    account.give_back("one", "web");
    assert!(account.consents().is_empty());
    assert_eq!((account.family_of("one"), account.family_of("two")), (None, Some("family-2")));
    account.permit(&at_entra(), NOW);
    account.give_back("one", "web");
    assert!(account.consents().is_empty(), "of a session that had ended before");
    assert_eq!(account.family_of("two"), Some("family-2"));
}

#[test]
fn permissions_and_sessions_are_bounded() {
    let mut account = Account::default();
    for at in 0..=limits::CONSENTS {
        let mut request = crate::testing::request();
        request.client_id = format!("client-{at}");
        account.permit(&Transaction::asking(request, &[7; 16], &[8; 32], NOW), NOW);
    }
    assert_eq!(account.consents().len(), limits::CONSENTS);
    assert_eq!(account.consents()[0].client_id, "client-1");
    let mut ended = Vec::new();
    for at in 0..=limits::SESSIONS {
        let session = Session { id: format!("session-{at}"), ..grant().session };
        ended.extend(account.begin(&Grant { session, ..grant() }, &format!("family-{at}"), DAY, NOW));
    }
    assert_eq!(account.sessions().len(), limits::SESSIONS);
    assert_eq!(ended.iter().map(|kept| kept.family.as_str()).collect::<Vec<_>>(), ["family-0"]);
}

#[test]
fn sessions_are_forgotten_when_they_end() {
    let mut account = Account::default();
    assert_eq!(account.begin(&grant(), "f", DAY, NOW), []);
    assert_eq!(account.sessions()[0].session, "session-1");
    account.end("other");
    assert_eq!(account.sessions().len(), 1);
    account.end("session-1");
    assert_eq!(account.sessions(), []);
    account.begin(&grant(), "f", DAY, NOW);
    let other = Session { id: "session-2".into(), ..grant().session };
    assert_eq!(account.begin(&Grant { session: other, ..grant() }, "g", DAY, NOW + DAY), []);
    assert_eq!(
        account.sessions().iter().map(|kept| kept.session.as_str()).collect::<Vec<_>>(),
        ["session-2"]
    );
}

#[test]
fn a_record_is_named_by_tenant_and_object() {
    let expected = "account/72f988bf-86f1-41af-91ab-2d7cd011db47/00000000-0000-0000-0000-00000000a11c";
    assert_eq!(record_name(&alice()), expected);
    assert_ne!(record_name(&User { tenant_id: "other".into(), ..alice() }), expected);
    assert_eq!(lifetime(&settings()), 90 * DAY);
    assert_eq!(lifetime(&settings_with(&[("oauth_consent_lifetime", "0")])), 30 * DAY);
}
