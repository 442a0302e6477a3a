//! One request to the token endpoint.

use valet_core_entra::answer::{self, Failure};
use valet_core_entra::{Client, ClientCredential, ExposeSecret as _, SecretString, claims};

use crate::bindings::valet::capability::{credential, egress_authority, http, settings};
use crate::fault::Fault;

/// Where and as whom tokens are asked for.
pub(crate) struct Authority {
    pub(crate) url: String,
    pub(crate) client_id: String,
    secret: SecretString,
}

impl Authority {
    pub(crate) fn read() -> Result<Self, Fault> {
        Ok(Self {
            url: setting("authority")?,
            client_id: setting("client_id")?,
            secret: SecretString::from(credential::client_secret()?),
        })
    }

    /// Us, at `tenant`.
    pub(crate) fn client<'a>(&'a self, tenant: &'a str) -> Client<'a> {
        Client {
            authority: &self.url,
            tenant,
            client_id: &self.client_id,
            credential: ClientCredential::Secret(&self.secret),
        }
    }
}

/// Sends `body` to `url` and has the answer read by `read`, which gets status, `Retry-After` and body.
pub(crate) fn ask<T>(
    url: String,
    body: &SecretString,
    read: impl FnOnce(u16, Option<&str>, &[u8]) -> Result<T, Failure>,
) -> Result<T, Fault> {
    let response = egress_authority::send(&http::Request {
        method: "POST".to_owned(),
        url,
        headers: vec![
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ],
        body: body.expose_secret().as_bytes().to_vec(),
    })?;
    let retry_after =
        response.headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value.as_str());
    Ok(read(response.status, retry_after, &response.body)?)
}

/// Asks for an access token alone.
pub(crate) fn token(url: String, body: &SecretString) -> Result<answer::Token, Fault> {
    ask(url, body, answer::read)
}

/// Asks for all that a user's sign-in brings.
pub(crate) fn tokens(url: String, body: &SecretString) -> Result<answer::Tokens, Fault> {
    ask(url, body, answer::read_tokens)
}

/// The claims request for a challenge of the API, with what we can do: understand such challenges.
pub(crate) fn capabilities(challenge: Option<&str>) -> Result<String, Fault> {
    claims::with_capabilities(challenge).map_err(|error| Fault::Unavailable(error.to_string()))
}

pub(crate) fn setting(name: &str) -> Result<String, Fault> {
    settings::get(name).ok_or_else(|| Fault::Misconfigured(format!("setting `{name}` is missing")))
}
