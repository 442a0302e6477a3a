//! What a browser needs to hear before a web page of an allowed origin may call (WHATWG Fetch section 3.2). Programs send
//! no `Origin` and never see any of it.

use std::borrow::Cow;

use crate::fields::{self, Field};
use crate::http::{TransportFault, TransportRules};
use crate::limits;
use crate::reply::Reply;

/// Header fields that clients send, in lower case. With credentials in play there is no wildcard (Fetch section 3.2.4), and
/// `authorization` is never covered by one.
const REQUEST_FIELDS: [&str; 8] = [
    "authorization",
    "content-type",
    "accept",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "last-event-id",
];

/// Fields of an answer that a page may read besides the harmless ones: where to sign in, and when to try again.
const RESPONSE_FIELDS: &str = "www-authenticate, retry-after";

/// How long a browser may remember a preflight's answer, in seconds. Browsers cap it at two hours or less.
const MAX_AGE: &str = "7200";

impl TransportRules {
    /// The answer to a preflight: `OPTIONS` with an origin and the method that is asked about. None for a request that is
    /// no preflight.
    ///
    /// # Errors
    ///
    /// As [`TransportRules::check`], for a foreign host or origin.
    pub fn preflight(
        &self,
        method: &str,
        headers: &[(String, String)],
    ) -> Result<Option<Reply>, TransportFault> {
        let asked = fields::field(headers, "access-control-request-method");
        if method != "OPTIONS" || asked == Field::Absent || fields::field(headers, "origin") == Field::Absent
        {
            return Ok(None);
        }
        self.check_host(headers)?;
        self.check_origin(headers)?;
        let mut reply = Reply { status: 204, headers: Vec::with_capacity(5), body: Vec::new() };
        reply.headers.push(("access-control-allow-methods", Cow::Borrowed("POST")));
        let fields = asked_fields(headers);
        if !fields.is_empty() {
            reply.headers.push(("access-control-allow-headers", Cow::Owned(fields)));
        }
        reply.headers.push(("access-control-max-age", Cow::Borrowed(MAX_AGE)));
        self.share(headers, &mut reply);
        Ok(Some(reply))
    }

    /// Lets the page that sent the request read the answer, if it is of an origin of ours. To be done to every answer of
    /// the endpoint, refusals included: without it a page cannot tell an expired token from a broken network.
    pub fn share(&self, headers: &[(String, String)], reply: &mut Reply) {
        let Field::Once(origin) = fields::field(headers, "origin") else { return };
        if self.check_origin(headers).is_ok() {
            reply.headers.push(("access-control-allow-origin", Cow::Owned(origin.to_owned())));
            reply.headers.push(("access-control-expose-headers", Cow::Borrowed(RESPONSE_FIELDS)));
            reply.headers.push(("vary", Cow::Borrowed("origin")));
        }
    }
}

/// The asked field names that are ours, as they were asked for. Names of tool parameters are any tokens.
fn asked_fields(headers: &[(String, String)]) -> String {
    let asked = fields::all(headers, "access-control-request-headers")
        .filter(|value| value.len() <= limits::NEGOTIATION_VALUE)
        .flat_map(|value| value.split(','))
        .map(|name| name.trim_matches([' ', '\t']));
    let ours = asked.filter(|name| {
        let name = name.to_ascii_lowercase();
        REQUEST_FIELDS.contains(&name.as_str())
            || name
                .strip_prefix("mcp-param-")
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(crate::mirrored::is_tchar))
    });
    ours.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://app.example.com";

    fn rules() -> TransportRules {
        TransportRules::parse(["mcp.example.com"], [OURS]).unwrap()
    }

    fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// A preflight, with fields of the same name replaced by `changes` (an empty value removes the field).
    fn preflight(changes: &[(&str, &str)]) -> Result<Option<Reply>, TransportFault> {
        let good = [("host", "mcp.example.com"), ("origin", OURS), ("access-control-request-method", "POST")];
        let mut headers = owned(&good);
        headers.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        headers.extend(owned(changes).into_iter().filter(|(_, value)| !value.is_empty()));
        rules().preflight("OPTIONS", &headers)
    }

    #[track_caller]
    fn check(changes: &[(&str, &str)], allowed: Option<&str>) {
        let reply = preflight(changes).unwrap().unwrap();
        let mut expected = vec![("access-control-allow-methods", "POST")];
        expected.extend(allowed.map(|allowed| ("access-control-allow-headers", allowed)));
        expected.extend([
            ("access-control-max-age", "7200"),
            ("access-control-allow-origin", OURS),
            ("access-control-expose-headers", "www-authenticate, retry-after"),
            ("vary", "origin"),
        ]);
        let found: Vec<_> = reply.headers.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        assert_eq!((reply.status, found, reply.body.as_slice()), (204, expected, &b""[..]));
    }

    #[test]
    fn a_preflight_names_the_fields_that_are_ours() {
        let asked = "access-control-request-headers";
        check(&[], None);
        check(&[(asked, "x-other,cookie, *")], None);
        check(&[(asked, "Authorization, content-type,x-other")], Some("Authorization, content-type"));
        check(&[(asked, "mcp-method, mcp-param-region, mcp-param-")], Some("mcp-method, mcp-param-region"));
        check(&[(asked, "mcp-param-a\"b, mcp-param-a b, mcp-name")], Some("mcp-name"));
        check(&[(asked, "accept"), (asked, "mcp-protocol-version")], Some("accept, mcp-protocol-version"));
        check(&[(asked, &"accept,".repeat(1000))], None);
    }

    #[test]
    fn a_foreign_page_gets_no_preflight() {
        let foreign = "https://evil.example";
        let expected = TransportFault::OriginNotAllowed { origin: foreign.to_owned() };
        assert_eq!(preflight(&[("origin", foreign)]), Err(expected));
        let null = TransportFault::OriginNotAllowed { origin: "null".to_owned() };
        assert_eq!(preflight(&[("origin", "null")]), Err(null));
        let host = TransportFault::HostNotAllowed { host: "evil.example".to_owned() };
        assert_eq!(preflight(&[("host", "evil.example")]), Err(host));
        assert_eq!(preflight(&[("host", "")]), Err(TransportFault::MissingHost));
    }

    #[test]
    fn other_requests_are_no_preflight() {
        assert_eq!(preflight(&[("origin", "")]), Ok(None));
        assert_eq!(preflight(&[("access-control-request-method", "")]), Ok(None));
        let headers = owned(&[("origin", OURS), ("access-control-request-method", "POST")]);
        assert_eq!(rules().preflight("POST", &headers), Ok(None));
    }

    #[test]
    fn answers_are_shared_with_our_pages_alone() {
        let share = |headers: &[(&str, &str)]| {
            let mut reply = Reply::accepted();
            rules().share(&owned(headers), &mut reply);
            reply.headers
        };
        assert_eq!(share(&[]), []);
        assert_eq!(share(&[("origin", "https://evil.example")]), []);
        assert_eq!(share(&[("origin", OURS), ("origin", OURS)]), []);
        let shared = share(&[("origin", "https://App.example.com:443")]);
        assert_eq!(shared[0], ("access-control-allow-origin", "https://App.example.com:443".into()));
        assert_eq!(shared.len(), 3);
    }
}
