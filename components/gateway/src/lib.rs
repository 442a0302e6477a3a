//! The gateway component: MCP over HTTP and over single messages, authorization per tool, audit.
//!
//! It reads what strangers send, so it is linked to nothing worth having: no network, no store, no secret. What MCP asks of a server is
//! `valet-core-mcp`, who may use which tool is `valet-core-policy`; this shell joins them to the authenticator and the tools.

mod audit;
mod bindings;
mod calls;
mod http;
mod settings;

use bindings::exports::valet::mcp::endpoint::{Body, Guest as Endpoint, Request, Response};
use bindings::exports::valet::mcp::messages::{Answer, Guest as Messages, Kind};
use bindings::exports::valet::mcp::pieces::{Guest as PiecesGuest, GuestPieces};
use bindings::valet::identity::authenticator::{self, Failure};
use valet_core_mcp::{Fault, Message, Reply, RpcError};

use crate::audit::Audit;
use crate::calls::Session;
use crate::settings::Settings;

struct Component;

impl Endpoint for Component {
    fn handle(request: Request) -> Response {
        let reply = http::answer(&request);
        let headers =
            reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
        Response { status: reply.status, headers, body: Body::Whole(reply.body) }
    }

    fn check() -> Result<(), String> {
        Settings::read()?.metadata().map(drop)
    }

    fn ready() -> Result<(), String> {
        Self::check()?;
        authenticator::ready()
    }
}

/// An answer that is still being worked on.
struct Pieces;

impl GuestPieces for Pieces {
    fn next(&self) -> Option<Vec<u8>> {
        None
    }
}

impl PiecesGuest for Component {
    type Pieces = Pieces;
}

impl Messages for Component {
    fn inspect(_: Vec<u8>) -> Kind {
        Kind::Other
    }

    fn handle(bearer: String, message: Vec<u8>, request_id: String) -> Answer {
        let mut audit = Audit::new(&request_id);
        let reply = match valet_core_mcp::read_message(&message) {
            Ok(Message::Notification(_) | Message::Response) => return Answer::Nothing,
            Ok(Message::Request(request)) => {
                let fail = |fault: &Fault| Reply::failure(request.context, fault);
                match Settings::read() {
                    Err(why) => {
                        audit.failed("misconfigured", why);
                        fail(&Fault::Internal)
                    }
                    Ok(settings) => match authenticator::authenticate(&bearer) {
                        Ok(principal) => Session::new(&settings, &principal, &mut audit).answer(&request),
                        Err(Failure::Refused(refusal)) => {
                            audit.denied(audit::word(refusal.reason), refusal.detail);
                            fail(&Fault::Unauthenticated)
                        }
                        Err(Failure::Unavailable(why)) => {
                            audit.failed("unavailable", why);
                            fail(&Fault::Internal)
                        }
                    },
                }
            }
            Err(error) => {
                refused(&mut audit, &error);
                Reply::error(&error)
            }
        };
        Answer::Whole(reply.body)
    }
}

fn refused(audit: &mut Audit<'_>, error: &RpcError<'_>) {
    audit.denied("bad_request", error.fault.to_string());
}
