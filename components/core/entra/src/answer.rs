//! What the token endpoint answers (RFC 6749 sections 5.1 and 5.2, with Entra's additions).
//!
//! Microsoft asks clients to branch on `error`, `suberror` and `claims`, never on AADSTS numbers or their text, which change. The
//! numbers are kept for the log.

use std::fmt;

use secrecy::SecretString;
use serde::Deserialize;

/// An access token and for how long it is good.
#[derive(Debug)]
pub struct Token {
    /// The token. Opaque: it is for the API that it names, not for us.
    pub access_token: SecretString,
    /// Lifetime in seconds from now. Entra varies it.
    pub expires_in: u64,
}

/// Why there is no token, by what has to happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The user has to sign in again, with these `claims` where the answer named them (consent, second factor, Conditional Access).
    InteractionRequired {
        /// The claims request of the answer, JSON text.
        claims: Option<String>,
        /// For the log.
        detail: Detail,
    },
    /// The grant (assertion, code, refresh token) is spent, revoked or not ours.
    GrantRefused(Detail),
    /// Our credential, registration or request is wrong: an operator has to act.
    Misconfigured(Detail),
    /// Too many requests.
    Throttled {
        /// Seconds to wait, if the answer said.
        retry_after: Option<u32>,
    },
    /// A fault on the authority's side, or an answer that is none.
    Unavailable(Detail),
}

/// What an error answer said, fit for a log: no secret is part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Detail {
    /// HTTP status.
    pub status: u16,
    /// `error`.
    pub error: String,
    /// AADSTS numbers.
    pub codes: Vec<u32>,
    /// Correlation id, to look the event up in Entra's sign-in logs.
    pub correlation_id: Option<String>,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "HTTP {} {}",
            self.status,
            if self.error.is_empty() { "without an OAuth error" } else { &self.error }
        )?;
        for code in &self.codes {
            write!(f, " AADSTS{code}")?;
        }
        match &self.correlation_id {
            Some(id) => write!(f, " (correlation id {id})"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Success {
    access_token: String,
    token_type: String,
    expires_in: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    error: String,
    suberror: Option<String>,
    claims: Option<String>,
    error_codes: Vec<u32>,
    correlation_id: Option<String>,
}

/// Reads an answer. `retry_after` is the header's value, if there was one.
///
/// # Errors
/// A [`Failure`] for everything but a 200 with a bearer token.
pub fn read(status: u16, retry_after: Option<&str>, body: &[u8]) -> Result<Token, Failure> {
    if status == 200 {
        return match serde_json::from_slice::<Success>(body) {
            Ok(success) if success.token_type.eq_ignore_ascii_case("Bearer") => {
                Ok(Token { access_token: success.access_token.into(), expires_in: success.expires_in })
            }
            _ => Err(Failure::Unavailable(Detail { status, ..Detail::default() })),
        };
    }
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let detail = Detail {
        status,
        error: body.error.chars().filter(char::is_ascii_graphic).take(64).collect(),
        codes: body.error_codes,
        correlation_id: body
            .correlation_id
            .filter(|id| id.len() <= 64 && id.bytes().all(|b| b.is_ascii_graphic())),
    };
    let consent_missing = body.suberror.as_deref() == Some("consent_required");
    Err(match body.error.as_str() {
        _ if status == 429 => {
            Failure::Throttled { retry_after: retry_after.and_then(|text| text.parse().ok()) }
        }
        "temporarily_unavailable" => {
            Failure::Throttled { retry_after: retry_after.and_then(|text| text.parse().ok()) }
        }
        "interaction_required" | "login_required" | "consent_required" => {
            Failure::InteractionRequired { claims: body.claims, detail }
        }
        "invalid_grant" if consent_missing || body.claims.is_some() => {
            Failure::InteractionRequired { claims: body.claims, detail }
        }
        "invalid_grant" => Failure::GrantRefused(detail),
        "access_denied" => Failure::InteractionRequired { claims: body.claims, detail },
        "invalid_client"
        | "unauthorized_client"
        | "invalid_request"
        | "invalid_scope"
        | "invalid_target"
        | "invalid_resource"
        | "unsupported_grant_type" => Failure::Misconfigured(detail),
        _ => Failure::Unavailable(detail),
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn failure(status: u16, body: &str) -> Failure {
        read(status, Some("7"), body.as_bytes()).expect_err("an error answer")
    }

    #[test]
    fn a_bearer_token_is_read() {
        let token =
            read(200, None, br#"{"token_type":"Bearer","access_token":"t","expires_in":4711,"scope":"x"}"#)
                .unwrap();
        assert_eq!((token.access_token.expose_secret(), token.expires_in), ("t", 4711));
        assert!(!format!("{token:?}").contains("\"t\""), "a token does not print");
    }

    #[test]
    fn a_token_of_another_type_is_no_token() {
        let body = br#"{"token_type":"pop","access_token":"t","expires_in":1}"#;
        assert!(matches!(read(200, None, body), Err(Failure::Unavailable(_))));
    }

    #[test]
    fn a_claims_challenge_is_kept() {
        let body =
            r#"{"error":"interaction_required","error_codes":[50076],"claims":"{\"access_token\":{}}"}"#;
        let Failure::InteractionRequired { claims, detail } = failure(400, body) else {
            panic!("not interaction")
        };
        assert_eq!(claims.as_deref(), Some(r#"{"access_token":{}}"#));
        assert_eq!(detail.codes, [50076]);
    }

    #[test]
    fn missing_consent_asks_for_interaction() {
        let body = r#"{"error":"invalid_grant","suberror":"consent_required","error_codes":[65001]}"#;
        assert!(matches!(failure(400, body), Failure::InteractionRequired { claims: None, .. }));
    }

    #[test]
    fn a_refused_assertion_is_told_from_a_refused_credential() {
        assert!(matches!(
            failure(400, r#"{"error":"invalid_grant","error_codes":[500131]}"#),
            Failure::GrantRefused(_)
        ));
        assert!(matches!(
            failure(401, r#"{"error":"invalid_client","error_codes":[7000215]}"#),
            Failure::Misconfigured(_)
        ));
    }

    #[test]
    fn throttling_carries_the_wait() {
        assert_eq!(failure(429, ""), Failure::Throttled { retry_after: Some(7) });
    }

    #[test]
    fn an_answer_that_is_no_oauth_answer_is_the_authoritys_fault() {
        assert!(matches!(failure(502, "<html>"), Failure::Unavailable(Detail { status: 502, .. })));
        assert!(matches!(read(200, None, b"{}"), Err(Failure::Unavailable(_))));
    }

    #[test]
    fn a_detail_reads_as_one_line() {
        let body = r#"{"error":"invalid_client","error_codes":[7000215],"correlation_id":"c-1"}"#;
        let Failure::Misconfigured(detail) = failure(401, body) else { panic!("not misconfigured") };
        assert_eq!(detail.to_string(), "HTTP 401 invalid_client AADSTS7000215 (correlation id c-1)");
    }
}
