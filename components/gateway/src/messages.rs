//! Single messages, for transports without HTTP. There is no head to say anything with, so each refusal is a JSON-RPC error.

use valet_core_mcp::{Fault, Message, Reply, read_message};

use crate::audit::Audit;
use crate::bindings::valet::identity::authenticator::{self, Failure};
use crate::bindings::valet::mcp::interaction::ClientAbilities;
use crate::refusals::{Consequence, Outcome, consequence};
use crate::session::{Answer, Carrier, Session, is_for_anybody, to_anybody};
use crate::settings::Settings;

/// The answer to a message, or none.
pub(crate) fn answer(
    bearer: &str,
    message: &[u8],
    declared: ClientAbilities,
    request_id: String,
) -> Option<Answer> {
    let audit = Audit::new(request_id);
    let request = match read_message(message) {
        Ok(Message::Notification(_) | Message::Response) => return None,
        Ok(Message::Request(request)) => request,
        Err(error) => {
            audit.bad_request(&error);
            return Some(Reply::error(&error).into());
        }
    };
    let fail = |fault: &Fault| Some(Reply::failure(request.context, fault).into());
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(why) => {
            audit.failed("misconfigured", why);
            return fail(&Fault::Internal);
        }
    };
    // Without a bearer it is the user of this machine, whose name may be in a keychain that waits for them. A bearer is checked with each message.
    if bearer.is_empty() && is_for_anybody(&request.call) {
        return Some(to_anybody(&request).into());
    }
    match authenticator::authenticate(bearer) {
        Ok(principal) => {
            let carrier = Carrier::Messages { declared };
            Some(Session::new(&settings, carrier, principal, audit).answer(&request))
        }
        Err(Failure::Refused(refusal)) => {
            let Consequence { audit: word, outcome } = consequence(refusal.reason);
            match outcome {
                Outcome::InvalidToken(_) => {
                    audit.denied(word, refusal.detail);
                    fail(&Fault::Unauthenticated)
                }
                Outcome::ServerError => {
                    audit.failed(word, refusal.detail);
                    fail(&Fault::Internal)
                }
            }
        }
        Err(Failure::Unavailable(why)) => {
            audit.failed("unavailable", why);
            fail(&Fault::Internal)
        }
    }
}
