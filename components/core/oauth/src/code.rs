//! Our authorization code: 256 random bits, kept as a digest, good once and for a minute, bound to all that the request for it named
//! (RFC 6749 section 4.1.3, RFC 9700 section 4.5).
//!
//! A record is changed by compare and set, so of two requests with one code one gets tokens and the other finds it spent. A spent code is remembered for a while: its
//! second use says that somebody else has it, and ends the session that it began (RFC 6749 section 4.1.2).

use core::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::form::shown;
use crate::limits;
use crate::pkce::{Challenge, VerifierError};
use crate::secret::{self, Random, RandomId};
use crate::transaction::Transaction;
use crate::user::{Grant, Session};

/// A code that was just made.
#[derive(Debug)]
pub struct Issued {
    /// The code, for the client.
    pub code: SecretString,
    /// Name of the record to be written, for [`limits::CODE_LIFETIME`].
    pub record: String,
    /// The record.
    pub value: Vec<u8>,
    /// Family that the refresh tokens of this sign-in will have, for [`crate::account::Account::begin`].
    pub family: String,
    /// What was permitted.
    pub grant: Grant,
}

/// What is kept about a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// It was given out.
    #[serde(rename = "f")]
    Fresh(Box<Fresh>),
    /// It was redeemed.
    #[serde(rename = "s")]
    Spent(Spent),
}

/// A code that was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fresh {
    #[serde(rename = "g")]
    grant: Grant,
    #[serde(rename = "r")]
    redirect_uri: String,
    #[serde(rename = "h")]
    challenge: String,
    #[serde(rename = "f")]
    family: String,
    #[serde(rename = "e")]
    expires_at: u64,
}

/// What a code began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The session, to be closed on replay.
    #[serde(rename = "g")]
    pub grant: Grant,
    /// The family, whose record is to be deleted on replay.
    #[serde(rename = "f")]
    pub family: String,
}

/// Why a code is not redeemed. Nothing changes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeError {
    /// There is no such code (any more).
    Unknown,
    /// It was given out for another client.
    Client {
        /// Who presents it.
        found: String,
    },
    /// The request names another redirect URI than the one that the code was sent to.
    Redirect {
        /// What it names, cut short.
        found: String,
        /// Where the code was sent.
        expected: String,
    },
    /// More than [`limits::CODE_LIFETIME`] old.
    Expired {
        /// When it ended.
        expires_at: u64,
        /// Now.
        now: u64,
    },
    /// The verifier.
    Verifier(VerifierError),
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such code"),
            Self::Client { found } => write!(f, "the code was not given to the client `{}`", shown(found)),
            Self::Redirect { found, expected } => {
                write!(f, "the `redirect_uri` is `{found}`, the code was sent to `{expected}`")
            }
            Self::Expired { expires_at, now } => write!(f, "the code ended at {expires_at}, it is {now}"),
            Self::Verifier(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for CodeError {}

/// What follows from a code that was presented.
#[derive(Debug)]
pub enum Decision {
    /// Tokens, once the record was replaced by `spent` (for [`limits::SPENT_CODE_LIFETIME`]). If it was not as it was read, decide again.
    Redeem {
        /// What was permitted.
        grant: Grant,
        /// Family of the refresh tokens.
        family: String,
        /// The record that replaces this one.
        spent: Vec<u8>,
    },
    /// It was redeemed before: end what it began.
    Replayed(Spent),
}

/// Makes a code for a finished transaction. `code` and `family` are random, `now` is in seconds since the Unix epoch.
#[must_use]
pub fn issue(
    transaction: &Transaction,
    session: Session,
    code: &Random,
    family: &RandomId,
    now: u64,
) -> Issued {
    let code = secret::text(code);
    let family = secret::id(family);
    let grant = Grant {
        client_id: transaction.client_id().to_owned(),
        scopes: transaction.scopes().to_vec(),
        session,
    };
    let record = Record::Fresh(Box::new(Fresh {
        grant: grant.clone(),
        redirect_uri: transaction.redirect().as_str().to_owned(),
        challenge: transaction.challenge().as_str().to_owned(),
        family: family.clone(),
        expires_at: now + limits::CODE_LIFETIME,
    }));
    let value = serde_json::to_vec(&record).expect("texts and numbers serialise");
    Issued { record: record_name(&code), code, value, family, grant }
}

/// Name of a code's record, from which the code cannot be found.
#[must_use]
pub fn record_name(code: &SecretString) -> String {
    format!("code/{}", secret::digest(code.expose_secret()))
}

/// Decides about a code that `client_id`, which has authenticated itself, presents. `record` is what the store has under [`record_name`].
///
/// # Errors
///
/// [`CodeError`].
pub fn redeem(
    record: Option<&[u8]>,
    client_id: &str,
    redirect_uri: Option<&str>,
    verifier: Option<&SecretString>,
    now: u64,
) -> Result<Decision, CodeError> {
    let record = record.and_then(|record| serde_json::from_slice(record).ok()).ok_or(CodeError::Unknown)?;
    let fresh = match record {
        // Whoever presents it: that it is known to two is what matters.
        Record::Spent(spent) => return Ok(Decision::Replayed(spent)),
        Record::Fresh(fresh) => *fresh,
    };
    if fresh.grant.client_id != client_id {
        return Err(CodeError::Client { found: shown(client_id) });
    }
    // OAuth 2.1 section 4.1.3 drops the parameter, since the challenge binds the code; who sends it means it.
    if let Some(found) = redirect_uri.filter(|uri| *uri != fresh.redirect_uri) {
        return Err(CodeError::Redirect { found: shown(found), expected: fresh.redirect_uri });
    }
    if now >= fresh.expires_at {
        return Err(CodeError::Expired { expires_at: fresh.expires_at, now });
    }
    Challenge::kept(&fresh.challenge)
        .verify(verifier.map(|verifier| verifier.expose_secret()))
        .map_err(CodeError::Verifier)?;
    let Fresh { grant, family, .. } = fresh;
    let spent = Record::Spent(Spent { grant: grant.clone(), family: family.clone() });
    let spent = serde_json::to_vec(&spent).expect("texts and numbers serialise");
    Ok(Decision::Redeem { grant, family, spent })
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
