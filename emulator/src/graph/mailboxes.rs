//! What users own and can change: messages, events, files. Made from the user's id when first looked at, then kept.
//!
//! Bounded per user: what was written last stays, what was written first makes room. What the seeds made is small and
//! is not counted.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::{hmac, rand};
use serde_json::Value;
use uuid::Uuid;

use super::{outlook_items, seeds};
use crate::clock::Instant;
use crate::registrations::User;

/// How many written items a user keeps.
const ITEMS: usize = 1_000;

/// How many bytes they may have together.
const BYTES: usize = 8 << 20;

/// Whether the directory of the user gave them a mailbox and a drive: members with an address have, guests have not.
pub(super) fn has_mailbox(user: &User) -> bool {
    user.mail.is_some() && user.home.is_none()
}

/// A file or folder with its content.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) item: Value,
    /// None: a folder.
    pub(super) content: Option<Vec<u8>>,
}

/// What one user owns.
pub(super) struct Mailbox {
    /// The instant the seeds are arranged around.
    pub(super) opened: i64,
    pub(super) messages: Vec<Value>,
    pub(super) events: Vec<Value>,
    pub(super) files: Vec<Entry>,
    written: VecDeque<(String, usize)>,
    changes: u64,
}

/// All users' belongings, by object id.
pub(crate) struct Mailboxes {
    inner: Mutex<HashMap<Uuid, Mailbox>>,
    /// Signs the links that files are downloaded from without a token.
    pub(super) links: hmac::Key,
}

impl Mailboxes {
    pub(crate) fn new() -> Self {
        let links = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())
            .expect("the system's random source works, or RSA keys could not have been made");
        Self { inner: Mutex::default(), links }
    }

    /// Lets `act` work on what a user owns while nobody else can.
    pub(super) fn with<T>(&self, user: &User, now: Instant, act: impl FnOnce(&mut Mailbox) -> T) -> T {
        // A panicking holder leaves at worst one item half changed.
        let mut all = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        act(all.entry(user.id).or_insert_with(|| Mailbox::open(user, now)))
    }
}

impl Mailbox {
    fn open(user: &User, now: Instant) -> Self {
        let opened = now.0 - now.0.rem_euclid(3600);
        Self {
            opened,
            messages: seeds::messages(user, opened),
            events: seeds::events(user, opened),
            files: seeds::files(user, opened),
            written: VecDeque::new(),
            changes: 0,
        }
    }

    /// A number that no other change of this mailbox has.
    pub(super) fn change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    /// Adds a message, newest first.
    pub(super) fn add_message(&mut self, message: Value) {
        let (id, size) = weight(&message);
        self.messages.insert(0, message);
        self.wrote(id, size);
    }

    /// Adds an event.
    pub(super) fn add_event(&mut self, event: Value) {
        let (id, size) = weight(&event);
        self.events.push(event);
        self.wrote(id, size);
    }

    /// Adds a file.
    pub(super) fn add_file(&mut self, entry: Entry) {
        let (id, size) = weight(&entry.item);
        let size = size + entry.content.as_ref().map_or(0, Vec::len);
        self.files.push(entry);
        self.wrote(id, size);
    }

    /// Replaces the item with the same id.
    pub(super) fn replace(&mut self, item: Value) {
        let (id, size) = weight(&item);
        let same = |other: &&mut Value| other["id"] == item["id"];
        if let Some(place) = self.messages.iter_mut().chain(&mut self.events).find(same) {
            *place = item;
            self.wrote(id, size);
        }
    }

    /// Removes an item.
    pub(super) fn remove(&mut self, id: &str) {
        self.messages.retain(|m| m["id"] != id);
        self.events.retain(|e| e["id"] != id);
        self.files.retain(|f| f.item["id"] != id);
        self.written.retain(|(written, _)| written != id);
    }

    fn wrote(&mut self, id: String, size: usize) {
        self.written.retain(|(written, _)| *written != id);
        self.written.push_back((id, size));
        let mut bytes: usize = self.written.iter().map(|(_, size)| size).sum();
        while (bytes > BYTES || self.written.len() > ITEMS)
            && let Some((oldest, size)) = self.written.front().cloned()
        {
            bytes -= size;
            self.remove(&oldest);
        }
    }
}

fn weight(item: &Value) -> (String, usize) {
    (outlook_items::id(item).to_owned(), item.to_string().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registrations::{Registrations, ids};
    use serde_json::json;

    #[test]
    fn the_first_written_makes_room_and_seeds_stay() {
        let all = Registrations::sample();
        let mut mailbox = Mailbox::open(all.user(ids::ADELE_UPN).unwrap(), Instant(1_795_438_800));
        let (messages, events) = (mailbox.messages.len(), mailbox.events.len());
        for i in 0..ITEMS + 5 {
            mailbox.add_event(json!({ "id": format!("event {i}") }));
        }
        assert_eq!((mailbox.messages.len(), mailbox.events.len()), (messages, events + ITEMS));
        assert!(!mailbox.events.iter().any(|e| e["id"] == "event 4"));
        let big = "x".repeat(BYTES / 2);
        for i in 0..3 {
            mailbox.add_message(json!({ "id": format!("message {i}"), "body": big }));
        }
        assert_eq!((mailbox.messages.len(), mailbox.events.len()), (messages + 1, events));
    }
}
