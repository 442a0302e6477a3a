//! The redemption of an authorization code (RFC 6749 section 4.1.3 with RFC 7636 section 4.5).

use secrecy::{ExposeSecret as _, SecretString};

use crate::credential::{Client, finish};

/// One code for tokens.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub client: Client<'a>,
    /// The code.
    pub code: &'a SecretString,
    /// The redirect URI of the authorization request, character for character.
    pub redirect_uri: &'a str,
    /// The verifier behind the challenge of the authorization request.
    pub verifier: &'a SecretString,
    /// Scopes of one API, and the OpenID words.
    pub scopes: &'a [&'a str],
    /// The claims request of the authorization request.
    pub claims: Option<&'a str>,
}

impl Request<'_> {
    /// The body for [`Client::token_url`], `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn body(&self) -> SecretString {
        let mut form = self.client.form("authorization_code");
        form.append_pair("code", self.code.expose_secret())
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("code_verifier", self.verifier.expose_secret())
            .append_pair("scope", &self.scopes.join(" "))
            .append_pair("client_info", "1");
        finish(form, self.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::ClientCredential;
    use crate::credential::tests::client;

    #[test]
    fn a_body_carries_every_parameter() {
        let (code, verifier) = (SecretString::from("co"), SecretString::from("ve"));
        let request = Request {
            client: client(ClientCredential::Public),
            code: &code,
            redirect_uri: "http://localhost:5000",
            verifier: &verifier,
            scopes: &["User.Read", "openid"],
            claims: Some("{}"),
        };
        assert_eq!(
            request.body().expose_secret(),
            "grant_type=authorization_code&client_id=c&code=co&redirect_uri=http%3A%2F%2Flocalhost%3A5000\
             &code_verifier=ve&scope=User.Read+openid&client_info=1&claims=%7B%7D"
        );
    }
}
