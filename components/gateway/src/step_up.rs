//! The page to which a user is sent of whom a policy wants more than their session has: a link to our own authorization server.

use valet_core_mcp::{Context, input};
use valet_core_oauth::limits;
use valet_core_oauth::step_up::{self, Link};

use crate::audit::Audit;
use crate::bindings::valet::capability::request_state;
use crate::session::{Carrier, Session};

const WHY: &str = "Microsoft Entra wants more from you before this can go on, for example a second factor. Open the page, sign in with the same \
                   account, and then go on here.";

/// Where the page is, and for whose session.
pub(crate) struct Page {
    issuer: String,
    session: String,
    client_id: String,
}

impl Page {
    /// None for a caller with a token of Entra's, which nothing but another token can mend; and for requests of eras and carriers in which a client does not say what it can.
    pub(crate) fn of(session: &Session<'_>, context: Context<'_>) -> Option<Self> {
        let Carrier::Http { .. } = session.carrier else { return None };
        if !context.revision.is_modern() {
            return None;
        }
        let caller = &session.caller;
        Some(Self {
            issuer: session.settings.issuer()?.to_owned(),
            session: caller.session_id.clone()?,
            client_id: caller.client_id.clone(),
        })
    }

    /// The parameters of an elicitation that sends the user there for `claims`; none if these are too long for a link, or no claims request.
    pub(crate) fn params(&self, audit: &Audit, claims: &str) -> Option<String> {
        let link = Link {
            session: self.session.clone(),
            client_id: self.client_id.clone(),
            claims: claims.to_owned(),
        };
        match request_state::seal_link(&link.to_plain()?, limits::LINK_LIFETIME) {
            Ok(sealed) => Some(input::page(WHY, &step_up::url(&self.issuer, &sealed))),
            Err(why) => {
                audit.failed("misconfigured", why);
                None
            }
        }
    }
}
