//! The downstream component: calls Microsoft Graph for a principal.
//!
//! It decides whether a call may go out, attaches the token that entra-tokens gives it, and reads the answers that concern access. Tools see
//! neither the host nor the token.

mod bindings;

use bindings::exports::valet::downstream::requests::{Failure, Guest, Principal, Request, Response};
use bindings::valet::capability::{egress_graph, http, settings};
use bindings::valet::downstream::tokens;
use valet_core_graph::{call, challenge};

struct Component;

impl Guest for Component {
    fn send(caller: &Principal, request: Request) -> Result<Response, Failure> {
        let base = settings::get("graph_url")
            .ok_or_else(|| Failure::Misconfigured("setting `graph_url` is missing".to_owned()))?;
        // Refused before a token is fetched for it.
        let url = call::url(&base, &request.method, &request.path, &request.query)
            .map_err(|refused| Failure::Refused(refused.to_string()))?;
        let ask = |claims: Option<&str>| {
            let token = tokens::acquire(caller, &request.scopes, claims).map_err(token_failure)?;
            egress_graph::send(&http::Request {
                method: request.method.clone(),
                url: url.clone(),
                headers: vec![
                    ("authorization".to_owned(), format!("Bearer {token}")),
                    ("accept".to_owned(), "application/json".to_owned()),
                ],
                body: Vec::new(),
            })
            .map_err(egress_failure)
        };
        let mut response = ask(None)?;
        // Revoked before its time, or not enough for a policy: maybe the authority can satisfy that without the user.
        if let Some(claims) = claims_wanted(&response) {
            response = ask(Some(claims.as_str()))?;
        }
        if response.status == 401 {
            // The API does not say why. A token that was kept is not worth keeping; one that is new has to do.
            tokens::forget(caller, &request.scopes);
            response = ask(None)?;
        }
        read(response)
    }
}

/// The claims challenge of an answer.
fn claims_wanted(response: &http::Response) -> Option<String> {
    let fields = response.headers.iter().filter(|(name, _)| name == "www-authenticate");
    // Continuous access evaluation reports a revoked session with 401, Conditional Access sometimes with 403.
    matches!(response.status, 401 | 403)
        .then(|| challenge::insufficient_claims(fields.map(|(_, value)| value.as_str())))?
}

/// Sorts out the answers that are about access or load; every other status is the tool's to interpret.
fn read(response: http::Response) -> Result<Response, Failure> {
    let field = |name: &str| {
        response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    if let Some(claims) = claims_wanted(&response) {
        return Err(Failure::InteractionRequired(Some(claims)));
    }
    match response.status {
        401 => {
            Err(Failure::Unavailable("the API refused a token that the authority had just given".to_owned()))
        }
        429 => Err(Failure::Throttled(field("retry-after").and_then(|text| text.parse().ok()))),
        502..=504 => Err(Failure::Unavailable(format!("the API answered with status {}", response.status))),
        status => {
            Ok(Response { status, request_id: field("request-id").map(str::to_owned), body: response.body })
        }
    }
}

fn token_failure(failure: tokens::Failure) -> Failure {
    match failure {
        tokens::Failure::InteractionRequired(claims) => Failure::InteractionRequired(claims),
        tokens::Failure::ActionRequired(action) => Failure::ActionRequired(action),
        tokens::Failure::AssertionRefused(detail) => Failure::AssertionRefused(detail),
        tokens::Failure::Misconfigured(detail) => Failure::Misconfigured(detail),
        tokens::Failure::Throttled(seconds) => Failure::Throttled(seconds),
        tokens::Failure::Unavailable(detail) => Failure::Unavailable(detail),
    }
}

fn egress_failure(failure: http::Failure) -> Failure {
    match failure {
        http::Failure::Denied(why) => Failure::Misconfigured(format!("the API is out of reach: {why}")),
        http::Failure::Unreachable(why) => Failure::Unavailable(format!("the API cannot be reached: {why}")),
        http::Failure::TimedOut => Failure::Unavailable("the API did not answer in time".to_owned()),
        http::Failure::TooLarge => Failure::Unavailable("the API's answer is too large".to_owned()),
        http::Failure::Protocol(why) => Failure::Unavailable(format!("the API broke off: {why}")),
    }
}
