//! The three kinds behind one type.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::error::StoreError;
use crate::lease::Held;
use crate::memory::Memory;
use crate::range::Range;
use crate::ranged::Ranged;
use crate::redis::{Redis, RedisSettings};

/// A store. Clones are the same store.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) kind: Kind,
    /// Leases of memory and disk, which no other process has open.
    pub(crate) held: Arc<Held>,
    /// Wakes those in this process who wait for a lease.
    pub(crate) released: Arc<Notify>,
}

#[expect(clippy::large_enum_variant, reason = "a process has one store")]
pub(crate) enum Kind {
    Memory(Memory),
    Disk(Disk),
    Redis(Redis),
}

impl Store {
    /// An empty store in memory.
    pub fn memory(clock: impl Clock) -> Self {
        Self::of(Kind::Memory(Memory::new(Arc::new(clock))))
    }

    /// The store in the file at `path`, which is made if there is none, readable by its owner only. One process at a time can have it open. A file that was not
    /// closed (kill −9, power loss) is repaired, and every file is checked from end to end: about a second for each 200 MB.
    ///
    /// # Errors
    /// [`InUse`](StoreError::InUse), [`ReadOnly`](StoreError::ReadOnly), [`Full`](StoreError::Full), [`Corrupt`](StoreError::Corrupt) for a file that is damaged
    /// or something else, [`Unavailable`](StoreError::Unavailable) when the folder does not exist or the disk fails.
    pub async fn disk(path: &Path, clock: impl Clock) -> Result<Self, StoreError> {
        Ok(Self::of(Kind::Disk(Disk::open(path, Arc::new(clock)).await?)))
    }

    /// The store in a Redis 7 or Valkey server, which several processes share. Connects at once, so that a wrong setting shows at start.
    ///
    /// # Errors
    /// [`Settings`](StoreError::Settings) for a URL that is none, [`Unavailable`](StoreError::Unavailable) when the server cannot be reached or refuses the password.
    pub async fn redis(settings: &RedisSettings) -> Result<Self, StoreError> {
        Ok(Self::of(Kind::Redis(Redis::open(settings).await?)))
    }

    /// The right to use one range.
    #[must_use]
    pub fn range(&self, range: Range) -> Ranged {
        Ranged::new(self.clone(), range)
    }

    fn of(kind: Kind) -> Self {
        Self(Arc::new(Inner { kind, held: Arc::default(), released: Arc::default() }))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0.kind {
            Kind::Memory(_) => "Store::memory",
            Kind::Disk(_) => "Store::disk",
            Kind::Redis(_) => "Store::redis",
        })
    }
}
