//! What we tell Entra that we can do: that we understand claims challenges (Microsoft identity platform, "Claims challenges and client capabilities").
//!
//! APIs then revoke at once what they would otherwise accept until its end, and Entra gives tokens that live for a day. It is said with each request for a
//! token, in the same parameter as the answer to a challenge.

use serde_json::{Map, Value, json};

/// The `claims` of a request: our capability, and what `challenge` asks for, JSON text as a challenge had it. One that is no object asks for nothing.
#[must_use]
pub fn claims(challenge: Option<&str>) -> String {
    let mut claims: Map<String, Value> =
        challenge.and_then(|challenge| serde_json::from_str(challenge).ok()).unwrap_or_default();
    let access_token = claims.entry("access_token").or_insert_with(|| json!({}));
    if !access_token.is_object() {
        *access_token = json!({});
    }
    access_token["xms_cc"] = json!({ "values": ["cp1"] });
    Value::Object(claims).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_kept_and_the_capability_added() {
        let capability = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
        assert_eq!(claims(None), capability);
        for odd in ["", "[]", "nothing", r#"{"access_token":null}"#, r#"{"access_token":"x"}"#] {
            assert_eq!(claims(Some(odd)), capability, "{odd}");
        }
        let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}},"id_token":{"x":null}}"#;
        let merged: Value = serde_json::from_str(&claims(Some(challenge))).unwrap();
        assert_eq!(
            merged,
            json!({ "access_token": { "nbf": { "essential": true, "value": "1" }, "xms_cc": { "values": ["cp1"] } }, "id_token": { "x": null } })
        );
    }
}
