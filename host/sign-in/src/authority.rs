//! Requests to the authority: POST a form, get status and body. HTTPS only, no redirects, everything bounded.

use std::error::Error as _;

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use valet_core_entra::answer::{self, Failure};

use crate::error::SignInError;
use crate::limits::{AUTHORITY_DEADLINE, MAX_ANSWER_BYTES, shown};
use crate::settings::{Settings, SettingsError};

/// The connections to the authority.
pub(crate) struct Authority {
    http: reqwest::Client,
    base: String,
    /// Whether it was met: it is there and knows the tenant.
    met: tokio::sync::OnceCell<()>,
}

/// An answer, whatever it means.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(settings.tls.clone())
            .https_only(true)
            // A token request that is led elsewhere would carry its secrets there.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(AUTHORITY_DEADLINE)
            .user_agent(concat!("valet/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| SettingsError { setting: "tls", why: error.to_string() })?;
        Ok(Self { http, base: settings.authority.clone(), met: Default::default() })
    }

    /// Finds out that the authority is one and knows the tenant, by its metadata. Asked until it is known, and no more then.
    pub(crate) async fn meet(&self, settings: &Settings) -> Result<(), SignInError> {
        self.met.get_or_try_init(|| self.metadata(settings)).await.copied()
    }

    async fn metadata(&self, settings: &Settings) -> Result<(), SignInError> {
        let url = format!("{}/{}/v2.0/.well-known/openid-configuration", self.base, settings.tenant);
        let answer = self.send(self.http.get(url)).await?;
        let stranger = |why| SignInError::NoAuthority { authority: self.base.clone(), why };
        if answer.status == 200 {
            return introduced(&answer.body, &self.base).map_err(stranger);
        }
        match answer::read_tokens(answer.status, answer.retry_after.as_deref(), &answer.body) {
            // The request has nothing else that could be wrong with it. Entra's own number is AADSTS90002.
            Err(Failure::Misconfigured(_)) if answer.status == 400 => {
                let tenant = settings.tenant.clone();
                Err(SignInError::UnknownTenant { authority: self.base.clone(), tenant })
            }
            // It may well be one, and in trouble.
            Err(failure) if answer.status == 429 || answer.status >= 500 => {
                Err(SignInError::Authority(failure))
            }
            _ => Err(stranger(format!(
                "it has no metadata for the tenant {} (HTTP {})",
                settings.tenant, answer.status
            ))),
        }
    }

    /// Sends a form.
    pub(crate) async fn post(&self, url: String, form: SecretString) -> Result<Answer, SignInError> {
        let request = self.http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(form.expose_secret().to_owned())).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, SignInError> {
        let sent = request.header(ACCEPT, "application/json").send().await;
        let mut response = sent.map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                let why = format!("its answer is longer than {MAX_ANSWER_BYTES} bytes");
                return Err(SignInError::Unreachable { authority: self.base.clone(), why });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after, body })
    }

    fn unreachable(&self, error: reqwest::Error) -> SignInError {
        // The URL is left out; what matters is at the bottom of the chain: a name, a certificate, a refused connection.
        let error = error.without_url();
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            why = inner.to_string();
            source = inner.source();
        }
        SignInError::Unreachable { authority: self.base.clone(), why }
    }
}

/// Whether metadata (OpenID Connect Discovery section 4.2) are those of the authority at `base`: ID tokens have its issuer, and one of somebody else would be
/// refused after the person has signed in.
fn introduced(metadata: &[u8], base: &str) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
    }
    let Metadata { issuer } =
        serde_json::from_slice(metadata).map_err(|_| "its metadata name no issuer".to_owned())?;
    match issuer.strip_prefix(base).is_some_and(|rest| rest.starts_with('/')) {
        true => Ok(()),
        false => Err(format!("it says that it is {}", shown(&issuer))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_those_of_the_authority() {
        let of = |text: &str| introduced(text.as_bytes(), "https://login.example:8443");
        assert_eq!(of(r#"{"issuer":"https://login.example:8443/t/v2.0","more":1}"#), Ok(()));
        // What else they name is not read: where the person and the tokens go stands in the settings.
        let hostile = r#"{"issuer":"https://login.example:8443/t/v2.0","authorization_endpoint":"javascript:alert(1)"}"#;
        assert_eq!(of(hostile), Ok(()));
        for stranger in [
            "https://login.example:84430/t",
            "https://login.example/t",
            "https://login.example:8443",
            "http://login.example:8443/t",
            "https://login.example:8443@evil.example/t",
            "https://evil.example/https://login.example:8443/t",
            "javascript:alert(1)",
        ] {
            assert_eq!(
                of(&format!(r#"{{"issuer":"{stranger}"}}"#)),
                Err(format!("it says that it is {stranger}"))
            );
        }
        for text in ["", "<html>", "{}", r#"{"issuer":7}"#] {
            assert_eq!(of(text), Err("its metadata name no issuer".to_owned()), "{text}");
        }
    }
}
