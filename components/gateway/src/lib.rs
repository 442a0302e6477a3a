//! The gateway component: MCP over HTTP and over single messages, authorization per tool, resource and prompt, audit.
//!
//! It reads what strangers send, so it is linked to nothing worth having: no network, no store, no secret. What MCP asks of a server is
//! `valet-core-mcp`, who may use what is `valet-core-policy`, what fits a schema is `valet-core-schema`; this shell joins them to the
//! authenticator and the tool pack.

mod audit;
mod bindings;
mod failure;
mod http;
mod lists;
mod messages;
mod prompts;
mod refusals;
mod resources;
mod rounds;
mod schema;
mod session;
mod settings;
mod step_up;
mod stream;
mod tools;

use bindings::exports::valet::mcp::endpoint::{Body, Guest as Endpoint, Request, Response};
use bindings::exports::valet::mcp::messages::{Answer as Carried, Guest as Messages, Kind};
use bindings::exports::valet::mcp::pieces;
use bindings::valet::identity::authenticator;
use bindings::valet::mcp::interaction::ClientAbilities;

use crate::session::Answer;
use crate::settings::Settings;
use crate::stream::Pieces;

struct Component;

impl Endpoint for Component {
    fn handle(request: Request) -> Response {
        let (head, body) = match http::answer(&request) {
            Answer::Whole(mut reply) => {
                let body = std::mem::take(&mut reply.body);
                (reply, Body::Whole(body))
            }
            Answer::Growing(head, stream) => (head, Body::Growing(pieces::Pieces::new(Pieces::new(stream)))),
        };
        let headers =
            head.headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
        Response { status: head.status, headers, body }
    }

    fn check() -> Result<(), String> {
        let settings = Settings::read()?;
        settings.metadata()?;
        lists::known(&settings.policy, &lists::check()?)
    }

    fn ready() -> Result<(), String> {
        // A rule about nothing lets nobody in, and keeps nobody out.
        Settings::read()?.metadata()?;
        lists::check()?;
        authenticator::ready()
    }
}

impl pieces::Guest for Component {
    type Pieces = Pieces;
}

impl Messages for Component {
    fn inspect(message: Vec<u8>) -> Kind {
        match valet_core_mcp::inspect(&message) {
            valet_core_mcp::Kind::Request(id) => Kind::Request(id),
            valet_core_mcp::Kind::Opening(id, declared) => Kind::Opening((id, rounds::flags(declared))),
            valet_core_mcp::Kind::Declining(id) => Kind::Declining(id),
            valet_core_mcp::Kind::Cancellation(id) => Kind::Cancellation(id),
            valet_core_mcp::Kind::Other => Kind::Other,
        }
    }

    fn handle(bearer: String, message: Vec<u8>, declared: ClientAbilities, request_id: String) -> Carried {
        match messages::answer(&bearer, &message, declared, request_id) {
            None => Carried::Nothing,
            Some(Answer::Whole(reply)) => Carried::Whole(reply.body),
            Some(Answer::Growing(_, stream)) => Carried::Growing(pieces::Pieces::new(Pieces::new(stream))),
        }
    }
}
