//! What is read before anything is verified, and that it decides nothing.

use serde_json::{Value, json};

use super::{Given, PERFECT, RULES, SECOND_TENANT, TENANT, base64url, claims, header, mint, refused, with};
use crate::{Hint, MAX_TOKEN_BYTES, Rules, TokenError, hint};

#[test]
fn a_hint_is_what_the_token_says() {
    let issuer = format!("{}/{TENANT}/v2.0", RULES.authority);
    assert_eq!(hint(&PERFECT), Hint { issuer: Some(issuer), tenant: Some(TENANT.into()) });
    let odd = with(with(claims(), "iss", json!(["x"])), "tid", Value::Null);
    assert_eq!(hint(&mint(&header(), &odd)), Hint::default());
    // Nothing is verified: a forgery has a hint too.
    let forged = format!("AAAA.{}.AAAA", base64url(r#"{"tid":"t"}"#));
    assert_eq!(hint(&forged), Hint { issuer: None, tenant: Some("t".into()) });
}

#[test]
fn what_is_no_token_has_no_hint() {
    let long =
        format!("a.{}.a", base64url(format!(r#"{{"tid":"t","x":"{}"}}"#, "x".repeat(MAX_TOKEN_BYTES))));
    let twice = format!("a.{}.a", base64url(r#"{"tid":"t","TID":"u"}"#));
    let list = format!("a.{}.a", base64url(r#"[{"tid":"t"}]"#));
    for token in ["", "a", "a.b", "..", "a.b.c.d", &long, &twice, &list] {
        assert_eq!(hint(token), Hint::default(), "{token:.40}");
    }
}

/// Whoever chooses keys and rules by a hint is safe from a token that says two things.
#[test]
fn a_token_of_one_tenant_does_not_pass_the_rules_of_another() {
    let of_second = with(claims(), "tid", json!(SECOND_TENANT));
    let of_second = with(of_second, "iss", json!(format!("{}/{SECOND_TENANT}/v2.0", RULES.authority)));
    let rules = Rules { tenants: &[TENANT], ..RULES };
    let given = Given { rules, ..Given::token(mint(&header(), &of_second)) };
    refused("second", &given, TokenError::Tenant { found: SECOND_TENANT.into() });
}
