//! The on-behalf-of request (Microsoft identity platform, OAuth 2.0 on-behalf-of flow; RFC 7523 section 2.1).

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::credential::{Client, finish};

/// The `grant_type` of the flow.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// One request for a token of a downstream API in a caller's name.
pub struct Request<'a> {
    /// Who asks: at the tenant of the *caller*, since the token has to come from where the user is. The assertion's audience is this
    /// application.
    pub client: Client<'a>,
    /// The access token that the caller presented.
    pub assertion: &'a SecretString,
    /// Fully qualified delegated permissions of one API.
    pub scopes: &'a [String],
    /// A claims request, JSON text: of a claims challenge of the API.
    pub claims: Option<&'a str>,
}

impl Request<'_> {
    /// The body for [`Client::token_url`], `application/x-www-form-urlencoded`. `offline_access` is not asked for: the caller's next token is the next
    /// assertion, so a refresh token would only be one more secret to keep.
    #[must_use]
    pub fn body(&self) -> SecretString {
        let mut form = self.client.form(GRANT);
        form.append_pair("requested_token_use", "on_behalf_of")
            .append_pair("assertion", self.assertion.expose_secret())
            .append_pair("scope", &self.scopes.join(" "));
        finish(form, self.claims)
    }
}

/// The name under which the token for (`assertion`, `scopes`) is kept: a digest, from which neither can be found.
#[must_use]
pub fn record_name(assertion: &SecretString, scopes: &[String]) -> String {
    let mut digest = Sha256::new();
    digest.update(assertion.expose_secret().as_bytes());
    for scope in scopes {
        // A separator that no scope contains (RFC 6749 section 3.3), or two lists could give one name.
        digest.update(b"\n");
        digest.update(scope.as_bytes());
    }
    let hex = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    let digits = digest.finalize().into_iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]);
    "obo-".chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::ClientCredential;
    use crate::credential::tests::client;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_body_carries_every_parameter_encoded() {
        let (client_secret, assertion) = (secret("s&cret="), secret("a.b.c"));
        let scopes = ["https://graph.microsoft.com/User.Read".to_owned()];
        let request = Request {
            client: client(ClientCredential::Secret(&client_secret)),
            assertion: &assertion,
            scopes: &scopes,
            claims: None,
        };
        assert_eq!(
            request.body().expose_secret(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&client_id=c&client_secret=s%26cret%3D\
             &requested_token_use=on_behalf_of&assertion=a.b.c&scope=https%3A%2F%2Fgraph.microsoft.com%2FUser.Read"
        );
    }

    #[test]
    fn names_differ_by_assertion_and_by_scope_list() {
        let name = |assertion, scopes: &[&str]| {
            record_name(&secret(assertion), &scopes.iter().map(|&scope| scope.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(name("a", &["x", "y"]), name("a", &["x", "y"]));
        assert_ne!(name("a", &["x", "y"]), name("b", &["x", "y"]));
        assert_ne!(name("a", &["x", "y"]), name("a", &["xy"]));
        assert_eq!(name("a", &[]).len(), "obo-".len() + 64);
    }
}
