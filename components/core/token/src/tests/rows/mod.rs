//! The list of attacks and mistakes, row by row: each a token that is perfect but for one thing, and the exact error that it meets.
//!
//! `docs/token-validation.md` has the same rows for readers, and the two are held against each other. The rules themselves have tests of their
//! own beside this one, with more cases each.

mod forms;
mod payload;

use serde_json::{Value, json};

use super::{
    AUDIENCE, AUDIENCE_URI, Given, ISSUERLESS_KEY_ID, accepted, app_claims, claims, header, mint,
    missing as absent, perfect_caller, refused, v1_claims, with, without,
};
use crate::{Caller, Kind, TokenError};

/// One row: its name in the documentation, what is wrong, the input and the answer.
struct Row {
    id: &'static str,
    what: String,
    given: Given<'static>,
    error: TokenError,
}

fn row(id: &'static str, what: impl Into<String>, token: impl Into<String>, error: TokenError) -> Row {
    Row { id, what: what.into(), given: Given::token(token), error }
}

/// The perfect token with other claims.
fn claimed(id: &'static str, what: impl Into<String>, claims: &Value, error: TokenError) -> Row {
    row(id, what, mint(&header(), claims), error)
}

/// The perfect token with one claim changed.
fn changed(id: &'static str, claim: &str, value: Value, error: TokenError) -> Row {
    let what = format!("{claim} = {value}");
    claimed(id, what, &with(claims(), claim, value), error)
}

/// The perfect token with one claim that may not be what it is.
fn ill(id: &'static str, claim: &'static str, value: Value) -> Row {
    let error = super::malformed(claim, &value);
    changed(id, claim, value, error)
}

/// The perfect token without a claim.
fn missing(id: &'static str, claim: &'static str) -> Row {
    claimed(id, format!("{claim} missing"), &without(claims(), claim), absent(claim))
}

fn audience(found: &str) -> TokenError {
    TokenError::Audience { found: found.into(), expected: vec![AUDIENCE.into(), AUDIENCE_URI.into()] }
}

fn malformed(what: &'static str) -> TokenError {
    TokenError::Malformed { what }
}

fn twice(member: &str) -> TokenError {
    TokenError::DuplicateMember { member: member.into() }
}

#[test]
fn every_row_meets_its_error() {
    for Row { id, what, given, error } in forms::rows().into_iter().chain(payload::rows()) {
        refused(&format!("{id} {what}"), &given, error);
    }
}

/// Rows whose point is that the token is good, and is taken for no more than it is.
#[test]
fn what_is_accepted_is_taken_for_what_it_is() {
    // J-45: whoever may choose a mail address or a name has not chosen whom they are.
    let posing = with(
        with(claims(), "preferred_username", json!("admin@contoso.com")),
        "email",
        json!("admin@contoso.com"),
    );
    let posing = with(with(posing, "upn", json!("admin@contoso.com")), "unique_name", json!("admin"));
    assert_eq!(accepted("J-45", &Given::token(mint(&header(), &posing))), perfect_caller());
    // J-31, J-32 and N-authorisation: the caller says which scopes, whole, and what kind; the policy says whether that is enough.
    let prefix = with(claims(), "scp", json!("access_as_user.more ACCESS_AS_USER"));
    let caller = accepted("J-31", &Given::token(mint(&header(), &prefix)));
    assert_eq!(caller.scopes, ["access_as_user.more", "ACCESS_AS_USER"]);
    let app = accepted("J-32", &Given::token(mint(&header(), &app_claims())));
    assert_eq!((app.kind, app.scopes), (Kind::Application, vec![]));
    // A-version: each version by its own issuer and client claim; which one an API gets is its registration's choice.
    assert_eq!(accepted("A-version", &Given::token(mint(&header(), &v1_claims()))), perfect_caller());
    // A-lifetime: how long a token lives is for who signs it.
    let late = with(claims(), "exp", json!(super::NOW + 100 * 365 * 86_400));
    let caller = accepted("A-lifetime", &Given::token(mint(&header(), &late)));
    assert_eq!(caller, Caller { expires_at: super::NOW + 100 * 365 * 86_400, ..perfect_caller() });
    // N-signing-key and N-algorithm: a key that names no issuer signs for its set's, and `typ` may be absent.
    let unnamed = with(header(), "kid", json!(ISSUERLESS_KEY_ID));
    assert_eq!(accepted("N-signing-key", &Given::token(mint(&unnamed, &claims()))), perfect_caller());
    assert_eq!(
        accepted("N-algorithm", &Given::token(mint(&without(header(), "typ"), &claims()))),
        perfect_caller()
    );
    // N-groups: an overage says nothing here, and its link is not followed.
    let overage = with(claims(), "_claim_names", json!({ "groups": "src1" }));
    let overage = with(overage, "_claim_sources", json!({ "src1": { "endpoint": "https://evil.example" } }));
    assert_eq!(accepted("N-groups", &Given::token(mint(&header(), &overage))), perfect_caller());
    // N-lifetime: within the leeway on either side; as v1 and as v2.
    for claims in [claims(), v1_claims()] {
        let late = with(with(claims.clone(), "exp", json!(super::NOW - 59)), "nbf", json!(super::NOW - 600));
        let caller = accepted("N-lifetime", &Given::token(mint(&header(), &late)));
        assert_eq!(caller, Caller { expires_at: super::NOW - 59, ..perfect_caller() });
        let early = with(claims, "nbf", json!(super::NOW + 60));
        accepted("N-lifetime", &Given::token(mint(&header(), &early)));
    }
}

/// Rows that are proved elsewhere, because they are no matter of the token alone.
const ELSEWHERE: [&str; 18] = [
    "J-1",
    "J-2",
    "J-3",
    "J-21",
    "J-31",
    "J-32",
    "J-38",
    "J-43",
    "J-44",
    "J-45",
    "N-groups",
    "N-keys",
    "N-replay",
    "N-policy",
    "N-sign-in",
    "A-lifetime",
    "A-transport",
    "A-version",
];

#[test]
fn the_documentation_lists_each_row_and_no_other() {
    let documentation = include_str!("../../../../../../docs/token-validation.md");
    let listed: Vec<&str> = documentation
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .filter(|id| ["J-", "N-", "A-"].iter().any(|kind| id.starts_with(kind)))
        .collect();
    let mut rows: Vec<&str> = forms::rows().iter().chain(&payload::rows()).map(|row| row.id).collect();
    rows.extend(ELSEWHERE);
    rows.sort_unstable();
    rows.dedup();
    let mut sorted = listed.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, rows);
}
