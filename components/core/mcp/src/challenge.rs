//! `WWW-Authenticate: Bearer …` values: how a client learns where to get a token, and which (RFC 6750 section 3, RFC 9728
//! section 5.1, MCP `basic/authorization`).
//!
//! It does not decide when to challenge. `realm` is left out: it would only repeat the host.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A challenge. Made by one of the constructors, so that error code and status belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge<'a> {
    error: Option<&'static str>,
    status: u16,
    description: Option<&'a str>,
    scopes: Vec<&'a str>,
    resource_metadata: Option<&'a str>,
    claims: Option<&'a str>,
}

impl<'a> Challenge<'a> {
    const fn new(error: Option<&'static str>, status: u16, description: Option<&'a str>) -> Self {
        Self { error, status, description, scopes: Vec::new(), resource_metadata: None, claims: None }
    }

    /// 401 for a request without credentials. It has no `error` (RFC 6750 section 3.1): nothing was wrong yet.
    #[must_use]
    pub const fn unauthenticated() -> Self {
        Self::new(None, 401, None)
    }

    /// 400 `invalid_request`: credentials sent in a way that we do not take.
    #[must_use]
    pub const fn invalid_request(description: &'a str) -> Self {
        Self::new(Some("invalid_request"), 400, Some(description))
    }

    /// 401 `invalid_token`: expired, of another audience, forged; the caller is not told which.
    #[must_use]
    pub const fn invalid_token(description: &'a str) -> Self {
        Self::new(Some("invalid_token"), 401, Some(description))
    }

    /// 403 `insufficient_scope`: a good token that does not suffice. Name each scope that the call needs with
    /// [`Self::scopes`], or the client asks again and again (MCP `basic/authorization`).
    #[must_use]
    pub const fn insufficient_scope(description: &'a str) -> Self {
        Self::new(Some("insufficient_scope"), 403, Some(description))
    }

    /// 401 `insufficient_claims`: Entra wants more of the user, as `claims` (a JSON text) says. The form in which
    /// Microsoft's clients expect a claims challenge.
    #[must_use]
    pub const fn insufficient_claims(claims: &'a str) -> Self {
        let mut challenge =
            Self::new(Some("insufficient_claims"), 401, Some("the user has to sign in again"));
        challenge.claims = Some(claims);
        challenge
    }

    /// The scopes to ask for. One that is no scope token (RFC 6749 section 3.3) is left out.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.scopes.extend(scopes.into_iter().filter(|scope| is_scope_token(scope)));
        self
    }

    /// The URL of the RFC 9728 document. Owed in each 401 (MCP `basic/authorization`).
    #[must_use]
    pub const fn resource_metadata(mut self, url: &'a str) -> Self {
        self.resource_metadata = Some(url);
        self
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The `error` code, if there is one.
    #[must_use]
    pub const fn error(&self) -> Option<&'static str> {
        self.error
    }

    /// The `error_description`, if there is one.
    #[must_use]
    pub const fn description(&self) -> Option<&'a str> {
        self.description
    }

    /// The value of the header field: visible ASCII and spaces only, whatever the texts are.
    #[must_use]
    pub fn header_value(&self) -> String {
        let mut out = String::with_capacity(256);
        out.push_str("Bearer");
        let mut parameters = Parameters { out: &mut out, any: false };
        if let Some(error) = self.error {
            parameters.push("error", error.chars());
        }
        if let Some(description) = self.description {
            // RFC 6750 section 3 forbids both characters here, escaped or not.
            let plain =
                description.chars().map(|found| if matches!(found, '"' | '\\') { '\'' } else { found });
            parameters.push("error_description", plain);
        }
        if !self.scopes.is_empty() {
            parameters.push("scope", self.scopes.join(" ").chars());
        }
        if let Some(url) = self.resource_metadata {
            parameters.push("resource_metadata", url.chars());
        }
        if let Some(claims) = self.claims {
            parameters.push("claims", STANDARD.encode(claims).chars());
        }
        out
    }
}

struct Parameters<'o> {
    out: &'o mut String,
    any: bool,
}

impl Parameters<'_> {
    /// Appends `name="value"`, the value as a quoted-string (RFC 9110 section 5.6.4). What is not visible ASCII would end
    /// or split the header and becomes a question mark.
    fn push(&mut self, name: &str, value: impl Iterator<Item = char>) {
        self.out.push_str(if self.any { ", " } else { " " });
        self.any = true;
        self.out.push_str(name);
        self.out.push_str("=\"");
        for found in value {
            match found {
                '"' | '\\' => self.out.extend(['\\', found]),
                ' '..='~' => self.out.push(found),
                _ => self.out.push('?'),
            }
        }
        self.out.push('"');
    }
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
fn is_scope_token(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(challenge: &Challenge<'_>, status: u16, expected: &str) {
        assert_eq!((challenge.status(), challenge.header_value().as_str()), (status, expected));
    }

    const METADATA: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

    #[test]
    fn without_credentials_there_is_no_error() {
        check(&Challenge::unauthenticated(), 401, "Bearer");
        check(
            &Challenge::unauthenticated().scopes(["api://x/mcp.access"]).resource_metadata(METADATA),
            401,
            &format!(r#"Bearer scope="api://x/mcp.access", resource_metadata="{METADATA}""#),
        );
    }

    #[test]
    fn each_error_has_its_status() {
        let value = r#"Bearer error="invalid_request", error_description="two headers""#;
        check(&Challenge::invalid_request("two headers"), 400, value);
        let value = r#"Bearer error="invalid_token", error_description="no""#;
        check(&Challenge::invalid_token("no"), 401, value);
        check(
            &Challenge::insufficient_scope("more").scopes(["a", "b"]).resource_metadata("https://h/m"),
            403,
            r#"Bearer error="insufficient_scope", error_description="more", scope="a b", resource_metadata="https://h/m""#,
        );
    }

    #[test]
    fn claims_are_base64() {
        check(
            &Challenge::insufficient_claims(r#"{"access_token":{}}"#),
            401,
            "Bearer error=\"insufficient_claims\", error_description=\"the user has to sign in again\", \
             claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
        );
    }

    #[test]
    fn hostile_text_cannot_leave_its_quotes() {
        let challenge = Challenge::invalid_token("a\"b\\c\r\nSet-Cookie: x=y\u{e9}\u{7f}");
        let value = r#"Bearer error="invalid_token", error_description="a'b'c??Set-Cookie: x=y??""#;
        check(&challenge, 401, value);
        let challenge = Challenge::unauthenticated().resource_metadata("https://h/\"\\");
        check(&challenge, 401, r#"Bearer resource_metadata="https://h/\"\\""#);
    }

    #[test]
    fn what_is_no_scope_token_is_left_out() {
        let challenge = Challenge::unauthenticated().scopes(["a b", "", "ok", "q\"", "b\\", "é"]);
        check(&challenge, 401, r#"Bearer scope="ok""#);
    }
}
