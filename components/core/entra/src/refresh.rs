//! The refresh request (RFC 6749 section 6). Every answer brings a new refresh token, which replaces the one that was sent.

use secrecy::{ExposeSecret as _, SecretString};

use crate::credential::{Client, finish};

/// A refresh token for tokens of one API. A refresh token of Entra belongs to user and client, not to an API, so the scopes may be
/// those of another API than before.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Who asks.
    pub client: Client<'a>,
    /// The refresh token.
    pub refresh_token: &'a SecretString,
    /// Scopes of one API, and the OpenID words.
    pub scopes: &'a [&'a str],
    /// A claims request, JSON text.
    pub claims: Option<&'a str>,
}

impl Request<'_> {
    /// The body for [`Client::token_url`], `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn body(&self) -> SecretString {
        let mut form = self.client.form("refresh_token");
        form.append_pair("refresh_token", self.refresh_token.expose_secret())
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
        let refresh_token = SecretString::from("re");
        let request = Request {
            client: client(ClientCredential::Public),
            refresh_token: &refresh_token,
            scopes: &["User.Read", "openid"],
            claims: None,
        };
        assert_eq!(
            request.body().expose_secret(),
            "grant_type=refresh_token&client_id=c&refresh_token=re&scope=User.Read+openid&client_info=1"
        );
    }
}
