//! Client assertions (RFC 7523 section 2.2): the table of their refusals, and which of the two kinds one is.
//!
//! A client that speaks for itself names itself as issuer and signs with its certificate: `certificate.rs`. Everything
//! else comes from another issuer that the app registration trusts: `federation.rs`.

use serde_json::Value;
use uuid::Uuid;

use super::Call;
use super::{certificate, federation};
use crate::clock::Instant;
use crate::jwt::Parts;

/// The only `client_assertion_type` there is.
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clock of a client may go ahead, seconds: Microsoft's own validators default to it. Nothing is added to
/// `exp`: Entra's messages show it refusing within the second.
const AHEAD: i64 = 300;

/// Why an assertion does not prove its client. Sources of the numbers: Entra documentation, "Microsoft Entra
/// authentication and authorization error codes"; Azure SDK, "Troubleshoot service principal authentication"; for
/// federation the messages quoted in Azure/login 482, 515 and Azure/azure-workload-identity 1200.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionError {
    #[error("The client assertion is not a valid JWT: {0}")]
    Malformed(&'static str),
    #[error("The header of the client assertion says the type is '{0}', which must be JWT")]
    Type(String),
    #[error("The client assertion is signed with '{0}', which is not supported here")]
    Algorithm(String),
    #[error("Subject and issuer of the client assertion differ")]
    SubjectIssuer,
    #[error("The client assertion is of the application '{issuer}', the request of '{client}'")]
    Client { issuer: String, client: Uuid },
    #[error("The audience '{0}' of the client assertion is not this endpoint")]
    Audience(String),
    #[error("The client assertion is not within its time: it is {now}, and the assertion ends at {until}")]
    Lifetime { now: i64, until: i64 },
    #[error("The client assertion failed the check of its signature [{reason}; key '{key}']")]
    Signature { reason: &'static str, key: String },
    #[error(
        "No federated credential matches the assertion of issuer '{issuer}', subject '{subject}', audience '{audience}'"
    )]
    NoFederation { issuer: String, subject: String, audience: String },
    #[error("No federated credential has the issuer '{0}' of the assertion")]
    FederatedIssuer(String),
    #[error("No federated credential of that issuer has the audience '{0}' of the assertion")]
    FederatedAudience(String),
    #[error("No federated credential of that issuer has the subject '{0}' of the assertion")]
    FederatedSubject(String),
    #[error(
        "The subject '{0}' of the assertion differs from a federated credential in upper and lower case only"
    )]
    FederatedSubjectCase(String),
    #[error("A token that represents a user cannot be a federated credential")]
    UserToken,
}

impl AssertionError {
    /// AADSTS number and OAuth `error`.
    pub(crate) fn code(&self) -> (u32, &'static str) {
        match self {
            Self::Malformed(_) => (50027, "invalid_request"),
            Self::Type(_) => (5_002_727, "invalid_request"),
            Self::Algorithm(_) => (5_002_738, "invalid_request"),
            Self::SubjectIssuer => (50048, "invalid_client"),
            Self::Client { .. } => (700_021, "invalid_client"),
            Self::Audience(_) => (700_023, "invalid_client"),
            Self::Lifetime { .. } => (700_024, "invalid_client"),
            Self::Signature { .. } => (700_027, "invalid_client"),
            Self::NoFederation { .. } => (70021, "invalid_request"),
            Self::FederatedIssuer(_) => (700_211, "invalid_client"),
            Self::FederatedAudience(_) => (700_212, "invalid_client"),
            Self::FederatedSubject(_) => (700_213, "invalid_client"),
            Self::FederatedSubjectCase(_) => (7_002_138, "invalid_client"),
            Self::UserToken => (700_229, "invalid_client"),
        }
    }
}

/// Whether `assertion` proves the client of the request.
pub(super) fn check(call: &Call<'_>, assertion: &str) -> Result<(), AssertionError> {
    let parts =
        Parts::split(assertion).map_err(|_| AssertionError::Malformed("its three parts cannot be read"))?;
    let issuer = parts.claim("iss").ok_or(AssertionError::Malformed("it has no iss"))?;
    let subject = parts.claim("sub").ok_or(AssertionError::Malformed("it has no sub"))?;
    // Client ids are GUIDs, issuers are URLs.
    match Uuid::parse_str(issuer).is_ok() {
        true => certificate::check(call, &parts, issuer, subject),
        false => federation::check(call, &parts, issuer, subject),
    }
}

/// `exp` and, where present, `nbf`. MSAL for Python writes fractions.
pub(super) fn lifetime(parts: &Parts<'_>, now: Instant) -> Result<(), AssertionError> {
    let seconds = |name: &str| match parts.claims.get(name) {
        None => Ok(None),
        Some(value) => {
            value.as_f64().map(Some).ok_or(AssertionError::Malformed("one of its times is no number"))
        }
    };
    let until = seconds("exp")?.ok_or(AssertionError::Malformed("it has no exp"))?;
    let from = seconds("nbf")?.unwrap_or(0.0);
    // Seconds since 1970 are far below the 53 bits that f64 holds exactly; what is not saturates.
    let (until, from) = (until as i64, from as i64);
    match until <= now.0 || from > now.plus(AHEAD).0 {
        true => Err(AssertionError::Lifetime { now: now.0, until }),
        false => Ok(()),
    }
}

/// The `aud` of an assertion, one text. Entra answers a list with AADSTS50027 (panva/openid-client 348).
pub(super) fn audience<'a>(parts: &'a Parts<'_>) -> Result<&'a str, AssertionError> {
    match parts.claims.get("aud") {
        Some(Value::String(audience)) => Ok(audience),
        _ => Err(AssertionError::Malformed("its aud is not one text")),
    }
}
