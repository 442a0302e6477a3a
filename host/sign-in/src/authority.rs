//! Requests to the authority: POST a form, get status and body. HTTPS only, no redirects, everything bounded.

use std::error::Error as _;

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::SignInError;
use crate::limits::{AUTHORITY_DEADLINE, MAX_ANSWER_BYTES};
use crate::settings::{Settings, SettingsError};

/// The connections to the authority.
pub(crate) struct Authority {
    http: reqwest::Client,
    base: String,
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
        Ok(Self { http, base: settings.authority.clone() })
    }

    /// Sends a form.
    pub(crate) async fn post(&self, url: String, form: SecretString) -> Result<Answer, SignInError> {
        let mut response = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(form.expose_secret().to_owned())
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
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
