//! What is kept about a user: which clients they permitted, and which sessions they have. One record, so that both can be shown, withdrawn and ended
//! together.
//!
//! The shell reads it, changes it with a function from here, and writes it back if it is still as it was read.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::settings::Settings;
use crate::transaction::Transaction;
use crate::user::{Grant, User};

/// A user's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    #[serde(rename = "c", default)]
    consents: Vec<Consent>,
    #[serde(rename = "s", default)]
    sessions: Vec<Kept>,
}

/// A client that the user permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The client.
    #[serde(rename = "c")]
    pub client_id: String,
    /// Where answers to it may go: [`crate::redirect::RedirectUri::audience`].
    #[serde(rename = "r")]
    pub audience: String,
    /// What for.
    #[serde(rename = "p")]
    pub scopes: Vec<String>,
    /// Since when, in seconds since the Unix epoch.
    #[serde(rename = "g")]
    pub given: u64,
}

/// A session of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Id of the session.
    #[serde(rename = "i")]
    pub session: String,
    /// Family of its refresh tokens.
    #[serde(rename = "f")]
    pub family: String,
    /// The client.
    #[serde(rename = "c")]
    pub client_id: String,
    /// Since when, in seconds since the Unix epoch.
    #[serde(rename = "b")]
    pub begun: u64,
}

impl Account {
    /// Reads a record; none stored, or none that can be read, is a user of whom nothing is known.
    #[must_use]
    pub fn read(record: Option<&[u8]>) -> Self {
        record.and_then(|record| serde_json::from_slice(record).ok()).unwrap_or_default()
    }

    /// The record.
    #[must_use]
    pub fn to_record(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers serialise")
    }

    /// Whether the user has permitted all that is asked for, not longer than `lifetime` seconds ago.
    #[must_use]
    pub fn permits(
        &self,
        client_id: &str,
        audience: &str,
        scopes: &[String],
        lifetime: u64,
        now: u64,
    ) -> bool {
        self.consents.iter().any(|consent| {
            consent.client_id == client_id
                && consent.audience == audience
                && now < consent.given.saturating_add(lifetime)
                && scopes.iter().all(|scope| consent.scopes.contains(scope))
        })
    }

    /// Remembers that the user permitted what the transaction asked for, together with what they permitted the same client before.
    pub fn permit(&mut self, transaction: &Transaction, now: u64) {
        let (client_id, audience) = (transaction.client_id(), transaction.redirect().audience());
        let mut scopes = transaction.scopes().to_vec();
        if let Some(at) =
            self.consents.iter().position(|it| it.client_id == client_id && it.audience == audience)
        {
            let before = self.consents.remove(at).scopes;
            scopes.extend(before.into_iter().filter(|scope| !transaction.scopes().contains(scope)));
        }
        self.consents.push(Consent { client_id: client_id.to_owned(), audience, scopes, given: now });
        let superfluous = self.consents.len().saturating_sub(limits::CONSENTS);
        self.consents.drain(..superfluous);
    }

    /// Adds a session, and forgets those that can live no longer (`lifetime` is that of refresh tokens). Gives the sessions that are too many: the shell ends them.
    pub fn begin(&mut self, grant: &Grant, family: &str, lifetime: u64, now: u64) -> Vec<Kept> {
        self.sessions.retain(|kept| now < kept.begun.saturating_add(lifetime));
        self.sessions.push(Kept {
            session: grant.session.id.clone(),
            family: family.to_owned(),
            client_id: grant.client_id.clone(),
            begun: now,
        });
        let superfluous = self.sessions.len().saturating_sub(limits::SESSIONS);
        self.sessions.drain(..superfluous).collect()
    }

    /// Forgets a client: what was permitted to it, and its sessions, which the shell ends.
    pub fn withdraw(&mut self, client_id: &str) -> Vec<Kept> {
        self.consents.retain(|consent| consent.client_id != client_id);
        let (ended, kept) = self.sessions.drain(..).partition(|kept| kept.client_id == client_id);
        self.sessions = kept;
        ended
    }

    /// The clients that have a permission or a session, each once.
    #[must_use]
    pub fn clients(&self) -> Vec<&str> {
        let permitted = self.consents.iter().map(|consent| consent.client_id.as_str());
        let signed_in = self.sessions.iter().map(|kept| kept.client_id.as_str());
        let mut clients: Vec<&str> = permitted.chain(signed_in).collect();
        clients.sort_unstable();
        clients.dedup();
        clients
    }

    /// Forgets everything, and gives the sessions that there were: the shell ends them.
    pub fn clear(&mut self) -> Vec<Kept> {
        self.consents.clear();
        std::mem::take(&mut self.sessions)
    }

    /// Forgets one session that its client gave back, and with it what the user permitted that client: the authorization grant itself (RFC 7009 section 1). Other
    /// sessions of the client go on; the next one is asked for. That the session is here no more, since it ended before, changes nothing about the permission.
    pub fn give_back(&mut self, session: &str, client_id: &str) {
        self.end(session);
        self.consents.retain(|consent| consent.client_id != client_id);
    }

    /// The family of refresh tokens of a session; none if there is no such session.
    #[must_use]
    pub fn family_of(&self, session: &str) -> Option<&str> {
        self.sessions.iter().find(|kept| kept.session == session).map(|kept| kept.family.as_str())
    }

    /// Forgets one session.
    pub fn end(&mut self, session: &str) {
        self.sessions.retain(|kept| kept.session != session);
    }

    /// The permissions, oldest first.
    #[must_use]
    pub fn consents(&self) -> &[Consent] {
        &self.consents
    }

    /// The sessions, oldest first. All of them end when the user signs out or an operator says so: each session is closed, each family's record
    /// deleted, and then this record.
    #[must_use]
    pub fn sessions(&self) -> &[Kept] {
        &self.sessions
    }
}

/// How long a user's record is kept after its last change, in seconds: as long as anything in it can matter.
#[must_use]
pub fn lifetime(settings: &Settings) -> u64 {
    settings.consent_lifetime.max(settings.refresh_token_lifetime)
}

/// Name of a user's record.
#[must_use]
pub fn record_name(user: &User) -> String {
    format!("account/{}/{}", user.tenant_id, user.object_id)
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
