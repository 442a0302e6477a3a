//! Permission: whether a person has to be asked about a client, and what they said.
//!
//! Mallory has a client at our server, as anybody may, and Alice is signed in with Entra. If Valet sent Alice's browser to Entra at once, Entra would
//! recognise both, ask nothing, and Mallory's client would have a code for Alice. So Alice is asked first, on a page that says who wants what and where the
//! answer goes; only the browser that showed the page can say yes (its cookie and the form's token belong together), and only the browser that said yes can
//! come back from Entra (the cookie again). What was permitted once is remembered for Alice and for that client, its redirect origin and its scopes. The remembered permission is
//! looked up before Entra by a cookie that says who was here last, and looked up again for who really came back.

use core::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::account::Account;
use crate::authorize::Request;
use crate::cookie;
use crate::error::Code;
use crate::form::{Form, FormError};
use crate::http::{ForeignForm, Response};
use crate::page;
use crate::secret;
use crate::settings::Settings;
use crate::transaction::{self, Basis, EntraSecrets, Purpose, Transaction, TransactionError};

/// Whether the request can go on to Entra without asking: the user whom this browser's cookie names has permitted it. `account` is that user's, if
/// there is such a cookie.
#[must_use]
pub fn is_remembered(request: &Request, account: Option<&Account>, settings: &Settings, now: u64) -> bool {
    let audience = request.redirect.audience();
    let permits = |account: &Account| {
        account.permits(&request.client_id, &audience, &request.scopes, settings.consent_lifetime, now)
    };
    !request.ask_again && request.redirect.may_be_remembered() && account.is_some_and(permits)
}

/// Whether the user who came back from Entra, whose `account` this is, permits what the transaction asks for. If not, a person has to be asked again:
/// [`Transaction::asking_again`].
///
/// # Errors
///
/// [`TransactionError::Phase`] if the transaction is not at Entra.
pub fn holds(
    transaction: &Transaction,
    account: &Account,
    settings: &Settings,
    now: u64,
) -> Result<bool, TransactionError> {
    let audience = transaction.redirect().audience();
    Ok(match transaction.basis()? {
        Basis::Given => true,
        Basis::Remembered => {
            let lifetime = settings.consent_lifetime;
            account.permits(transaction.client_id(), &audience, transaction.scopes(), lifetime, now)
        }
    })
}

/// Why the consent form is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentError {
    /// The body cannot be read, or is no form.
    Form(FormError),
    /// Posted by a page of another site.
    Foreign(ForeignForm),
    /// A field is missing, or the decision is none.
    Incomplete,
    /// The transaction.
    Transaction(TransactionError),
}

impl fmt::Display for ConsentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(error) => write!(f, "{error}"),
            Self::Foreign(error) => write!(f, "{error}"),
            Self::Incomplete => f.write_str("the form lacks `transaction`, `csrf` or `decision`"),
            Self::Transaction(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for ConsentError {}

impl ConsentError {
    /// The answer. `correlation_id` is the request's own number.
    #[must_use]
    pub fn response(&self, correlation_id: &str) -> Response {
        match self {
            Self::Transaction(error) => page::transaction_error(error, correlation_id),
            _ => page::form_error(correlation_id),
        }
    }
}

/// What a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No.
    Deny,
}

/// The form of the consent page, as posted.
#[derive(Debug)]
pub struct Answer {
    /// Id of the transaction, whose cookie is to be opened: [`transaction::cookie_name`].
    pub transaction: String,
    csrf: SecretString,
    decision: Decision,
}

impl Answer {
    /// Reads the form. `origin` and `sec_fetch_site` are the header fields of those names.
    ///
    /// # Errors
    ///
    /// [`ConsentError`].
    pub fn read(
        content_type: Option<&str>,
        body: &[u8],
        origin: Option<&str>,
        sec_fetch_site: Option<&str>,
        settings: &Settings,
    ) -> Result<Self, ConsentError> {
        crate::http::check_same_origin(&settings.issuer, origin, sec_fetch_site)
            .map_err(ConsentError::Foreign)?;
        let form = Form::post(content_type, body).map_err(ConsentError::Form)?;
        let decision = match form.get("decision") {
            Some("allow") => Decision::Allow,
            Some("deny") => Decision::Deny,
            _ => return Err(ConsentError::Incomplete),
        };
        let transaction = form.get("transaction").filter(|id| transaction::is_id(id));
        match (transaction, form.secret("csrf")) {
            (Some(transaction), Some(csrf)) => {
                Ok(Self { transaction: transaction.to_owned(), csrf, decision })
            }
            _ => Err(ConsentError::Incomplete),
        }
    }

    /// What was decided about `transaction`, whose cookie the browser sent with the form; with `Allow` it comes back ready for Entra.
    ///
    /// # Errors
    ///
    /// [`ConsentError::Transaction`].
    pub fn decide<P: Purpose>(
        &self,
        transaction: Transaction<P>,
        secrets: &EntraSecrets,
    ) -> Result<(Decision, Transaction<P>), ConsentError> {
        let csrf = transaction.csrf().map_err(ConsentError::Transaction)?;
        if !secret::equal(csrf, self.csrf.expose_secret()) {
            return Err(ConsentError::Transaction(TransactionError::Csrf));
        }
        Ok(match self.decision {
            Decision::Allow => (Decision::Allow, transaction.permitted(secrets)),
            Decision::Deny => (Decision::Deny, transaction),
        })
    }
}

/// The answer to [`Decision::Deny`]: a page that goes on to the client. The cookie ends.
#[must_use]
pub fn denied(transaction: &Transaction, settings: &Settings) -> Response {
    let location = transaction.failure(Code::AccessDenied, "the user declined", settings);
    page::onward(&location).with_cookie(cookie::clear(&transaction.cookie_name()))
}

#[cfg(test)]
#[path = "consent_tests.rs"]
mod tests;
