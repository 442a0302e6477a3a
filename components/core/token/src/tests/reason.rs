//! The two messages of an error: the text for the log, and what the table makes of its reason.

use serde_json::json;

use super::{Given, check, claims, header, mint, mint_text, no_permissions, with, with_text};
use crate::{Consequence, Outcome, Reason, TokenError};

/// The table again, as the answer and the audit record have it.
const TABLE: [(Reason, &str, Option<&str>); 16] = [
    (Reason::Malformed, "malformed", None),
    (Reason::Unsupported, "unsupported", None),
    (Reason::UnknownKey, "unknown_key", None),
    (Reason::KeyIssuerMismatch, "key_issuer_mismatch", None),
    (Reason::BadSignature, "bad_signature", None),
    (Reason::MissingClaim, "missing_claim", None),
    (Reason::WrongIssuer, "wrong_issuer", None),
    (Reason::ForeignTenant, "foreign_tenant", Some("the token is of another tenant")),
    (Reason::ForeignClient, "foreign_client", None),
    (Reason::WrongAudience, "wrong_audience", Some("the token is for another resource")),
    (Reason::Expired, "expired", Some("the token has expired")),
    (Reason::NotYetValid, "not_yet_valid", Some("the token is not valid yet")),
    (Reason::NotAnAccessToken, "not_an_access_token", None),
    (Reason::BoundToken, "bound_token", None),
    (Reason::SessionEnded, "session_ended", Some("the session has ended: sign in again")),
    (Reason::UnusableConfiguration, "misconfigured", None),
];

#[test]
fn each_reason_has_its_word_and_its_answer() {
    for (reason, audit, told) in TABLE {
        let outcome = match reason {
            Reason::UnusableConfiguration => Outcome::ServerError,
            _ => Outcome::InvalidToken(told.unwrap_or("the token was not accepted")),
        };
        assert_eq!(reason.consequence(), Consequence { audit, outcome });
        let expected =
            if outcome == Outcome::ServerError { (500, None) } else { (401, Some("invalid_token")) };
        assert_eq!((outcome.status(), outcome.error()), expected, "{audit}");
    }
}

/// What the log says of a token with these claims as text.
fn logged(claims: &str) -> String {
    check(&Given::token(mint_text(header().to_string(), claims))).unwrap_err().to_string()
}

#[test]
fn what_was_found_is_logged_and_bounded() {
    let with_claim = |name: &str, value| logged(&with(claims(), name, value).to_string());
    assert_eq!(with_claim("exp", json!("soon")), r#"claim `exp` is malformed: `"soon"`"#);
    assert_eq!(with_claim("tid", json!("a\nb")), r#"claim `tid` is malformed: `"a\nb"`"#);
    assert_eq!(with_claim("tid", json!("a b\u{1f600}")), r#"claim `tid` is malformed: `"a?b?"`"#);
    assert_eq!(with_claim("sub", json!({ "token": "secret" })), "claim `sub` is malformed: `{...}`");
    assert_eq!(logged("{}"), "claim `ver` is missing");
    let long = with_claim("oid", json!("x".repeat(5000)));
    assert_eq!(long, format!("claim `oid` is malformed: `\"{}`", "x".repeat(127)));
    assert_eq!(with_claim("sub", json!([{ "token": "secret" }])), "claim `sub` is malformed: `{...}`");
    assert_eq!(with_claim("nbf", json!("{")), "claim `nbf` is malformed: `\"{\"`");
    let token = mint(&with(header(), "jwk", json!({ "kty": "oct", "k": "secret" })), &claims());
    let error = check(&Given::token(token)).unwrap_err();
    assert_eq!(error.to_string(), "header parameter `jwk` is not accepted: `{...}`");
    let error = TokenError::HeaderParameter { parameter: "kid", found: None };
    assert_eq!(error.to_string(), "header parameter `kid` is missing");
    assert_eq!(
        no_permissions(2, 0, Some("app")).to_string(),
        "2 scopes, 0 roles and idtyp `app` make no access token"
    );
    assert_eq!(
        no_permissions(0, 0, None).to_string(),
        "0 scopes, 0 roles and idtyp `none` make no access token"
    );
    let deep = with_text(&claims(), &format!(r#""x":{}{}"#, "[".repeat(32), "]".repeat(32)));
    assert_eq!(logged(&deep), "nested 33 levels deep, more than 32");
}
