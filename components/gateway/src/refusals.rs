//! What becomes of a refused token. The table is `core/token`'s, for others who judge tokens as well; here is the way to it from WIT.

pub(crate) use valet_core_token::{Consequence, Outcome};

use valet_core_token as token;

use crate::bindings::valet::identity::refusals::Reason;

/// The line of the table for `reason`.
pub(crate) const fn consequence(reason: Reason) -> Consequence {
    let reason = match reason {
        Reason::Malformed => token::Reason::Malformed,
        Reason::Unsupported => token::Reason::Unsupported,
        Reason::UnknownKey => token::Reason::UnknownKey,
        Reason::KeyIssuerMismatch => token::Reason::KeyIssuerMismatch,
        Reason::BadSignature => token::Reason::BadSignature,
        Reason::MissingClaim => token::Reason::MissingClaim,
        Reason::WrongIssuer => token::Reason::WrongIssuer,
        Reason::ForeignTenant => token::Reason::ForeignTenant,
        Reason::ForeignClient => token::Reason::ForeignClient,
        Reason::WrongAudience => token::Reason::WrongAudience,
        Reason::Expired => token::Reason::Expired,
        Reason::NotYetValid => token::Reason::NotYetValid,
        Reason::NotAnAccessToken => token::Reason::NotAnAccessToken,
        Reason::BoundToken => token::Reason::BoundToken,
        Reason::SessionEnded => token::Reason::SessionEnded,
        Reason::UnusableConfiguration => token::Reason::UnusableConfiguration,
    };
    reason.consequence()
}
