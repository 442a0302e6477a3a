//! The place of a key that may still be in the making, and the two ways to wait for it.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::{KeyError, KeyIssuer, SigningKey};

/// A key, now or soon.
pub(crate) struct Slot {
    /// Whose tokens it may sign.
    pub(super) issuer: KeyIssuer,
    made: OnceLock<Result<SigningKey, KeyError>>,
    changed: Notify,
}

impl Slot {
    /// A place that the factory has yet to fill.
    pub(super) fn empty(issuer: KeyIssuer) -> Arc<Self> {
        Arc::new(Self { issuer, made: OnceLock::new(), changed: Notify::new() })
    }

    /// A place with its key.
    pub(super) fn of(issuer: KeyIssuer, key: SigningKey) -> Arc<Self> {
        let slot = Self::empty(issuer);
        slot.fill(Ok(key));
        slot
    }

    /// Puts the key in its place.
    pub(super) fn fill(&self, made: Result<SigningKey, KeyError>) {
        // Nobody fills a place twice: the factory takes its order away first.
        let _ = self.made.set(made);
        self.changed.notify_waiters();
    }

    /// The key if it is there already.
    pub(super) fn get(&self) -> Option<&SigningKey> {
        self.made.get().and_then(|made| made.as_ref().ok())
    }

    /// The key; holds the thread until it is there.
    pub(super) fn key(&self) -> &SigningKey {
        let made = self.made.wait().as_ref();
        made.expect(
            "the system's random source works, or the certificate of the listener could not have been made",
        )
    }

    /// Returns when the key is there, without holding the thread.
    pub(crate) async fn ready(&self) {
        let mut changed = std::pin::pin!(self.changed.notified());
        // Before looking, so that a key made in between is not missed.
        changed.as_mut().enable();
        if self.made.get().is_none() {
            changed.await;
        }
    }
}
