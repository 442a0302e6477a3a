//! Claims challenges: the `claims` of a `WWW-Authenticate` field (Microsoft identity platform, claims challenge).
//!
//! The field's grammar (RFC 9110 section 11.6.1) lets several challenges share one field, parameters stand in any order, and commas
//! stand inside quoted strings, so it is read character by character.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Longest claims value that is passed on, in bytes of JSON.
const MAX_CLAIMS_BYTES: usize = 4096;

/// The claims request, as JSON text, of the first challenge in `fields` that has `error="insufficient_claims"`.
#[must_use]
pub fn insufficient_claims<'a>(fields: impl Iterator<Item = &'a str>) -> Option<String> {
    for field in fields {
        let parameters = parameters(field);
        let value = |wanted: &str| {
            parameters
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.as_str())
        };
        if value("error") == Some("insufficient_claims")
            && let Some(claims) = value("claims").and_then(decode)
        {
            return Some(claims);
        }
    }
    None
}

/// Base64 in either alphabet, padded or not, of a JSON object.
fn decode(text: &str) -> Option<String> {
    let text = text.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text)).ok()?;
    let json = String::from_utf8(bytes).ok()?;
    let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&json).is_ok();
    (is_object && json.len() <= MAX_CLAIMS_BYTES).then_some(json)
}

/// All `name=value` pairs of a field, whichever challenge they belong to.
fn parameters(field: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = field.chars().peekable();
    let mut name = String::new();
    while let Some(c) = rest.next() {
        match c {
            '=' => found.push((std::mem::take(&mut name), value(&mut rest))),
            ',' | ' ' | '\t' => name.clear(),
            other => name.push(other),
        }
    }
    found
}

/// A token, or a quoted string with its escapes undone (RFC 9110 section 5.6.4).
fn value(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    if rest.next_if_eq(&'"').is_some() {
        while let Some(c) = rest.next() {
            match c {
                '"' => break,
                '\\' => text.extend(rest.next()),
                other => text.push(other),
            }
        }
    } else {
        while let Some(c) = rest.next_if(|c| !matches!(c, ',' | ' ' | '\t')) {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"access_token":{}}`
    const CLAIMS: &str = "eyJhY2Nlc3NfdG9rZW4iOnt9fQ";

    fn check(fields: &[&str], expected: bool) {
        let found = insufficient_claims(fields.iter().copied());
        assert_eq!(found.as_deref(), expected.then_some(r#"{"access_token":{}}"#), "{fields:?}");
    }

    #[test]
    fn claims_are_found_in_every_spelling() {
        check(&[&format!("Bearer error=\"insufficient_claims\", claims=\"{CLAIMS}\"")], true);
        check(&[&format!("Bearer claims=\"{CLAIMS}==\",error=insufficient_claims")], true);
        check(
            &[
                "Basic realm=\"a, b\"",
                &format!("Bearer realm=\"\", error=\"insufficient_claims\", claims={CLAIMS}"),
            ],
            true,
        );
        check(
            &[&format!(
                "PoP nonce=\"x\", Bearer authorization_uri=\"https://x/?a=b\", Error=\"insufficient_claims\", CLAIMS=\"{CLAIMS}\""
            )],
            true,
        );
    }

    #[test]
    fn anything_else_is_no_challenge() {
        check(&[], false);
        check(&[&format!("Bearer error=\"invalid_token\", claims=\"{CLAIMS}\"")], false);
        check(&["Bearer error=\"insufficient_claims\""], false);
        check(&["Bearer error=\"insufficient_claims\", claims=\"!!!\""], false);
        check(&["Bearer error=\"insufficient_claims\", claims=\"W10\""], false);
        check(&["Bearer error=\"insufficient_claims\", claims=\"eyJh"], false);
    }
}
