//! Leases: one holder at a time, and none for ever.
//!
//! In Redis a lease is a key of its own. Memory and disk belong to one process, so theirs are a table here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::error::StoreError;
use crate::limits::{LEASE_FIRST_PAUSE, LEASE_LONGEST_PAUSE, LEASE_TIME};
use crate::range::Range;
use crate::redis::RedisLease;
use crate::store::{Inner, Kind};

/// For how long a lease is wanted. Both are at most [`LEASE_TIME`].
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// How long it lasts if its holder is lost. Longer than the work can take.
    pub lifetime: Duration,
    /// How long to wait for the one who holds it. Zero is one try.
    pub patience: Duration,
}

/// The right to act alone. Dropping it releases it; to a Redis store in a task of its own, which needs the runtime to be there.
#[must_use = "a lease that is dropped is released"]
pub struct Lease {
    hold: Option<Hold>,
    released: Arc<Notify>,
}

enum Hold {
    Here { held: Arc<Held>, key: (Range, String), holder: u64 },
    Redis(RedisLease),
}

/// Waits for the lease and takes it.
pub(crate) async fn take(store: &Inner, range: Range, name: &str, term: Term) -> Result<Lease, StoreError> {
    let lifetime = term.lifetime.min(LEASE_TIME);
    let patience = term.patience.min(LEASE_TIME);
    let until = Instant::now() + patience;
    let mut pause = LEASE_FIRST_PAUSE;
    loop {
        // Listening begins before the try, so that no release in between is missed.
        let mut released = std::pin::pin!(store.released.notified());
        released.as_mut().enable();
        let hold = match &store.kind {
            Kind::Redis(redis) => redis.lease(range, name, lifetime).await?.map(Hold::Redis),
            Kind::Memory(_) | Kind::Disk(_) => Held::take(&store.held, range, name, lifetime),
        };
        if let Some(hold) = hold {
            return Ok(Lease { hold: Some(hold), released: Arc::clone(&store.released) });
        }
        let now = Instant::now();
        if now >= until {
            return Err(StoreError::Held { waited: patience });
        }
        // Over after the pause or with the next release, whichever is first.
        let _ = timeout_at((now + pause).min(until), released).await;
        pause = (pause * 2).min(LEASE_LONGEST_PAUSE);
    }
}

impl Lease {
    /// Gives the right back, and says whether it was still ours: if not, its lifetime was over and another may have acted.
    ///
    /// # Errors
    /// When Redis cannot be reached; the lease then ends by itself.
    pub async fn release(mut self) -> Result<bool, StoreError> {
        let released = match self.hold.take() {
            Some(Hold::Here { held, key, holder }) => Ok(held.release(&key, holder)),
            Some(Hold::Redis(lease)) => lease.release().await,
            None => Ok(false),
        };
        self.released.notify_waiters();
        released
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.hold.take() {
            Some(Hold::Here { held, key, holder }) => {
                held.release(&key, holder);
                self.released.notify_waiters();
            }
            Some(Hold::Redis(lease)) => release_later(lease, Arc::clone(&self.released)),
            None => {}
        }
    }
}

fn release_later(lease: RedisLease, released: Arc<Notify>) {
    // Without a runtime the process is ending; the lease ends by itself.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    runtime.spawn(async move {
        if let Err(error) = lease.release().await {
            tracing::warn!(%error, "a lease could not be released, and ends by itself");
        }
        released.notify_waiters();
    });
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lease")
    }
}

/// The leases of a store that one process has to itself. Their time is tokio's, which no change of the time of day moves.
#[derive(Default)]
pub(crate) struct Held(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// Who holds each, and until when.
    holders: HashMap<(Range, String), (u64, Instant)>,
    given: u64,
}

impl Held {
    fn table(&self) -> MutexGuard<'_, Table> {
        // No code under the lock can leave the table half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(this: &Arc<Self>, range: Range, name: &str, lifetime: Duration) -> Option<Hold> {
        let key = (range, name.to_owned());
        let now = Instant::now();
        let mut table = this.table();
        if table.holders.get(&key).is_some_and(|(_, ends)| *ends > now) {
            return None;
        }
        table.given += 1;
        let holder = table.given;
        table.holders.insert(key.clone(), (holder, now + lifetime));
        Some(Hold::Here { held: Arc::clone(this), key, holder })
    }

    /// Whether `holder` still had it.
    fn release(&self, key: &(Range, String), holder: u64) -> bool {
        let now = Instant::now();
        let mut table = self.table();
        match table.holders.get(key) {
            Some((current, ends)) if *current == holder => {
                let ours = *ends > now;
                table.holders.remove(key);
                ours
            }
            _ => false,
        }
    }
}
