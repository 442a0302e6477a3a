//! What a transaction is for.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Transaction, TransactionError};
use crate::cookie::Cookies;
use crate::redirect::RedirectUri;
use crate::step_up::StepUp;
use secrecy::SecretString;

/// What is remembered for one kind of transaction beside what all have.
pub trait Purpose: Serialize + DeserializeOwned {
    /// Whether what was read is what this version would have kept.
    fn is_sound(&self) -> bool;

    /// Of what the progress is counted: of the transaction itself, unless several lead to one end that is reached once.
    fn counted<'a>(&'a self, id: &'a str) -> &'a str;
}

/// A client's request for a code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForClient {
    #[serde(rename = "r")]
    pub(super) redirect_uri: String,
    #[serde(rename = "p")]
    pub(super) scopes: Vec<String>,
    #[serde(rename = "h")]
    pub(super) challenge: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
}

impl Purpose for ForClient {
    /// Sealed by an older version perhaps, whose rules for redirect URIs were others.
    fn is_sound(&self) -> bool {
        RedirectUri::parse_configured(&self.redirect_uri).is_ok()
    }

    fn counted<'a>(&'a self, id: &'a str) -> &'a str {
        id
    }
}

/// A transaction of either kind, as a browser brings it back: what is told apart by nothing that the browser says.
#[derive(Debug)]
pub enum Any {
    /// A client waits for a code.
    ForClient(Transaction),
    /// A session waits for its user.
    StepUp(Transaction<StepUp>),
}

impl Any {
    /// Finds and reads the transaction `id` among a browser's cookies. `unseal` opens a value that is bound to a name.
    ///
    /// # Errors
    ///
    /// [`TransactionError`], but for [`TransactionError::Phase`].
    pub fn open(
        cookies: &Cookies<'_>,
        id: &str,
        now: u64,
        unseal: impl FnOnce(&str, &str) -> Option<SecretString>,
    ) -> Result<Self, TransactionError> {
        let name = super::cookie_name(id);
        let plain = unseal(cookies.get(&name).ok_or(TransactionError::NoCookie)?, &name);
        match super::read(plain.as_ref(), id, now) {
            Err(TransactionError::Foreign) => super::read(plain.as_ref(), id, now).map(Self::StepUp),
            read => read.map(Self::ForClient),
        }
    }
}
