//! A transaction: what has to be remembered from a client's request to the answer of Entra.
//!
//! It is kept by the browser, sealed, in a cookie of its own: strangers cannot fill a store with requests, the browser that was asked for permission is the one
//! that comes back, and tabs do not disturb each other. It knows two phases. While a person is asked there is a token against forged forms and nothing that
//! Entra could answer to; `state`, `nonce` and verifier for Entra are made when permission is given (MCP security best practices, confused deputy).

use core::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::authorize::{Request, error_location};
use crate::error::Code;
use crate::limits;
use crate::pkce::Challenge;
use crate::redirect::RedirectUri;
use crate::secret::{self, Random, RandomId};
use crate::settings::Settings;
use crate::step_up::StepUp;

mod error;
mod names;
mod phase;
mod progress;
mod purpose;

pub use error::TransactionError;
pub(crate) use names::is_id;
pub use names::{cookie_name, superfluous, used_record};
use phase::Phase;
pub use phase::{Basis, EntraRequest, EntraSecrets};
pub use progress::Progress;
pub use purpose::{Any, ForClient, Purpose};

/// A transaction, of a client that wants a code or for another purpose. Only its id and its client print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction<P = ForClient> {
    /// Seconds since the Unix epoch when it began, in hexadecimal, a dot and random characters. The cookie's name has it too, which shows which is the oldest.
    #[serde(rename = "i")]
    id: String,
    #[serde(rename = "b")]
    begun: u64,
    #[serde(rename = "c")]
    client_id: String,
    /// Digest of the claims request that Entra was asked with.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    claims: Option<String>,
    #[serde(flatten)]
    purpose: P,
    #[serde(flatten)]
    phase: Phase,
}

impl<P> fmt::Debug for Transaction<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, client_id, phase, .. } = self;
        write!(f, "Transaction({id}, {client_id}, {phase:?})")
    }
}

impl Transaction {
    /// Begins with a request whose client a person has to be asked about. `now` is in seconds since the Unix epoch.
    #[must_use]
    pub fn asking(request: Request, id: &RandomId, csrf: &Random, now: u64) -> Self {
        let csrf = secret::text(csrf).expose_secret().to_owned();
        Self::begin(request, id, now, Phase::Asking { csrf })
    }

    /// Begins with a request whose client has a remembered permission.
    #[must_use]
    pub fn remembered(request: Request, id: &RandomId, secrets: &EntraSecrets, now: u64) -> Self {
        Self::begin(request, id, now, Phase::at_entra(secrets, Basis::Remembered))
    }

    fn begin(request: Request, id: &RandomId, now: u64, phase: Phase) -> Self {
        Self {
            id: format!("{now:x}.{}", secret::id(id)),
            begun: now,
            client_id: request.client_id,
            claims: None,
            purpose: ForClient {
                redirect_uri: request.redirect.as_str().to_owned(),
                scopes: request.scopes,
                challenge: request.challenge.as_str().to_owned(),
                state: request.state,
            },
            phase,
        }
    }

    /// The scopes.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.purpose.scopes
    }

    /// What the code will be bound to.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge::kept(&self.purpose.challenge)
    }

    /// Where the answer goes.
    #[must_use]
    pub fn redirect(&self) -> RedirectUri {
        RedirectUri::parse_configured(&self.purpose.redirect_uri)
            .expect("it was read when the transaction began, or was opened")
    }

    /// The client's redirect URI with a code (RFC 6749 section 4.1.2) and our issuer (RFC 9207 section 2).
    #[must_use]
    pub fn success(&self, code: &SecretString, settings: &Settings) -> String {
        let mut parameters = vec![("code", code.expose_secret())];
        parameters.extend(self.purpose.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", &settings.issuer));
        self.redirect().with(&parameters)
    }

    /// The client's redirect URI with an error.
    #[must_use]
    pub fn failure(&self, code: Code, description: &str, settings: &Settings) -> String {
        error_location(&self.redirect(), code, description, self.purpose.state.as_deref(), settings)
    }
}

impl Transaction<StepUp> {
    /// Begins with a link that somebody opened. `claims` is the digest of the claims request in it.
    #[must_use]
    pub fn step_up(step_up: StepUp, claims: String, id: &RandomId, csrf: &Random, now: u64) -> Self {
        Self {
            id: format!("{now:x}.{}", secret::id(id)),
            begun: now,
            client_id: step_up.link().client_id.clone(),
            claims: Some(claims),
            purpose: step_up,
            phase: Phase::Asking { csrf: secret::text(csrf).expose_secret().to_owned() },
        }
    }

    /// What it is for.
    #[must_use]
    pub fn purpose(&self) -> &StepUp {
        &self.purpose
    }
}

impl<P: Purpose> Transaction<P> {
    /// Goes on to Entra, once the form's token was found to be the page's (see [`crate::consent`]).
    pub(crate) fn permitted(self, secrets: &EntraSecrets) -> Self {
        Self { phase: Phase::at_entra(secrets, Basis::Given), ..self }
    }

    /// Goes back to asking: who came back from Entra has not permitted this client. The time that it may take does not begin again.
    #[must_use]
    pub fn asking_again(self, csrf: &Random) -> Self {
        Self { phase: Phase::Asking { csrf: secret::text(csrf).expose_secret().to_owned() }, ..self }
    }

    /// Goes to Entra once more, with the claims request that has this digest: the user has to satisfy a policy that the first sign-in did not ask for.
    #[must_use]
    pub fn with_more_claims(self, digest: String, secrets: &EntraSecrets) -> Self {
        let basis = self.basis().unwrap_or(Basis::Remembered);
        Self { phase: Phase::at_entra(secrets, basis), claims: Some(digest), ..self }
    }

    /// Digest of the claims request that Entra was asked with, if it was.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// The name of its cookie, to which the sealed value has to be bound.
    #[must_use]
    pub fn cookie_name(&self) -> String {
        cookie_name(&self.id)
    }

    /// How long the cookie and its seal are good, in seconds: longer than the transaction, so that who comes late is told that.
    #[must_use]
    pub fn lifetime(&self, now: u64) -> u64 {
        (self.begun + limits::TRANSACTION_KEPT).saturating_sub(now)
    }

    /// What is sealed.
    ///
    /// # Errors
    ///
    /// Its size, if that is more than [`limits::TRANSACTION`]: [`Request::too_large`].
    pub fn to_plain(&self) -> Result<SecretString, usize> {
        let plain = serde_json::to_string(self).expect("texts and numbers serialise");
        // The other phase has 4 secrets of 45 bytes where this one may have one.
        let later = match self.phase {
            Phase::Asking { .. } => 160,
            Phase::AtEntra { .. } => 0,
        };
        // A digest of 43 characters, with its name.
        let claims = if self.claims.is_none() { 52 } else { 0 };
        let most = limits::TRANSACTION - later - claims;
        if plain.len() > most { Err(plain.len()) } else { Ok(SecretString::from(plain)) }
    }

    /// Its id, for the form and for [`used_record`].
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The name of the record that counts its progress: [`used_record`].
    #[must_use]
    pub fn used_record(&self) -> String {
        used_record(self.purpose.counted(&self.id))
    }

    /// The token of the consent form.
    pub(crate) fn csrf(&self) -> Result<&str, TransactionError> {
        match &self.phase {
            Phase::Asking { csrf } => Ok(csrf),
            Phase::AtEntra { .. } => Err(TransactionError::Phase),
        }
    }

    /// Why it went on to Entra.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Phase`] if it did not.
    pub fn basis(&self) -> Result<Basis, TransactionError> {
        match self.phase {
            Phase::AtEntra { basis, .. } => Ok(basis),
            Phase::Asking { .. } => Err(TransactionError::Phase),
        }
    }

    /// What is sent to Entra.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Phase`] before permission was given.
    pub fn entra_request(&self) -> Result<EntraRequest, TransactionError> {
        let Phase::AtEntra { state, nonce, verifier, .. } = &self.phase else {
            return Err(TransactionError::Phase);
        };
        Ok(EntraRequest {
            state: format!("{}.{state}", self.id).into(),
            nonce: nonce.as_str().into(),
            verifier: verifier.as_str().into(),
        })
    }
}

/// Reads what was sealed for the transaction `id`; `plain` is none if there was no seal that opens.
///
/// # Errors
///
/// [`TransactionError::Foreign`] or [`TransactionError::Expired`].
pub(crate) fn read<P: Purpose>(
    plain: Option<&SecretString>,
    id: &str,
    now: u64,
) -> Result<Transaction<P>, TransactionError> {
    let plain = plain.ok_or(TransactionError::Foreign)?;
    let transaction: Transaction<P> =
        serde_json::from_str(plain.expose_secret()).map_err(|_| TransactionError::Foreign)?;
    if transaction.id != id || !transaction.purpose.is_sound() {
        return Err(TransactionError::Foreign);
    }
    let begun = transaction.begun;
    // A clock that went back is no reason to start again, unless by more than the whole time.
    if now.abs_diff(begun) > limits::TRANSACTION_LIFETIME {
        return Err(TransactionError::Expired { begun, now });
    }
    Ok(transaction)
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
