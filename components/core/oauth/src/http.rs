//! Answers as plain values, and the header fields that all of one kind have.

use core::fmt;

use serde::Serialize;

use crate::error::Code;

/// An answer: status, header fields with names in lower case, body. It does not print: tokens, codes and cookies are in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields in order.
    pub headers: Vec<(&'static str, String)>,
    /// The body, UTF-8.
    pub body: String,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        write!(f, "Response({}, {names}, {} bytes)", self.status, self.body.len())
    }
}

impl Response {
    /// JSON that is never kept by a cache: tokens, registrations, errors (RFC 6749 section 5.1).
    ///
    /// Pages of other origins may read it: these endpoints look at no cookie, so a page learns nothing that its server could not
    /// (browser-based MCP clients need it).
    #[must_use]
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_string(value).expect("texts, numbers and lists serialise");
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
            ("pragma", "no-cache".to_owned()),
            ("access-control-allow-origin", "*".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        Self { status, headers, body }
    }

    /// A public document that may be kept for an hour: metadata, keys.
    #[must_use]
    pub fn document(body: String) -> Self {
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "public, max-age=3600".to_owned()),
            ("access-control-allow-origin", "*".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        Self { status: 200, headers, body }
    }

    /// An OAuth error (RFC 6749 section 5.2). The description has no `"` and no `\`.
    #[must_use]
    pub fn error(status: u16, code: Code, description: &str) -> Self {
        #[derive(Serialize)]
        struct Error<'a> {
            error: &'a str,
            error_description: &'a str,
        }
        Self::json(status, &Error { error: code.as_str(), error_description: description })
    }

    /// An answer without a body, for the same endpoints.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        let headers = vec![
            ("cache-control", "no-store".to_owned()),
            ("access-control-allow-origin", "*".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        Self { status, headers, body: String::new() }
    }

    /// A redirection with 303, after which a browser always sends a GET, without the body of a form (RFC 9700 section 4.12).
    ///
    /// The location is built by this crate from URIs that were checked, so it has no line breaks.
    #[must_use]
    pub fn redirect(location: String) -> Self {
        let headers = vec![
            ("location", location),
            ("cache-control", "no-store".to_owned()),
            // The address of this page has a code or a state in it.
            ("referrer-policy", "no-referrer".to_owned()),
        ];
        Self { status: 303, headers, body: String::new() }
    }

    /// 405 with what is allowed.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let mut response = Self::error(405, Code::InvalidRequest, "this method is not allowed here");
        response.headers.push(("allow", allow.to_owned()));
        response
    }

    /// The answer to a CORS preflight of the endpoints that pages of other origins may use.
    #[must_use]
    pub fn preflight(allow: &'static str) -> Self {
        let headers = vec![
            ("access-control-allow-origin", "*".to_owned()),
            ("access-control-allow-methods", allow.to_owned()),
            ("access-control-allow-headers", "authorization, content-type, mcp-protocol-version".to_owned()),
            ("access-control-max-age", "86400".to_owned()),
        ];
        Self { status: 204, headers, body: String::new() }
    }

    /// The same with a cookie set or cleared, see [`crate::cookie`].
    #[must_use]
    pub fn with_cookie(mut self, set_cookie: String) -> Self {
        self.headers.push(("set-cookie", set_cookie));
        self
    }
}

/// The media type of a `Content-Type` without its parameters (RFC 9110 section 8.3.1); empty if there is none.
pub(crate) fn essence(content_type: Option<&str>) -> &str {
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

/// Whether a form was posted by a page of ours, by what the browser says about it. Absent fields say nothing: the form's own token decides then.
///
/// # Errors
///
/// The field and its value that speak against it.
pub fn check_same_origin(
    issuer: &str,
    origin: Option<&str>,
    sec_fetch_site: Option<&str>,
) -> Result<(), ForeignForm> {
    match (origin, sec_fetch_site) {
        (Some(origin), _) if origin != issuer => {
            Err(ForeignForm { field: "Origin", value: crate::form::shown(origin) })
        }
        (_, Some(site)) if site != "same-origin" => {
            Err(ForeignForm { field: "Sec-Fetch-Site", value: crate::form::shown(site) })
        }
        _ => Ok(()),
    }
}

/// A form that another site's page posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignForm {
    /// The header field that says so.
    pub field: &'static str,
    /// Its value, cut short.
    pub value: String,
}

impl fmt::Display for ForeignForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the form was not posted by a page of this server: `{}` is `{}`", self.field, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_json_that_nobody_keeps() {
        let response = Response::error(400, Code::InvalidGrant, "the code is spent");
        assert_eq!(response.body, r#"{"error":"invalid_grant","error_description":"the code is spent"}"#);
        assert!(response.headers.contains(&("cache-control", "no-store".into())));
        assert!(response.headers.contains(&("pragma", "no-cache".into())));
    }

    #[test]
    fn an_answer_does_not_print() {
        let response =
            Response::redirect("https://app.example/cb?code=secret".into()).with_cookie("a=hidden".into());
        let text = format!("{response:?}");
        assert_eq!(text, "Response(303, location, cache-control, referrer-policy, set-cookie, 0 bytes)");
    }

    #[test]
    fn a_form_of_another_site_is_told() {
        let check = |origin, site| check_same_origin("https://valet.example", origin, site);
        assert_eq!(check(None, None), Ok(()));
        assert_eq!(check(Some("https://valet.example"), Some("same-origin")), Ok(()));
        for origin in
            ["null", "https://valet.example.evil", "https://valet.example:8443", "http://valet.example", ""]
        {
            let expected = ForeignForm { field: "Origin", value: origin.into() };
            assert_eq!(check(Some(origin), Some("same-origin")), Err(expected), "{origin}");
        }
        for site in ["cross-site", "same-site", "none"] {
            let expected = ForeignForm { field: "Sec-Fetch-Site", value: site.into() };
            assert_eq!(check(None, Some(site)), Err(expected), "{site}");
        }
    }
}
