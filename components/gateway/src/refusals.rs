//! What becomes of a refused token: one table, from the rule that was not met to the audit record and the answer.

use crate::bindings::valet::identity::refusals::Reason;

/// One line of the table.
pub(crate) struct Consequence {
    /// The audit record's reason, a stable word.
    pub(crate) audit: &'static str,
    /// What the caller gets.
    pub(crate) outcome: Outcome,
}

/// What the caller of a refused token gets.
pub(crate) enum Outcome {
    /// 401 with the challenge `invalid_token` and this description: what they can do something about, and no value that was compared.
    InvalidToken(&'static str),
    /// 500: the fault is the configuration's.
    ServerError,
}

/// The table.
pub(crate) const fn consequence(reason: Reason) -> Consequence {
    const POOR: &str = "the token was not accepted";
    let (audit, told) = match reason {
        Reason::Malformed => ("malformed", POOR),
        Reason::Unsupported => ("unsupported", POOR),
        Reason::UnknownKey => ("unknown_key", POOR),
        Reason::KeyIssuerMismatch => ("key_issuer_mismatch", POOR),
        Reason::BadSignature => ("bad_signature", POOR),
        Reason::MissingClaim => ("missing_claim", POOR),
        Reason::WrongIssuer => ("wrong_issuer", POOR),
        Reason::ForeignTenant => ("foreign_tenant", "the token is of another tenant"),
        Reason::ForeignClient => ("foreign_client", POOR),
        Reason::WrongAudience => ("wrong_audience", "the token is for another resource"),
        Reason::Expired => ("expired", "the token has expired"),
        Reason::NotYetValid => ("not_yet_valid", "the token is not valid yet"),
        Reason::NotAnAccessToken => ("not_an_access_token", POOR),
        Reason::BoundToken => ("bound_token", POOR),
        Reason::SessionEnded => ("session_ended", "the session has ended: sign in again"),
        Reason::UnusableConfiguration => {
            return Consequence { audit: "misconfigured", outcome: Outcome::ServerError };
        }
    };
    Consequence { audit, outcome: Outcome::InvalidToken(told) }
}
