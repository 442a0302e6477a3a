//! Why there is no token or no session, before it is said to the one or the other caller of this component.

use valet_core_entra::answer;

use crate::bindings::exports::valet::downstream::tokens;
use crate::bindings::exports::valet::oauth::sessions;
use crate::bindings::valet::capability::{credential, http};

/// What has to happen before there can be a token. The texts are for the log.
pub(crate) enum Fault {
    /// The user has to do something first.
    Interaction(Option<String>),
    /// What the token was asked for with (assertion, code, session) is not good any more.
    Grant(String),
    /// The same, as the authority said it.
    Refused(answer::Detail),
    /// An operator has to act.
    Misconfigured(String),
    /// Wait.
    Throttled(Option<u32>),
    /// Something is out of reach, or failed.
    Unavailable(String),
}

impl From<Fault> for tokens::Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Interaction(claims) => Self::InteractionRequired(claims),
            Fault::Grant(detail) => Self::AssertionRefused(detail),
            Fault::Refused(detail) => Self::AssertionRefused(detail.to_string()),
            Fault::Misconfigured(detail) => Self::Misconfigured(detail),
            Fault::Throttled(seconds) => Self::Throttled(seconds),
            Fault::Unavailable(detail) => Self::Unavailable(detail),
        }
    }
}

impl From<Fault> for sessions::Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Interaction(claims) => Self::InteractionRequired(claims),
            Fault::Grant(detail) => Self::Ended(detail),
            Fault::Refused(detail) => Self::Ended(detail.to_string()),
            Fault::Misconfigured(detail) => Self::Misconfigured(detail),
            Fault::Throttled(seconds) => Self::Throttled(seconds),
            Fault::Unavailable(detail) => Self::Unavailable(detail),
        }
    }
}

impl From<answer::Failure> for Fault {
    fn from(failure: answer::Failure) -> Self {
        match failure {
            answer::Failure::InteractionRequired { claims, .. } => Self::Interaction(claims),
            answer::Failure::GrantRefused(detail) => Self::Refused(detail),
            answer::Failure::Misconfigured(detail) => {
                Self::Misconfigured(format!("the authority refused us: {detail}"))
            }
            answer::Failure::Throttled { retry_after } => Self::Throttled(retry_after),
            answer::Failure::Unavailable(detail) => {
                Self::Unavailable(format!("the authority failed: {detail}"))
            }
        }
    }
}

impl From<credential::Failure> for Fault {
    fn from(failure: credential::Failure) -> Self {
        match failure {
            credential::Failure::Missing(setting) => {
                Self::Misconfigured(format!("no credential: set {setting}"))
            }
            credential::Failure::Unreadable(why) => {
                Self::Misconfigured(format!("the credential cannot be read: {why}"))
            }
        }
    }
}

impl From<http::Failure> for Fault {
    fn from(failure: http::Failure) -> Self {
        match failure {
            http::Failure::Denied(why) => {
                Self::Misconfigured(format!("the authority is out of reach: {why}"))
            }
            http::Failure::Unreachable(why) => {
                Self::Unavailable(format!("the authority cannot be reached: {why}"))
            }
            http::Failure::TimedOut => Self::Unavailable("the authority did not answer in time".to_owned()),
            http::Failure::TooLarge => Self::Unavailable("the authority's answer is too large".to_owned()),
            http::Failure::Protocol(why) => Self::Unavailable(format!("the authority broke off: {why}")),
        }
    }
}
