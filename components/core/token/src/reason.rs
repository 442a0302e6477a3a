//! What becomes of a refused token: one table, from the rule that was not met to the audit record and the answer.

/// One stable word for each rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the variants are the cases of `valet:identity/refusals.reason`, documented there"
)]
pub enum Reason {
    Malformed,
    Unsupported,
    UnknownKey,
    KeyIssuerMismatch,
    BadSignature,
    MissingClaim,
    WrongIssuer,
    ForeignTenant,
    ForeignClient,
    WrongAudience,
    Expired,
    NotYetValid,
    NotAnAccessToken,
    BoundToken,
    /// Given by who keeps the sessions of an authorization server of ours; nothing in a token says it.
    SessionEnded,
    UnusableConfiguration,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// The audit record's reason, a stable word.
    pub audit: &'static str,
    /// What the caller gets.
    pub outcome: Outcome,
}

/// What the caller of a refused token gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// 401 with the challenge `invalid_token` (RFC 6750 section 3.1) and this `error_description`: what they can do something about, and no
    /// value that was compared.
    InvalidToken(&'static str),
    /// 500 without a challenge: the fault is the configuration's, and no other token would help.
    ServerError,
}

impl Outcome {
    /// The status of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidToken(_) => 401,
            Self::ServerError => 500,
        }
    }

    /// `error` of the challenge (RFC 6750 section 3.1), where there is one.
    #[must_use]
    pub const fn error(self) -> Option<&'static str> {
        match self {
            Self::InvalidToken(_) => Some("invalid_token"),
            Self::ServerError => None,
        }
    }
}

impl Reason {
    /// The table.
    #[must_use]
    pub const fn consequence(self) -> Consequence {
        const POOR: &str = "the token was not accepted";
        let (audit, told) = match self {
            Self::Malformed => ("malformed", POOR),
            Self::Unsupported => ("unsupported", POOR),
            Self::UnknownKey => ("unknown_key", POOR),
            Self::KeyIssuerMismatch => ("key_issuer_mismatch", POOR),
            Self::BadSignature => ("bad_signature", POOR),
            Self::MissingClaim => ("missing_claim", POOR),
            Self::WrongIssuer => ("wrong_issuer", POOR),
            Self::ForeignTenant => ("foreign_tenant", "the token is of another tenant"),
            Self::ForeignClient => ("foreign_client", POOR),
            Self::WrongAudience => ("wrong_audience", "the token is for another resource"),
            Self::Expired => ("expired", "the token has expired"),
            Self::NotYetValid => ("not_yet_valid", "the token is not valid yet"),
            Self::NotAnAccessToken => ("not_an_access_token", POOR),
            Self::BoundToken => ("bound_token", POOR),
            Self::SessionEnded => ("session_ended", "the session has ended: sign in again"),
            Self::UnusableConfiguration => {
                return Consequence { audit: "misconfigured", outcome: Outcome::ServerError };
            }
        };
        Consequence { audit, outcome: Outcome::InvalidToken(told) }
    }
}
