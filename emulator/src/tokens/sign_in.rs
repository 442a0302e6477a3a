//! How the user of a token signed in: the claim `amr`, and what `aio` remembers.
//!
//! `aio` is "used by Microsoft Entra ID to record data for token reuse": a v2 token has no `amr`, yet when it
//! comes back as the assertion of on-behalf-of, the policies must know whether there was a second factor.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::clock::Instant;
use crate::state::{SignIn, random};

/// Characters of `aio` that hold the record: nine bytes in base64.
const RECORD: usize = 12;

/// `amr`, the methods of a sign-in.
pub(super) fn methods(sign_in: SignIn) -> Value {
    if sign_in.mfa { json!(["pwd", "mfa"]) } else { json!(["pwd"]) }
}

/// `aio`: opaque to everybody else.
pub(super) fn remember(sign_in: Option<SignIn>) -> String {
    let Some(SignIn { at, mfa }) = sign_in else { return random(36) };
    let mut record = [0; 9];
    record[0] = u8::from(mfa);
    record[1..].copy_from_slice(&at.0.to_be_bytes());
    format!("{}{}", URL_SAFE_NO_PAD.encode(record), random(27))
}

/// How the user of a token that comes back signed in. A forged token without the record counts as a sign-in
/// at its `iat`; `amr` can say of a second factor too.
pub(crate) fn sign_in_of(claims: &Map<String, Value>) -> SignIn {
    let amr = claims.get("amr").and_then(Value::as_array);
    let by_amr = amr.is_some_and(|methods| methods.iter().any(|m| m == "mfa"));
    let issued = claims.get("iat").and_then(Value::as_i64).unwrap_or(0);
    let record = claims.get("aio").and_then(Value::as_str).and_then(recall);
    match record.filter(|s| (0..=issued).contains(&s.at.0)) {
        Some(SignIn { at, mfa }) => SignIn { at, mfa: mfa || by_amr },
        None => SignIn { at: Instant(issued), mfa: by_amr },
    }
}

fn recall(aio: &str) -> Option<SignIn> {
    let record: [u8; 9] = URL_SAFE_NO_PAD.decode(aio.get(..RECORD)?).ok()?.try_into().ok()?;
    let at = i64::from_be_bytes(record[1..].try_into().ok()?);
    Some(SignIn { at: Instant(at), mfa: record[0] == 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_token_remembers_how_its_user_signed_in() {
        for mfa in [false, true] {
            let sign_in = SignIn { at: Instant(1_795_438_800), mfa };
            let token = claims(json!({ "aio": remember(Some(sign_in)), "iat": 1_795_440_000 }));
            assert_eq!(sign_in_of(&token), sign_in);
            assert_eq!(methods(sign_in), if mfa { json!(["pwd", "mfa"]) } else { json!(["pwd"]) });
        }
    }

    #[test]
    fn without_a_record_iat_and_amr_count() {
        for aio in ["", "short", "not base64!!", "ÄÄÄÄÄÄÄÄÄÄÄÄ"] {
            let token = claims(json!({ "aio": aio, "iat": 7, "amr": ["pwd", "mfa"] }));
            assert_eq!(sign_in_of(&token), SignIn { at: Instant(7), mfa: true });
        }
        assert_eq!(sign_in_of(&Map::new()), SignIn { at: Instant(0), mfa: false });
    }
}
