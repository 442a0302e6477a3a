//! The entra-tokens component: the only holder of the client credential and of Entra's tokens.
//!
//! For a caller with a token of Entra's it exchanges that token for one of a downstream API (on-behalf-of). For one who signed in through our authorization
//! server it keeps the session: it redeems the code, and refreshes what the session holds. For clients that hold Entra's
//! tokens themselves it adds the credential to the two grants that they need. Requests, answers and sealing are `valet-core-entra`; this shell
//! lends clock, randomness, network and stores.

mod authority;
mod bindings;
mod fault;
mod forwarding;
mod on_behalf_of;
mod sealing;
mod session_tokens;
mod sessions;

use bindings::exports::valet::downstream::tokens::{self, Principal};
use bindings::exports::valet::oauth::{forwarding as facade, sessions as oauth};

use crate::session_tokens::session_of;

struct Component;

impl tokens::Guest for Component {
    fn acquire(
        of: &Principal,
        scopes: Vec<String>,
        claims: Option<String>,
    ) -> Result<String, tokens::Failure> {
        let token = match session_of(of)? {
            Some(session) => session_tokens::acquire(&session, &scopes, claims.as_deref()),
            None => on_behalf_of::acquire(of, &scopes, claims.as_deref()),
        };
        Ok(token?)
    }

    fn forget(of: &Principal, scopes: Vec<String>) {
        // By its contract a token that cannot be dropped is refused again.
        let _ = match session_of(of) {
            Ok(Some(session)) => session_tokens::forget(&session, &scopes),
            Ok(None) => on_behalf_of::forget(of, &scopes),
            Err(fault) => Err(fault),
        };
    }
}

impl facade::Guest for Component {
    fn send(form: String) -> Result<facade::Answer, facade::Failure> {
        forwarding::send(&form)
    }
}

impl oauth::Guest for Component {
    fn open(of: oauth::SignIn) -> Result<oauth::Session, oauth::Failure> {
        Ok(sessions::open(of)?)
    }

    fn renew(id: String) -> Result<oauth::Session, oauth::Failure> {
        Ok(sessions::renew(&id)?)
    }

    fn step_up(id: String, of: oauth::SignIn) -> Result<bool, oauth::Failure> {
        Ok(sessions::step_up(&id, of)?)
    }

    fn close(id: String) -> Result<(), oauth::Failure> {
        Ok(sessions::close(&id)?)
    }
}
