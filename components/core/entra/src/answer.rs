//! What the token endpoint answers (RFC 6749 sections 5.1 and 5.2, with Entra's additions).
//!
//! Microsoft asks clients to branch on `error`, `suberror` and `claims`, never on AADSTS numbers or their text, which change. The
//! numbers are kept for the log.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde::Deserialize;

use crate::limits::MAX_CLIENT_INFO_BYTES;

/// An access token and for how long it is good.
#[derive(Debug)]
pub struct Token {
    /// The token. Opaque: it is for the API that it names, not for us.
    pub access_token: SecretString,
    /// Lifetime in seconds from now. Entra varies it.
    pub expires_in: u64,
}

/// All that a token answer brings for a user who signed in: what [`Token`] has, and what a cache keeps beside it.
#[derive(Debug, Deserialize)]
pub struct Tokens {
    /// The access token. Opaque: it is for the API that it names, not for us.
    pub access_token: SecretString,
    /// Lifetime of the access token in seconds from now.
    pub expires_in: u64,
    /// Its lifetime in seconds where the authority is out of reach, if one was granted.
    pub ext_expires_in: Option<u64>,
    /// After how many seconds a new one should be asked for, while this one is still good.
    pub refresh_in: Option<u64>,
    /// The next refresh token, where `offline_access` was asked for. It replaces the one before.
    pub refresh_token: Option<SecretString>,
    /// Who signed in, where `openid` was asked for: [`crate::id_token`].
    pub id_token: Option<SecretString>,
    /// The scopes granted, separated by spaces; may be more or fewer than asked for. Absent: those asked for (RFC 6749 section 5.1).
    pub scope: Option<String>,
    /// The account at home, where `client_info=1` was asked for: [`ClientInfo::read`].
    pub client_info: Option<String>,
    /// The family of clients that may use the refresh token, for Microsoft's own applications.
    pub foci: Option<String>,
    token_type: String,
}

/// The account at home: with it MSAL names what it caches. For a guest these are not the `oid` and `tid` of the tenant that answered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ClientInfo {
    /// Object id in the home tenant.
    pub uid: String,
    /// The home tenant.
    pub utid: String,
}

impl ClientInfo {
    /// Reads `client_info`: base64url of JSON. None for anything else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let json = (text.len() <= MAX_CLIENT_INFO_BYTES).then(|| URL_SAFE_NO_PAD.decode(text).ok())??;
        serde_json::from_slice(&json).ok()
    }
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
    /// `suberror`: what a client can do about it, where the authority says so.
    pub suberror: Option<Box<str>>,
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
        if let Some(suberror) = &self.suberror {
            write!(f, " {suberror}")?;
        }
        for code in &self.codes {
            write!(f, " AADSTS{code}")?;
        }
        match &self.correlation_id {
            Some(id) => write!(f, " (correlation id {id})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InteractionRequired { detail, .. } => write!(f, "the user has to sign in ({detail})"),
            Self::GrantRefused(detail) => write!(f, "the authority refused the grant ({detail})"),
            Self::Misconfigured(detail) => write!(f, "the authority refused the application ({detail})"),
            Self::Throttled { retry_after: Some(seconds) } => {
                write!(f, "too many requests: again in {seconds} s")
            }
            Self::Throttled { retry_after: None } => write!(f, "too many requests"),
            Self::Unavailable(detail) => write!(f, "the authority failed ({detail})"),
        }
    }
}

impl std::error::Error for Failure {}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    error: String,
    suberror: Option<String>,
    claims: Option<String>,
    error_codes: Vec<u32>,
    correlation_id: Option<String>,
}

/// Values of `suberror` by which `invalid_grant` is about what was asked for: the user can do something about it, and the grant stays good for everything else
/// (Microsoft Entra, "Handling errors with suberror"; the list is MSAL's, without those that are about the token itself).
const FOR_THE_USER: [&str; 7] = [
    "consent_required",
    "interaction_required",
    "basic_action",
    "additional_action",
    "message_only",
    "ui_not_allowed",
    "interrupted_user",
];

/// Values of `suberror` by which `invalid_grant` is about the token that was presented: it is good for nothing any more, whatever is asked for.
const FOR_THE_TOKEN: [&str; 2] = ["bad_token", "token_expired"];

impl Detail {
    /// Whether a refused grant was refused for itself: revoked, expired, of an account that is gone or has another password. Where the authority does not say
    /// so, the refusal may be about the scopes that were asked for.
    #[must_use]
    pub fn is_about_the_grant(&self) -> bool {
        self.suberror.as_deref().is_some_and(|suberror| FOR_THE_TOKEN.contains(&suberror))
    }
}

/// Reads an answer. `retry_after` is the header's value, if there was one.
///
/// # Errors
/// A [`Failure`] for everything but a 200 with a bearer token.
pub fn read(status: u16, retry_after: Option<&str>, body: &[u8]) -> Result<Token, Failure> {
    let tokens = read_tokens(status, retry_after, body)?;
    Ok(Token { access_token: tokens.access_token, expires_in: tokens.expires_in })
}

/// Reads an answer with all that it brings. `retry_after` is the header's value, if there was one.
///
/// # Errors
/// As [`read`].
pub fn read_tokens(status: u16, retry_after: Option<&str>, body: &[u8]) -> Result<Tokens, Failure> {
    if status != 200 {
        return Err(failure(status, retry_after, body));
    }
    match serde_json::from_slice::<Tokens>(body) {
        // RFC 6749 section 7.1: a token of a type that we do not understand is of no use.
        Ok(tokens) if tokens.token_type.eq_ignore_ascii_case("Bearer") => Ok(tokens),
        _ => Err(Failure::Unavailable(Detail { status, ..Detail::default() })),
    }
}

/// What an error answer means.
pub(crate) fn failure(status: u16, retry_after: Option<&str>, body: &[u8]) -> Failure {
    let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let detail = body.detail(status);
    let for_the_user = body.suberror.as_deref().is_some_and(|suberror| FOR_THE_USER.contains(&suberror));
    match body.error.as_str() {
        _ if status == 429 => {
            Failure::Throttled { retry_after: retry_after.and_then(|text| text.parse().ok()) }
        }
        "temporarily_unavailable" => {
            Failure::Throttled { retry_after: retry_after.and_then(|text| text.parse().ok()) }
        }
        "interaction_required" | "login_required" | "consent_required" => {
            Failure::InteractionRequired { claims: body.claims, detail }
        }
        "invalid_grant" if for_the_user || body.claims.is_some() => {
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
    }
}

/// What an error answer said.
pub(crate) fn detail(status: u16, body: &[u8]) -> Detail {
    serde_json::from_slice::<ErrorBody>(body).unwrap_or_default().detail(status)
}

impl ErrorBody {
    fn detail(&self, status: u16) -> Detail {
        let printable = |id: &&String| id.len() <= 64 && id.bytes().all(|b| b.is_ascii_graphic());
        Detail {
            status,
            error: self.error.chars().filter(char::is_ascii_graphic).take(64).collect(),
            suberror: self.suberror.as_ref().filter(printable).map(|suberror| suberror.as_str().into()),
            codes: self.error_codes.clone(),
            correlation_id: self.correlation_id.as_ref().filter(printable).cloned(),
        }
    }
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
    fn all_that_an_answer_brings_is_read_and_none_of_it_prints() {
        let body = br#"{"token_type":"Bearer","access_token":"secret-a","expires_in":60,"ext_expires_in":90,"refresh_in":30,
            "refresh_token":"secret-r","id_token":"secret-i","scope":"User.Read openid","client_info":"e30","foci":"1"}"#;
        let tokens = read_tokens(200, None, body).unwrap();
        assert_eq!(tokens.access_token.expose_secret(), "secret-a");
        assert_eq!(tokens.refresh_token.as_ref().unwrap().expose_secret(), "secret-r");
        assert_eq!(tokens.id_token.as_ref().unwrap().expose_secret(), "secret-i");
        assert_eq!((tokens.expires_in, tokens.ext_expires_in, tokens.refresh_in), (60, Some(90), Some(30)));
        assert_eq!((tokens.scope.as_deref(), tokens.foci.as_deref()), (Some("User.Read openid"), Some("1")));
        assert!(!format!("{tokens:?}").contains("secret-"), "a token does not print");
    }

    #[test]
    fn client_info_names_the_account_at_home() {
        // {"uid":"u","utid":"t"}
        let expected = ClientInfo { uid: "u".into(), utid: "t".into() };
        assert_eq!(ClientInfo::read("eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ"), Some(expected));
        for text in ["", "e30", "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ==", &"A".repeat(MAX_CLIENT_INFO_BYTES + 1)] {
            assert_eq!(ClientInfo::read(text), None, "{text}");
        }
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
    fn what_the_user_can_mend_is_told_from_a_token_that_is_good_for_nothing() {
        let refused = |suberror: &str| {
            failure(400, &format!(r#"{{"error":"invalid_grant","suberror":"{suberror}","error_codes":[1]}}"#))
        };
        for suberror in FOR_THE_USER {
            let Failure::InteractionRequired { claims: None, detail } = refused(suberror) else {
                panic!("{suberror}")
            };
            assert_eq!(detail.suberror.as_deref(), Some(suberror));
        }
        // About the token; and two that say nothing of the kind, for which other scopes may do.
        for (suberror, about_the_grant) in
            [("bad_token", true), ("token_expired", true), ("client_mismatch", false), ("", false)]
        {
            let Failure::GrantRefused(detail) = refused(suberror) else { panic!("{suberror}") };
            assert_eq!(detail.is_about_the_grant(), about_the_grant, "{suberror}");
        }
        let Failure::GrantRefused(detail) = failure(400, r#"{"error":"invalid_grant"}"#) else { panic!() };
        assert!(!detail.is_about_the_grant());
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
