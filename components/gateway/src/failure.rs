//! Why a pack has no answer, and what becomes of it: for the log, and for the caller.

use valet_core_mcp::challenge::Challenge;
use valet_core_mcp::{Context, Fault, Reply};

use crate::audit::Audit;
use crate::bindings::valet::mcp::interaction::Failure;
use crate::http::challenge;
use crate::session::{Carrier, SERVER, Session};
use crate::settings::Settings;

const ACT_FIRST: &str = "Microsoft Entra wants the user to act first: to sign in again, or to consent to what this tool needs. An administrator can \
                         consent for everyone.";

/// What a failure comes to.
pub(crate) enum Told {
    /// An error of the protocol.
    Fault(Fault),
    /// Something that a model can act on.
    Words(String),
    /// The client has to come back with a token for these claims.
    Claims(String),
    /// The client has to come back with a new token.
    NewToken,
}

impl Told {
    /// Reads `failure`, and records it. `unknown` is for what the pack does not have, though the policy names it.
    pub(crate) fn of(audit: &Audit, failure: Failure, unknown: impl FnOnce() -> Fault) -> Self {
        match failure {
            Failure::NotFound => Self::Fault(unknown()),
            Failure::InvalidArguments(why) => Self::Words(format!("The arguments do not fit: {why}")),
            Failure::Unavailable(why) => Self::Words(why),
            Failure::InteractionRequired(Some(claims)) => {
                audit.failed("interaction_required", String::new());
                Self::Claims(claims)
            }
            Failure::InteractionRequired(None) => {
                audit.failed("consent_required", String::new());
                Self::Words(ACT_FIRST.to_owned())
            }
            // Whoever could have sent the user to the page has done so.
            Failure::ActionRequired((words, _)) => {
                audit.failed("action_required", String::new());
                Self::Words(words)
            }
            Failure::ReauthenticationRequired => {
                audit.failed("assertion_refused", String::new());
                Self::NewToken
            }
            Failure::Internal(detail) => {
                audit.failed("internal", detail);
                Self::Fault(Fault::Internal)
            }
        }
    }

    /// A whole answer. Where there is no `WWW-Authenticate`, a client that has to come back with another token is told so and no more.
    pub(crate) fn whole(self, settings: &Settings, carrier: Carrier<'_>, context: Context<'_>) -> Reply {
        match (carrier, self) {
            (Carrier::Http { .. }, Self::Claims(claims)) => {
                challenge(settings, Challenge::insufficient_claims(&claims))
            }
            (Carrier::Http { .. }, Self::NewToken) => {
                challenge(settings, Challenge::invalid_token("sign in again"))
            }
            (_, told) => told.at_the_end(context),
        }
    }

    /// The end of an answer whose head is sent: there is no status left to say it with.
    pub(crate) fn at_the_end(self, context: Context<'_>) -> Reply {
        match self {
            Self::Fault(fault) => Reply::failure(context, &fault),
            Self::Words(words) => SERVER.tool_error(context, &words),
            Self::Claims(_) | Self::NewToken => Reply::failure(context, &Fault::Unauthenticated),
        }
    }
}

impl Session<'_> {
    /// The answer of a tool.
    pub(crate) fn tool_failure(&self, context: Context<'_>, told: Told) -> Reply {
        told.whole(self.settings, self.carrier, context)
    }

    /// The answer of anything else, whose results have no place for words.
    pub(crate) fn failure(
        &self,
        context: Context<'_>,
        failure: Failure,
        unknown: impl FnOnce() -> Fault,
    ) -> Reply {
        if let Failure::InvalidArguments(reason) = failure {
            return Reply::failure(context, &Fault::InvalidArguments { reason });
        }
        match Told::of(&self.audit, failure, unknown) {
            Told::Words(reason) => Reply::failure(context, &Fault::Unavailable { reason }),
            told => self.tool_failure(context, told),
        }
    }
}
