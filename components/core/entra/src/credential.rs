//! Which application asks which tenant, and how it proves that it is that application.
//!
//! The forms of authentication are those of the token endpoint (RFC 6749 section 2.3.1, RFC 7523 section 2.2); which one an
//! application has is decided by its registration.

use form_urlencoded::Serializer;
use secrecy::{ExposeSecret as _, SecretString};

/// The `client_assertion_type` of RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How the application proves who it is.
#[derive(Debug, Clone, Copy)]
pub enum ClientCredential<'a> {
    /// It does not: a public client, which holds no secret (RFC 6749 section 2.1). Entra refuses a secret from one.
    Public,
    /// By its client secret.
    Secret(&'a SecretString),
    /// By a signed JWT: of its certificate, or of an identity provider that its registration trusts.
    Assertion(&'a SecretString),
}

impl ClientCredential<'_> {
    /// Appends its parameters; none for a public client.
    fn append_to(self, form: &mut Serializer<'static, String>) {
        match self {
            Self::Public => {}
            Self::Secret(secret) => {
                form.append_pair("client_secret", secret.expose_secret());
            }
            Self::Assertion(assertion) => {
                form.append_pair("client_assertion_type", ASSERTION_TYPE);
                form.append_pair("client_assertion", assertion.expose_secret());
            }
        }
    }
}

/// An application at a tenant of an authority.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// Base URL of the authority without trailing slash.
    pub authority: &'a str,
    /// The tenant that is asked: its id, one of its domains, or an alias such as `organizations`.
    pub tenant: &'a str,
    /// Our client id.
    pub client_id: &'a str,
    /// Our proof.
    pub credential: ClientCredential<'a>,
}

impl Client<'_> {
    /// The token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        self.endpoint("token")
    }

    /// The authorization endpoint.
    #[must_use]
    pub fn authorize_url(&self) -> String {
        self.endpoint("authorize")
    }

    /// The device authorization endpoint (RFC 8628 section 3.1).
    #[must_use]
    pub fn device_code_url(&self) -> String {
        self.endpoint("devicecode")
    }

    fn endpoint(&self, name: &str) -> String {
        format!("{}/{}/oauth2/v2.0/{name}", self.authority, self.tenant)
    }

    /// The beginning of every token request: the grant type, who asks, and the proof.
    pub(crate) fn form(&self, grant_type: &str) -> Serializer<'static, String> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", grant_type).append_pair("client_id", self.client_id);
        self.credential.append_to(&mut form);
        form
    }
}

/// The finished `form`, with `claims` where there are some.
pub(crate) fn finish(mut form: Serializer<'static, String>, claims: Option<&str>) -> SecretString {
    if let Some(claims) = claims {
        form.append_pair("claims", claims);
    }
    SecretString::from(form.finish())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn client(credential: ClientCredential<'_>) -> Client<'_> {
        Client { authority: "https://login.example", tenant: "t", client_id: "c", credential }
    }

    fn form(credential: ClientCredential<'_>) -> String {
        client(credential).form("g").finish()
    }

    #[test]
    fn each_credential_appends_its_own_parameters() {
        let secret = SecretString::from("s&cret=");
        assert_eq!(form(ClientCredential::Public), "grant_type=g&client_id=c");
        assert_eq!(
            form(ClientCredential::Secret(&secret)),
            "grant_type=g&client_id=c&client_secret=s%26cret%3D"
        );
        assert_eq!(
            form(ClientCredential::Assertion(&secret)),
            "grant_type=g&client_id=c\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion=s%26cret%3D"
        );
    }

    #[test]
    fn endpoints_are_those_of_the_tenant() {
        let client = client(ClientCredential::Public);
        assert_eq!(client.token_url(), "https://login.example/t/oauth2/v2.0/token");
        assert_eq!(client.authorize_url(), "https://login.example/t/oauth2/v2.0/authorize");
        assert_eq!(client.device_code_url(), "https://login.example/t/oauth2/v2.0/devicecode");
    }

    #[test]
    fn a_credential_does_not_print() {
        let secret = SecretString::from("hidden");
        assert!(!format!("{:?}", ClientCredential::Secret(&secret)).contains("hidden"));
    }
}
