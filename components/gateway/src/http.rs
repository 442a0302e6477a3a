//! One HTTP request: route, transport rules, bearer, message. The order is that of `docs/ARCHITECTURE.md`: what is cheap to refuse is refused
//! first, and nothing of the body is read before the caller is known.

use std::borrow::Cow;

use valet_core_mcp::bearer::{Bearer, bearer};
use valet_core_mcp::challenge::Challenge;
use valet_core_mcp::http::{TransportFault, accepts_event_stream};
use valet_core_mcp::protected_resource::is_well_known;
use valet_core_mcp::{Message, Reply, read};

use crate::audit::Audit;
use crate::bindings::exports::valet::mcp::endpoint::Request;
use crate::bindings::valet::identity::authenticator::{self, Failure, Principal};
use crate::refusals::{Consequence, Outcome, consequence};
use crate::session::{Answer, Carrier, Session};
use crate::settings::Settings;

pub(crate) fn answer(request: &Request) -> Answer {
    let audit = Audit::new(request.request_id.clone());
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(why) => {
            audit.failed("misconfigured", why);
            return bare(500).into();
        }
    };
    let path = request.target.split('?').next().unwrap_or_default();
    if is_well_known(path, settings.endpoint()) {
        return metadata(&settings, request, &audit).into();
    }
    if path != settings.endpoint() {
        return bare(404).into();
    }
    let mut answer = endpoint(&settings, request, audit);
    let head = match &mut answer {
        Answer::Whole(reply) | Answer::Growing(reply, _) => reply,
    };
    settings.transport.share(&request.headers, head);
    answer
}

/// A request to the MCP endpoint.
fn endpoint(settings: &Settings, request: &Request, mut audit: Audit) -> Answer {
    match settings.transport.preflight(&request.method, &request.headers) {
        Ok(None) => {}
        Ok(Some(reply)) => return reply.into(),
        Err(fault) => return transport(&audit, &fault),
    }
    if let Err(fault) = settings.transport.check(&request.method, &request.headers) {
        return transport(&audit, &fault);
    }
    let principal = match authenticate(settings, request, &audit) {
        Ok(principal) => principal,
        Err(reply) => return reply.into(),
    };
    match read(&request.headers, &request.body) {
        Ok(Message::Request(message)) => {
            let carrier =
                Carrier::Http { headers: &request.headers, events: accepts_event_stream(&request.headers) };
            Session::new(settings, carrier, principal, audit).answer(&message)
        }
        Ok(Message::Notification(_) | Message::Response) => Reply::accepted().into(),
        Err(error) => {
            audit.caller(principal.caller());
            audit.bad_request(&error);
            Reply::error(&error).into()
        }
    }
}

fn transport(audit: &Audit, fault: &TransportFault) -> Answer {
    audit.denied("transport", fault.to_string());
    Reply::transport(fault).into()
}

/// RFC 9728 section 3: for anyone, with GET.
fn metadata(settings: &Settings, request: &Request, audit: &Audit) -> Reply {
    if request.method == "OPTIONS" {
        // MCP clients send their protocol version here as well, which makes browsers ask first.
        let mut reply = bare(204);
        reply.headers.extend([
            ("access-control-allow-origin", Cow::Borrowed("*")),
            ("access-control-allow-methods", Cow::Borrowed("GET, HEAD")),
            ("access-control-allow-headers", Cow::Borrowed("mcp-protocol-version")),
            ("allow", Cow::Borrowed("GET, HEAD, OPTIONS")),
        ]);
        return reply;
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        let mut reply = bare(405);
        reply.headers.push(("allow", Cow::Borrowed("GET, HEAD")));
        return reply;
    }
    match settings.metadata() {
        Ok(json) => {
            let mut reply = Reply::document(json);
            // It holds nothing about anyone, and browsers' MCP clients read it from their own origin.
            reply.headers.push(("access-control-allow-origin", Cow::Borrowed("*")));
            reply
        }
        Err(why) => {
            audit.failed("misconfigured", why);
            bare(500)
        }
    }
}

/// The caller of `request`, or the answer that refuses it.
fn authenticate(settings: &Settings, request: &Request, audit: &Audit) -> Result<Principal, Reply> {
    let token = match bearer(&request.target, &request.headers) {
        Bearer::Token(token) => token,
        Bearer::None => {
            audit.denied("no_token", String::new());
            return Err(challenge(settings, Challenge::unauthenticated()));
        }
        Bearer::Refused(fault) => {
            audit.denied("bad_credentials", fault.to_string());
            return Err(challenge(settings, fault.challenge()));
        }
    };
    authenticator::authenticate(token).map_err(|failure| match failure {
        Failure::Refused(refusal) => {
            let Consequence { audit: word, outcome } = consequence(refusal.reason);
            match outcome {
                Outcome::InvalidToken(told) => {
                    audit.denied(word, refusal.detail);
                    challenge(settings, Challenge::invalid_token(told))
                }
                Outcome::ServerError => {
                    audit.failed(word, refusal.detail);
                    bare(500)
                }
            }
        }
        Failure::Unavailable(why) => {
            audit.failed("unavailable", why);
            let mut reply = bare(503);
            reply.headers.push(("retry-after", Cow::Borrowed("5")));
            reply
        }
    })
}

/// A challenge with the two parameters that every one of ours carries.
pub(crate) fn challenge(settings: &Settings, challenge: Challenge<'_>) -> Reply {
    let scopes: Vec<String> = settings.policy.scopes().map(|scope| settings.qualified(scope)).collect();
    challenge_for(settings, challenge, &scopes)
}

/// A challenge that asks for `scopes`, which are qualified.
pub(crate) fn challenge_for(settings: &Settings, challenge: Challenge<'_>, scopes: &[String]) -> Reply {
    let url = settings.metadata_url();
    let challenge = challenge.scopes(scopes.iter().map(String::as_str)).resource_metadata(&url);
    Reply::challenge(&challenge)
}

/// An answer without a body, for requests that are not MCP at all.
fn bare(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: Vec::new() }
}
