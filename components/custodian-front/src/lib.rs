//! The custodian-front component: the entry of the private part of the split layout.
//!
//! It trusts nobody's word: the caller's token is verified here again before anything is done in the caller's name. The public part could be
//! taken over whole, and would still act only for tokens that it was shown.

mod bindings;

use bindings::exports::valet::mcp::endpoint::{Body, Guest, Request, Response};
use bindings::exports::valet::mcp::pieces;
use bindings::valet::capability::audit::{self, Decision};
use bindings::valet::downstream::requests;
use bindings::valet::identity::principal::Principal;
use bindings::valet::identity::{authenticator, keys};
use valet_core_custodian as wire;

struct Component;

impl Guest for Component {
    fn handle(request: Request) -> Response {
        let target = request.target.as_str();
        // Which tenants have keys here is for `signing-keys` to say.
        let current = target.strip_prefix(wire::KEYS);
        match (request.method.as_str(), current, target.strip_prefix(wire::NEWER_KEYS)) {
            ("POST", ..) if target == wire::REQUESTS => for_caller(&request),
            ("GET", Some(tenant), _) => key_set(keys::current(tenant)),
            ("GET", _, Some(tenant)) => key_set(keys::newer(tenant)),
            _ => answer(404, Vec::new()),
        }
    }

    fn check() -> Result<(), String> {
        // It has no settings of its own; those of its parts are read when they are needed.
        Ok(())
    }

    fn ready() -> Result<(), String> {
        authenticator::ready()
    }
}

/// Every answer of this component is whole.
impl pieces::GuestPieces for std::convert::Infallible {
    fn next(&self) -> Option<Vec<u8>> {
        match *self {}
    }
}

impl pieces::Guest for Component {
    type Pieces = std::convert::Infallible;
}

fn key_set(keys: Result<String, String>) -> Response {
    match keys {
        Ok(set) => answer(200, set.into_bytes()),
        Err(why) => answer(503, why.into_bytes()),
    }
}

fn for_caller(request: &Request) -> Response {
    let principal = match authenticate(request) {
        Ok(principal) => principal,
        Err(refusal) => {
            record(request, None, Decision::Denied, refusal.reason, refusal.detail);
            return answer(refusal.status, Vec::new());
        }
    };
    let message: wire::Request = match wire::decode(&request.body) {
        Ok(message) => message,
        Err(why) => {
            record(request, Some(&principal), Decision::Denied, "malformed", why);
            return answer(400, Vec::new());
        }
    };
    let call = requests::Request {
        method: message.method,
        path: message.path,
        query: message.query,
        scopes: message.scopes,
    };
    let path = call.path.clone();
    let reply = match requests::send(&principal, &call) {
        Ok(response) => {
            record(request, Some(&principal), Decision::Allowed, "sent", path);
            wire::Reply::Response(wire::Response {
                status: response.status,
                body: response.body,
                request_id: response.request_id,
            })
        }
        Err(failure) => {
            let failure = on_wire(failure);
            record(request, Some(&principal), Decision::Failed, "downstream", format!("{path}: {failure:?}"));
            wire::Reply::Failure(failure)
        }
    };
    answer(200, wire::encode(&reply))
}

struct Refusal {
    status: u16,
    reason: &'static str,
    detail: String,
}

fn authenticate(request: &Request) -> Result<Principal, Refusal> {
    let refuse = |status, reason, detail| Refusal { status, reason, detail };
    let token = request
        .headers
        .iter()
        .find(|(name, _)| name == "authorization")
        .and_then(|(_, value)| value.strip_prefix("Bearer "))
        .ok_or_else(|| refuse(401, "no_token", "the public part sent no token".to_owned()))?;
    authenticator::authenticate(token).map_err(|failure| match failure {
        authenticator::Failure::Refused(refusal) => refuse(401, "token_refused", refusal.detail),
        authenticator::Failure::Unavailable(why) => refuse(503, "unavailable", why),
    })
}

fn record(
    request: &Request,
    principal: Option<&Principal>,
    decision: Decision,
    reason: &str,
    detail: String,
) {
    let caller = principal.map(Principal::caller);
    audit::record_event(&audit::Event {
        request_id: request.request_id.clone(),
        decision,
        reason: reason.to_owned(),
        method: None,
        tool: None,
        tenant_id: caller.as_ref().map(|caller| caller.tenant_id.clone()),
        object_id: caller.as_ref().map(|caller| caller.object_id.clone()),
        client_id: caller.map(|caller| caller.client_id),
        detail,
    });
}

fn on_wire(failure: requests::Failure) -> wire::Failure {
    match failure {
        requests::Failure::Refused(rule) => wire::Failure::Refused(rule),
        requests::Failure::InteractionRequired(claims) => wire::Failure::InteractionRequired(claims),
        requests::Failure::AssertionRefused(detail) => wire::Failure::AssertionRefused(detail),
        requests::Failure::Throttled(seconds) => wire::Failure::Throttled(seconds),
        requests::Failure::ActionRequired(action) => wire::Failure::ActionRequired(action),
        requests::Failure::Misconfigured(detail) => wire::Failure::Misconfigured(detail),
        requests::Failure::Unavailable(detail) => wire::Failure::Unavailable(detail),
    }
}

fn answer(status: u16, body: Vec<u8>) -> Response {
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("cache-control".to_owned(), "no-store".to_owned()),
    ];
    Response { status, headers, body: Body::Whole(body) }
}
