//! Refresh tokens: opaque, a new one with each use, their digests kept in one record for each sign-in, the *family*.
//!
//! A token is `family.secret`. The record has the digest of the token in force and of the one before it. Presenting the one in force makes a new one;
//! presenting one that was in force ends the family (RFC 9700 section 4.14.2), because then two have it. That a token was of the family shows by itself: half of its
//! secret is random, and the other half follows from that and from a key of the family, which never leaves the record. Who knows no more than the family, or makes up
//! a token, can end nothing. With the record a token that ends the family can be made, and none that is taken: those are in it as digests. One exception keeps honest clients signed in: an answer can
//! be lost, and a client can ask twice at once. So as long as no successor of a token has been used, and for no longer than an access token lives, the token is
//! taken again and given a further successor. The first successor that is used puts the others and their predecessor out of force; a thief and the owner who
//! each hold one meet at the next use.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::form::shown;
use crate::limits;
use crate::scope::{self, ScopeError};
use crate::secret::{self, Random, RandomId};
use crate::settings::Settings;
use crate::user::{Grant, Session};

/// What is kept about a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    #[serde(rename = "g")]
    grant: Grant,
    /// By which tokens of the family are known, in base64url.
    #[serde(rename = "k")]
    key: String,
    /// End of the whole family, in seconds since the Unix epoch.
    #[serde(rename = "e")]
    expires_at: u64,
    /// Digests of the tokens in force: successors of one token, none of which was used yet.
    #[serde(rename = "c")]
    current: Vec<String>,
    /// The token before.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Previous {
    #[serde(rename = "d")]
    digest: String,
    /// Until when it is taken again, in seconds since the Unix epoch.
    #[serde(rename = "u")]
    until: u64,
}

/// A refresh token as presented.
#[derive(Debug)]
pub struct Presented {
    family: String,
    secret: SecretString,
    digest: String,
}

impl Presented {
    /// Reads a token; none for a text that was never one of ours.
    #[must_use]
    pub fn parse(token: &SecretString) -> Option<Self> {
        let (family, secret) = token.expose_secret().split_once('.')?;
        let ours = secret::is_base64url(family, 22) && secret::is_base64url(secret, 43);
        ours.then(|| Self {
            family: family.to_owned(),
            secret: secret.into(),
            digest: secret::digest(secret),
        })
    }

    /// Name of the family's record.
    #[must_use]
    pub fn record_name(&self) -> String {
        record_name(&self.family)
    }

    /// The family.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }
}

/// Name of a family's record.
#[must_use]
pub fn record_name(family: &str) -> String {
    format!("refresh/{family}")
}

/// A refresh token that was just made, and the record with it.
#[derive(Debug)]
pub struct Issued {
    /// The token, for the client.
    pub token: SecretString,
    /// Name of the record.
    pub record: String,
    /// The record to be written before the token is given out.
    pub value: Vec<u8>,
    /// How long the record is kept, in seconds.
    pub lifetime: u64,
    /// What the access token beside it is for: the scopes that were asked for, of those that were permitted.
    pub grant: Grant,
}

/// Why a refresh token is not taken. Nothing changes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshError {
    /// There is no such family (any more), or the text was never a token.
    Unknown,
    /// There is such a family, and the token was never one of it.
    Forged,
    /// It was given to another client.
    Client {
        /// Who presents it, cut short.
        found: String,
    },
    /// The family has come to its end.
    Expired {
        /// When.
        expires_at: u64,
        /// Now.
        now: u64,
    },
    /// More than what was permitted.
    Scope(ScopeError),
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such refresh token"),
            Self::Forged => f.write_str("the refresh token was never one of its family"),
            Self::Client { found } => write!(f, "the refresh token was not given to the client `{found}`"),
            Self::Expired { expires_at, now } => write!(f, "the sign-in ended at {expires_at}, it is {now}"),
            Self::Scope(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for RefreshError {}

/// What follows from a refresh token that was presented.
#[derive(Debug)]
pub enum Decision {
    /// A new one, once the session was renewed ([`Rotation::finish`]) and the record replaced. If it was not as it was read, decide again with what
    /// is there now.
    Rotate(Box<Rotation>),
    /// It was in force once: end the family and its session.
    Reused {
        /// What the family stood for.
        grant: Grant,
    },
}

/// A rotation that lacks the state of the session.
#[derive(Debug)]
pub struct Rotation {
    record: Record,
    family: String,
    scopes: Vec<String>,
    token: SecretString,
}

/// Begins a family. `key` is for the family, `random` for the token, `now` in seconds since the Unix epoch.
#[must_use]
pub fn begin(
    grant: Grant,
    family: &str,
    key: &Random,
    random: &RandomId,
    settings: &Settings,
    now: u64,
) -> Issued {
    let key = secret::base64url(key);
    let token = made(&key, family, random);
    let lifetime = settings.refresh_token_lifetime;
    let record = Record {
        grant: grant.clone(),
        key,
        expires_at: now + lifetime,
        current: vec![secret::digest(token.expose_secret())],
        previous: None,
    };
    issued(&record, family, &token, lifetime, grant)
}

/// Decides about a token that `client_id`, which has authenticated itself, presents. `record` is what the store has under
/// [`Presented::record_name`], `random` is for the next token.
///
/// # Errors
///
/// [`RefreshError`].
pub fn decide(
    record: Option<&[u8]>,
    presented: &Presented,
    client_id: &str,
    scope: Option<&str>,
    random: &RandomId,
    settings: &Settings,
    now: u64,
) -> Result<Decision, RefreshError> {
    let record: Record =
        record.and_then(|record| serde_json::from_slice(record).ok()).ok_or(RefreshError::Unknown)?;
    if record.grant.client_id != client_id {
        return Err(RefreshError::Client { found: shown(client_id) });
    }
    if now >= record.expires_at {
        return Err(RefreshError::Expired { expires_at: record.expires_at, now });
    }
    if !record.is_of(presented) {
        return Err(RefreshError::Forged);
    }
    let token = made(&record.key, &presented.family, random);
    let next = secret::digest(token.expose_secret());
    let grant = record.grant.clone();
    let Some(record) = record.rotate(&presented.digest, next, settings.access_token_lifetime, now) else {
        return Ok(Decision::Reused { grant });
    };
    let scopes = scope::narrow(scope, &grant.scopes, settings).map_err(RefreshError::Scope)?;
    Ok(Decision::Rotate(Box::new(Rotation { record, family: presented.family.clone(), scopes, token })))
}

/// The secret of a token of `family`: `random`, and what follows from it by the family's `key` (HMAC-SHA256, 128 bits of it).
fn made(key: &str, family: &str, random: &RandomId) -> SecretString {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of all lengths");
    mac.update(family.as_bytes());
    mac.update(random);
    let tag = mac.finalize().into_bytes();
    secret::base64url(&[random.as_slice(), &tag[..16]].concat()).into()
}

impl Record {
    /// Whether a token was made here, for this family; whether it is in force is another question.
    fn is_of(&self, presented: &Presented) -> bool {
        let bytes = secret::bytes(presented.secret.expose_secret()).unwrap_or_default();
        let Some(random) = bytes.first_chunk() else { return false };
        let made = made(&self.key, &presented.family, random);
        secret::equal(made.expose_secret(), presented.secret.expose_secret())
    }

    /// The record after `presented` was used and `next` given out for it; none if it is not in force.
    fn rotate(mut self, presented: &str, next: String, grace: u64, now: u64) -> Option<Self> {
        if self.current.iter().any(|digest| secret::equal(digest, presented)) {
            self.previous = Some(Previous { digest: presented.to_owned(), until: now + grace });
            self.current = vec![next];
            return Some(self);
        }
        let again = |previous: &Previous| secret::equal(&previous.digest, presented) && now < previous.until;
        if !self.previous.as_ref().is_some_and(again) {
            return None;
        }
        if self.current.len() == limits::SUCCESSORS {
            self.current.remove(0);
        }
        self.current.push(next);
        Some(self)
    }
}

impl Rotation {
    /// What the family stands for.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.record.grant
    }

    /// The session that has to be renewed.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.record.grant.session.id
    }

    /// The next token, with the session as it is now: the user's name and roles may have changed.
    #[must_use]
    pub fn finish(mut self, session: Session, now: u64) -> Issued {
        self.record.grant.session = session;
        let grant = Grant { scopes: self.scopes, ..self.record.grant.clone() };
        let lifetime = self.record.expires_at.saturating_sub(now);
        issued(&self.record, &self.family, &self.token, lifetime, grant)
    }
}

fn issued(record: &Record, family: &str, token: &SecretString, lifetime: u64, grant: Grant) -> Issued {
    Issued {
        token: format!("{family}.{}", token.expose_secret()).into(),
        record: record_name(family),
        value: serde_json::to_vec(record).expect("texts and numbers serialise"),
        lifetime,
        grant,
    }
}

/// What a family stands for, if `presented` may end it: its client asks, with a token that is or was of it (RFC 7009 section 2.1).
///
/// # Errors
///
/// [`RefreshError::Client`] for another client's token. [`RefreshError::Unknown`] and [`RefreshError::Forged`] are no errors for who revokes.
pub fn revoke(record: Option<&[u8]>, presented: &Presented, client_id: &str) -> Result<Grant, RefreshError> {
    let record: Record =
        record.and_then(|record| serde_json::from_slice(record).ok()).ok_or(RefreshError::Unknown)?;
    if !record.is_of(presented) {
        Err(RefreshError::Forged)
    } else if record.grant.client_id == client_id {
        Ok(record.grant)
    } else {
        Err(RefreshError::Client { found: shown(client_id) })
    }
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
