//! Entra's answer to our authorization request, at our redirect URI (RFC 6749 sections 4.1.2 and 4.1.2.1).
//!
//! Nothing in it is believed before its `state` has been found to be that of a transaction of the same browser. Texts that it carries are never shown.

use core::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::cookie;
use crate::error::Code;
use crate::form::{Form, FormError};
use crate::http::Response;
use crate::limits;
use crate::secret;
use crate::settings::Settings;
use crate::transaction::{self, EntraRequest, Purpose, Transaction, TransactionError};
use crate::user::User;

/// Why Entra's answer is not acted upon. It is shown to the person, for nothing is known of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackError {
    /// The parameters cannot be read.
    Form(FormError),
    /// No `state`, or one that was never ours.
    State,
    /// Neither a code nor an error.
    Empty,
    /// The transaction.
    Transaction(TransactionError),
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(f, "{error}"),
            Self::State => f.write_str("the answer has no `state` of ours"),
            Self::Empty => f.write_str("the answer has neither a code nor an error"),
            Self::Transaction(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for CallbackError {}

impl CallbackError {
    /// The answer. `correlation_id` is the request's own number.
    #[must_use]
    pub fn response(&self, correlation_id: &str) -> Response {
        match self {
            Self::Transaction(error) => crate::page::transaction_error(error, correlation_id),
            _ => crate::page::callback_error(correlation_id),
        }
    }
}

/// Entra's answer, with which nothing has been compared yet.
#[derive(Debug)]
pub struct Answer {
    /// Id of the transaction, whose cookie is to be opened: [`transaction::cookie_name`].
    pub transaction: String,
    state: SecretString,
    issuer: Option<String>,
    outcome: Result<SecretString, EntraError>,
}

/// An error that Entra answered, fit for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraError {
    /// `error`, cut short.
    pub error: String,
    /// The `AADSTS` number at the beginning of `error_description`. Nothing else of that text is kept.
    pub number: Option<u32>,
}

impl fmt::Display for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "Entra answered `{}` AADSTS{number}", self.error),
            None => write!(f, "Entra answered `{}`", self.error),
        }
    }
}

/// What to do with an answer that belongs to the transaction.
#[derive(Debug)]
pub enum Outcome {
    /// Redeem the code, with the verifier, and compare the ID token's `nonce`.
    Redeem {
        /// Entra's code.
        code: SecretString,
        /// What was sent to Entra.
        request: EntraRequest,
    },
    /// The client is told that it gets nothing.
    Refused {
        /// For the log.
        reason: Refused,
        /// The code for the client.
        code: Code,
        /// The description for the client.
        description: &'static str,
    },
}

/// Why the client gets nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Entra said so.
    Entra(EntraError),
    /// The answer names another issuer (RFC 9207 section 2.4). Its code is sent nowhere.
    Issuer {
        /// What it named, cut short.
        found: String,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entra(error) => write!(f, "{error}"),
            Self::Issuer { found } => write!(f, "the answer is of the issuer `{found}`, which was not asked"),
        }
    }
}

impl Answer {
    /// Reads the parameters: the query of a GET, or the body of a POST with `response_mode=form_post` ([`Form::of_request`]).
    ///
    /// # Errors
    ///
    /// [`CallbackError`].
    pub fn read(form: &Form) -> Result<Self, CallbackError> {
        let (id, state) =
            form.get("state").and_then(|state| state.rsplit_once('.')).ok_or(CallbackError::State)?;
        if !transaction::is_id(id) || state.len() > limits::SECRET {
            return Err(CallbackError::State);
        }
        // An answer with both is no answer; the error counts.
        let outcome = match (form.get("error"), form.secret("code")) {
            (Some(error), _) => Err(EntraError {
                error: crate::form::shown(error),
                number: form.get("error_description").and_then(aadsts),
            }),
            (None, Some(code)) => Ok(code),
            (None, None) => return Err(CallbackError::Empty),
        };
        Ok(Self {
            transaction: id.to_owned(),
            state: state.into(),
            issuer: form.get("iss").map(str::to_owned),
            outcome,
        })
    }

    /// What follows for `transaction`, whose cookie the browser sent. `issuers` are those that Entra may name,
    /// `{authority}/{tenant}/v2.0` for each tenant; an answer without `iss` passes, because Entra neither sends nor promises it.
    ///
    /// # Errors
    ///
    /// [`CallbackError::Transaction`] if the answer is not to this transaction's request.
    pub fn outcome<P: Purpose>(
        self,
        transaction: &Transaction<P>,
        issuers: &[String],
    ) -> Result<Outcome, CallbackError> {
        let request = transaction.entra_request().map_err(CallbackError::Transaction)?;
        let state = format!("{}.{}", self.transaction, self.state.expose_secret());
        if !secret::equal(request.state.expose_secret(), &state) {
            return Err(CallbackError::Transaction(TransactionError::State));
        }
        if let Some(issuer) = self.issuer.filter(|issuer| !issuers.contains(issuer)) {
            return Ok(Outcome::Refused {
                reason: Refused::Issuer { found: crate::form::shown(&issuer) },
                code: Code::ServerError,
                description: "the identity provider answered for another issuer",
            });
        }
        Ok(match self.outcome {
            Ok(code) => Outcome::Redeem { code, request },
            Err(error) => {
                let (code, description) = told(&error.error);
                Outcome::Refused { reason: Refused::Entra(error), code, description }
            }
        })
    }
}

/// What a client is told about an error of Entra. Faults of our registration are ours, not the client's.
fn told(error: &str) -> (Code, &'static str) {
    match error {
        "access_denied" | "consent_required" => (Code::AccessDenied, "the sign-in was declined"),
        "login_required" | "interaction_required" | "account_selection_required" => {
            (Code::AccessDenied, "the sign-in was not finished")
        }
        "temporarily_unavailable" => (Code::TemporarilyUnavailable, "the identity provider is not available"),
        _ => (Code::ServerError, "the identity provider refused the request"),
    }
}

/// The number of `AADSTS50011: The redirect URI …`.
fn aadsts(description: &str) -> Option<u32> {
    let rest = description.strip_prefix("AADSTS")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    rest.get(..digits)?.parse().ok()
}

/// Why no session was opened with Entra's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionFailure {
    /// Entra refused the code, or the ID token is not for this sign-in.
    Refused,
    /// Our registration or credential is at fault.
    Misconfigured,
    /// Entra, or our store, cannot be reached.
    Unavailable,
    /// Too many sign-ins of this caller were refused lately, and Entra is not asked about another.
    TooMany,
}

impl SessionFailure {
    /// What the client is told.
    #[must_use]
    pub const fn told(self) -> (Code, &'static str) {
        match self {
            Self::Refused => (Code::AccessDenied, "the identity provider did not confirm the sign-in"),
            Self::Misconfigured => (Code::ServerError, "the server is misconfigured"),
            Self::Unavailable => (Code::TemporarilyUnavailable, "the identity provider is not available"),
            Self::TooMany => {
                (Code::TemporarilyUnavailable, "too many sign-ins were refused, try again in a minute")
            }
        }
    }
}

/// Whose refused sign-ins are counted together: those of a user who was signed in here before, by the cookie of this browser, else those of an address. So a
/// stranger who uses up what an address has (a proxy's, perhaps) keeps nobody out who was here before.
#[must_use]
pub fn counted_as(known: Option<&User>, peer: &str) -> String {
    match known {
        Some(user) => format!("user {}", user.subject()),
        None => format!("address {peer}"),
    }
}

/// The client's answer for a sign-in that ended here. The cookie ends.
#[must_use]
pub fn refused(transaction: &Transaction, code: Code, description: &str, settings: &Settings) -> Response {
    back(transaction, &transaction.failure(code, description, settings))
}

/// The client's answer with our code. The cookie ends.
#[must_use]
pub fn finished(transaction: &Transaction, code: &SecretString, settings: &Settings) -> Response {
    back(transaction, &transaction.success(code, settings))
}

/// The way back to the client: a page that goes on, and no redirection. A form of Entra's began the chain that leads here, and a browser applies the
/// `form-action` of that form's page to the whole of it; the client's address need not be in there.
fn back(transaction: &Transaction, location: &str) -> Response {
    crate::page::onward(location).with_cookie(cookie::clear(&transaction.cookie_name()))
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
