//! Requests that are refused where nobody has shown who they are, and registrations: whose they are counted as, and what those hear who sent too many.
//!
//! Codes, tokens and secrets of clients can be tried at such endpoints, and an endpoint that takes secrets has to be protected against that (RFC 6749 section 2.3.1). So a
//! request takes one of what its address has left, and gives it back unless it is refused. What many have in common, a proxy's address perhaps, a
//! stranger can use up. So whoever presents a code or a refresh token that was given out goes on then, counted by that.

use crate::code;
use crate::error::Code;
use crate::form::Form;
use crate::http::Response;
use crate::page;
use crate::refresh;
use crate::route;

/// What an address has left is counted for each endpoint (its path) by itself, so that those who guess at one keep nobody from another.
#[must_use]
pub fn counted_as(endpoint: &str, peer: &str) -> String {
    format!("{endpoint}, address {peer}")
}

/// The name of the record of the code or refresh token that a request presents. Where there is such a record, the request can be counted by it: only whom we gave
/// it to knows the name. None for a request with a secret of a client: whoever tries secrets would need no more than one sign-in of their own.
#[must_use]
pub fn presented(content_type: Option<&str>, authorization: Option<&str>, body: &[u8]) -> Option<String> {
    let form = Form::post(content_type, body).ok()?;
    if authorization.is_some() || form.get("client_secret").is_some() {
        return None;
    }
    if let Some(code) = form.secret("code") {
        return Some(code::record_name(&code));
    }
    let token = form.secret("refresh_token").or_else(|| form.secret("token"))?;
    refresh::Presented::parse(&token).map(|presented| presented.record_name())
}

/// Whether an answer of an endpoint (its path) counts: one that refuses what was sent, and a registration, since whoever asks is registered, and what is kept of all is
/// bounded (RFC 7591 section 5). Failures of ours and of Entra are not the caller's, nor is Entra's 429.
#[must_use]
pub fn counts(endpoint: &str, status: u16) -> bool {
    (matches!(status, 400..=499) && status != 429) || (endpoint == route::REGISTER && status == 201)
}

/// The answer to those who sent too many: 429 and when to come back (RFC 6585 section 4). RFC 6749 has no code for it; this is the one that clients take for a reason to try
/// again. At the authorization endpoint there is a person, and where a link leads.
#[must_use]
pub fn too_many(endpoint: &str, seconds: u32, correlation_id: &str) -> Response {
    let mut response = if matches!(endpoint, route::AUTHORIZE | route::STEP_UP) {
        page::too_many(correlation_id)
    } else {
        let hint = if endpoint == route::REGISTER {
            "too many registrations from this address, try again later"
        } else {
            "too many requests were refused, try again later"
        };
        Response::error(429, Code::TemporarilyUnavailable, hint)
    };
    response.headers.push(("retry-after", seconds.to_string()));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
    const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
    const FAMILY: &str = "refresh/AAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn an_address_is_counted_for_each_endpoint() {
        assert_eq!(counted_as(route::TOKEN, "192.0.2.1"), "/oauth/token, address 192.0.2.1");
        assert_ne!(counted_as(route::REVOKE, "192.0.2.1"), counted_as(route::TOKEN, "192.0.2.1"));
    }

    #[test]
    fn what_was_given_out_is_counted_by_itself() {
        let presented = |body: &str| presented(FORM, None, body.as_bytes());
        assert_eq!(presented(&format!("refresh_token={TOKEN}")).as_deref(), Some(FAMILY));
        assert_eq!(presented(&format!("token={TOKEN}&client_id=web")).as_deref(), Some(FAMILY));
        let code = presented("code=c&client_id=web");
        assert_eq!(code, Some(code::record_name(&"c".into())));
        assert_ne!(presented("code=d&client_id=web"), code);
        for body in ["", "client_id=web", "refresh_token=x", "token=a.b.c", "code=", "code=c&code=c"] {
            assert_eq!(presented(body), None, "{body}");
        }
    }

    #[test]
    fn secrets_are_tried_by_address() {
        let body = format!("refresh_token={TOKEN}");
        assert!(presented(FORM, None, body.as_bytes()).is_some());
        assert_eq!(presented(FORM, Some("Basic d2ViOng="), body.as_bytes()), None);
        assert_eq!(presented(FORM, None, format!("{body}&client_secret=x").as_bytes()), None);
        assert_eq!(presented(Some("application/json"), None, body.as_bytes()), None);
    }

    #[test]
    fn refusals_count_and_nothing_else() {
        for (status, expected) in
            [(200, false), (303, false), (400, true), (401, true), (415, true), (429, false), (503, false)]
        {
            for endpoint in [route::TOKEN, route::REVOKE, route::REGISTER, route::AUTHORIZE] {
                assert_eq!(counts(endpoint, status), expected, "{endpoint}: {status}");
            }
        }
    }

    #[test]
    fn registrations_count_as_refusals_do() {
        assert!(counts(route::REGISTER, 201));
        assert!(!counts(route::REGISTER, 503), "full, or the store is gone: nobody's fault");
        assert!(!counts(route::TOKEN, 201));
        let response = too_many(route::REGISTER, 7, "n-1");
        assert!(response.body.contains("too many registrations from this address"), "{}", response.body);
    }

    #[test]
    fn who_sent_too_many_hears_when_to_come_back() {
        let response = too_many(route::TOKEN, 7, "n-1");
        assert_eq!(response.status, 429);
        assert!(response.body.starts_with(r#"{"error":"temporarily_unavailable","#), "{}", response.body);
        let pages = [route::AUTHORIZE, route::STEP_UP].map(|endpoint| too_many(endpoint, 7, "n-1"));
        for page in &pages {
            assert!(page.status == 429 && page.body.contains("<code>n-1</code>"), "{}", page.body);
        }
        for response in pages.into_iter().chain([response]) {
            assert!(response.headers.contains(&("retry-after", "7".into())), "{response:?}");
            assert!(response.headers.contains(&("cache-control", "no-store".into())), "{response:?}");
        }
    }
}
