//! The device authorization grant (RFC 8628), as Entra does it: the request for codes, the polls, and what both answer.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::answer::{self, Detail, Failure, Tokens};
use crate::credential::{Client, finish};

/// The `grant_type` of a poll.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Seconds between polls where the answer names none (RFC 8628 section 3.2), and what `slow_down` adds (section 3.5).
pub const INTERVAL: u64 = 5;

/// A request for codes.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub client: Client<'a>,
    /// Scopes of one API, and the OpenID words.
    pub scopes: &'a [&'a str],
    /// A claims request, JSON text.
    pub claims: Option<&'a str>,
}

impl Request<'_> {
    /// The body for [`Client::device_code_url`]. It has no credential: that endpoint takes none from a public client.
    #[must_use]
    pub fn body(&self) -> SecretString {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", self.client.client_id).append_pair("scope", &self.scopes.join(" "));
        finish(form, self.claims)
    }
}

/// A poll for the tokens of a device code.
#[derive(Debug, Clone, Copy)]
pub struct Poll<'a> {
    /// Who asks.
    pub client: Client<'a>,
    /// The device code.
    pub device_code: &'a SecretString,
    /// A claims request, JSON text.
    pub claims: Option<&'a str>,
}

impl Poll<'_> {
    /// The body for [`Client::token_url`].
    #[must_use]
    pub fn body(&self) -> SecretString {
        let mut form = self.client.form(GRANT);
        form.append_pair("device_code", self.device_code.expose_secret()).append_pair("client_info", "1");
        finish(form, self.claims)
    }
}

/// What a person is shown, and what is polled with.
#[derive(Debug, Deserialize)]
pub struct Codes {
    /// What polls carry. Whoever has it gets the tokens.
    pub device_code: SecretString,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub verification_uri: String,
    /// Life of the codes, seconds.
    pub expires_in: u64,
    /// Seconds between polls.
    #[serde(default = "interval")]
    pub interval: u64,
}

fn interval() -> u64 {
    INTERVAL
}

/// What a poll found.
#[derive(Debug)]
pub enum Polled {
    /// The person signed in.
    Granted(Box<Tokens>),
    /// Not yet: ask again after the interval.
    Pending,
    /// Not yet, and every later interval is [`INTERVAL`] seconds longer (RFC 8628 section 3.5).
    SlowDown,
}

/// Why polling ends without tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollFailure {
    /// The person declined.
    Declined(Detail),
    /// Nobody decided in time.
    Expired(Detail),
    /// The authority does not know the device code: it was used, or is not ours.
    BadCode(Detail),
    /// As for any other grant.
    Other(Failure),
}

impl fmt::Display for PollFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declined(detail) => write!(f, "the sign-in was declined ({detail})"),
            Self::Expired(detail) => write!(f, "nobody entered the code in time ({detail})"),
            Self::BadCode(detail) => write!(f, "the device code is not valid ({detail})"),
            Self::Other(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for PollFailure {}

/// Reads the answer to a request for codes. `retry_after` is the header's value, if there was one.
///
/// # Errors
/// A [`Failure`] for everything but a 200 with codes.
pub fn read_codes(status: u16, retry_after: Option<&str>, body: &[u8]) -> Result<Codes, Failure> {
    if status != 200 {
        return Err(answer::failure(status, retry_after, body));
    }
    serde_json::from_slice(body).map_err(|_| Failure::Unavailable(Detail { status, ..Detail::default() }))
}

/// Reads the answer to a poll.
///
/// # Errors
/// A [`PollFailure`] where asking again is of no use.
pub fn read_poll(status: u16, retry_after: Option<&str>, body: &[u8]) -> Result<Polled, PollFailure> {
    if status == 200 {
        let tokens = answer::read_tokens(status, retry_after, body).map_err(PollFailure::Other)?;
        return Ok(Polled::Granted(Box::new(tokens)));
    }
    let detail = answer::detail(status, body);
    match detail.error.as_str() {
        "authorization_pending" => Ok(Polled::Pending),
        "slow_down" => Ok(Polled::SlowDown),
        // RFC 8628 section 3.5 says access_denied, Entra authorization_declined.
        "authorization_declined" | "access_denied" => Err(PollFailure::Declined(detail)),
        // `expired_token` in the RFC and in Entra's list; `code_expired` in older answers.
        "expired_token" | "code_expired" => Err(PollFailure::Expired(detail)),
        "bad_verification_code" => Err(PollFailure::BadCode(detail)),
        _ => Err(PollFailure::Other(answer::failure(status, retry_after, body))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::ClientCredential;
    use crate::credential::tests::client;

    #[test]
    fn bodies_carry_every_parameter() {
        let client = client(ClientCredential::Public);
        let request = Request { client, scopes: &["User.Read", "openid"], claims: Some("{}") };
        assert_eq!(request.body().expose_secret(), "client_id=c&scope=User.Read+openid&claims=%7B%7D");
        let device_code = SecretString::from("de");
        let poll = Poll { client, device_code: &device_code, claims: None };
        assert_eq!(
            poll.body().expose_secret(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=c&device_code=de&client_info=1"
        );
    }

    #[test]
    fn codes_are_read_and_the_device_code_does_not_print() {
        let body = br#"{"device_code":"hidden","user_code":"ABC","verification_uri":"https://x.example","expires_in":900}"#;
        let codes = read_codes(200, None, body).unwrap();
        assert_eq!((codes.device_code.expose_secret(), codes.user_code.as_str()), ("hidden", "ABC"));
        assert_eq!((codes.expires_in, codes.interval), (900, INTERVAL));
        assert!(!format!("{codes:?}").contains("hidden"));
    }

    #[test]
    fn an_answer_without_codes_is_the_authoritys_fault() {
        assert!(matches!(read_codes(200, None, b"{}"), Err(Failure::Unavailable(_))));
        let body = br#"{"error":"invalid_client","error_codes":[7000218]}"#;
        assert!(matches!(read_codes(401, None, body), Err(Failure::Misconfigured(_))));
    }

    fn poll(error: &str) -> Result<Polled, PollFailure> {
        read_poll(400, Some("7"), format!(r#"{{"error":"{error}"}}"#).as_bytes())
    }

    #[test]
    fn each_answer_to_a_poll_is_told_apart() {
        assert!(matches!(poll("authorization_pending"), Ok(Polled::Pending)));
        assert!(matches!(poll("slow_down"), Ok(Polled::SlowDown)));
        assert!(matches!(poll("authorization_declined"), Err(PollFailure::Declined(_))));
        assert!(matches!(poll("access_denied"), Err(PollFailure::Declined(_))));
        assert!(matches!(poll("expired_token"), Err(PollFailure::Expired(_))));
        assert!(matches!(poll("code_expired"), Err(PollFailure::Expired(_))));
        assert!(matches!(poll("bad_verification_code"), Err(PollFailure::BadCode(_))));
        assert!(matches!(poll("invalid_client"), Err(PollFailure::Other(Failure::Misconfigured(_)))));
        assert!(matches!(
            read_poll(429, Some("7"), b""),
            Err(PollFailure::Other(Failure::Throttled { retry_after: Some(7) }))
        ));
    }

    #[test]
    fn a_granted_poll_brings_tokens() {
        let body = br#"{"token_type":"Bearer","access_token":"t","expires_in":1}"#;
        let Ok(Polled::Granted(tokens)) = read_poll(200, None, body) else { panic!("not granted") };
        assert_eq!(tokens.access_token.expose_secret(), "t");
    }
}
