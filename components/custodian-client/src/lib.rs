//! The custodian-client component: what the public part of the split layout has in place of `downstream`, `entra-tokens` and `signing-keys`.
//!
//! It passes requests to the private part with the caller's own token, which the private part verifies for itself, and asks it for the
//! signing keys. So the public part needs no secret, no store and no network but this one.

mod bindings;

use bindings::exports::valet::downstream::requests::{
    Failure, Guest as Requests, Principal, Request, Response,
};
use bindings::exports::valet::identity::keys::Guest as Keys;
use bindings::valet::capability::{egress_custodian, http, settings};
use bindings::valet::identity::assertion;
use valet_core_custodian as wire;

struct Component;

impl Requests for Component {
    fn send(caller: &Principal, request: Request) -> Result<Response, Failure> {
        let message = wire::Request {
            method: request.method,
            path: request.path,
            query: request.query,
            scopes: request.scopes,
        };
        let headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", assertion::token(caller))),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let answer =
            ask("POST", wire::REQUESTS, headers, wire::encode(&message)).map_err(Failure::Unavailable)?;
        match answer.status {
            200 => match wire::decode(&answer.body) {
                Ok(wire::Reply::Response(response)) => Ok(Response {
                    status: response.status,
                    body: response.body,
                    request_id: response.request_id,
                }),
                Ok(wire::Reply::Failure(failure)) => Err(local(failure)),
                Err(why) => {
                    Err(Failure::Unavailable(format!("the private part's answer cannot be read: {why}")))
                }
            },
            // We verified this token a moment ago: it has just ended, or the two parts are configured differently.
            401 => Err(Failure::AssertionRefused("the private part refused the caller's token".to_owned())),
            status => Err(Failure::Unavailable(format!("the private part answered with status {status}"))),
        }
    }
}

impl Keys for Component {
    fn current(tenant: String) -> Result<String, String> {
        keys(wire::KEYS, &tenant)
    }

    fn newer(tenant: String) -> Result<String, String> {
        keys(wire::NEWER_KEYS, &tenant)
    }
}

/// `tenant` is one of the configured ones, a GUID, and so needs no encoding.
fn keys(path: &str, tenant: &str) -> Result<String, String> {
    let answer = ask("GET", &format!("{path}{tenant}"), Vec::new(), Vec::new())?;
    let text =
        String::from_utf8(answer.body).map_err(|_| "the private part's answer is not text".to_owned())?;
    if answer.status == 200 { Ok(text) } else { Err(format!("the private part has no keys: {text}")) }
}

fn ask(
    method: &str,
    path: &str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> Result<http::Response, String> {
    let base = settings::get("custodian_url").ok_or("setting `custodian_url` is missing")?;
    let request = http::Request { method: method.to_owned(), url: format!("{base}{path}"), headers, body };
    egress_custodian::send(&request).map_err(|failure| match failure {
        http::Failure::Denied(why) => format!("the private part is out of reach: {why}"),
        http::Failure::Unreachable(why) => format!("the private part cannot be reached: {why}"),
        http::Failure::TimedOut => "the private part did not answer in time".to_owned(),
        http::Failure::TooLarge => "the private part's answer is too large".to_owned(),
        http::Failure::Protocol(why) => format!("the private part broke off: {why}"),
    })
}

fn local(failure: wire::Failure) -> Failure {
    match failure {
        wire::Failure::Refused(rule) => Failure::Refused(rule),
        wire::Failure::InteractionRequired(claims) => Failure::InteractionRequired(claims),
        wire::Failure::AssertionRefused(detail) => Failure::AssertionRefused(detail),
        wire::Failure::Throttled(seconds) => Failure::Throttled(seconds),
        wire::Failure::ActionRequired(action) => Failure::ActionRequired(action),
        wire::Failure::Misconfigured(detail) => Failure::Misconfigured(detail),
        wire::Failure::Unavailable(detail) => Failure::Unavailable(detail),
    }
}
