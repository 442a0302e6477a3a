//! Why a transaction cannot go on.

use core::fmt;

/// Why a transaction cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionError {
    /// The browser has no such cookie: another browser began, cookies are off, or it took too long.
    NoCookie,
    /// The cookie does not open, or is of another transaction.
    Foreign,
    /// It began more than [`crate::limits::TRANSACTION_LIFETIME`] ago.
    Expired {
        /// When it began.
        begun: u64,
        /// Now.
        now: u64,
    },
    /// It is in the other phase: a step is missing, or was taken already.
    Phase,
    /// Entra has answered it too often.
    Attempts {
        /// How many answers are taken: [`crate::limits::REDEMPTIONS`].
        most: usize,
    },
    /// The `state` is not the one that was sent.
    State,
    /// The form's token is not the page's.
    Csrf,
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCookie => f.write_str("the browser has no cookie of this sign-in"),
            Self::Foreign => f.write_str("the cookie of this sign-in does not open"),
            Self::Expired { begun, now } => write!(f, "the sign-in began at {begun}, too long before {now}"),
            Self::Phase => f.write_str("the sign-in is not at this step"),
            Self::Attempts { most } => write!(f, "{most} answers of Entra were taken for the sign-in"),
            Self::State => f.write_str("the `state` is not the one that was sent to Entra"),
            Self::Csrf => f.write_str("the form's token is not the one of the page"),
        }
    }
}

impl core::error::Error for TransactionError {}
