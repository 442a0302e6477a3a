//! What a capability can do with its range. Sizes are checked here, once for all kinds.

use std::time::Duration;

use crate::error::{Part, StoreError};
use crate::lease::{self, Lease, Term};
use crate::limits::{COUNTED_NAMES, NAME_BYTES, NAMES_AT_ONCE, VALUE_BYTES};
use crate::range::Range;
use crate::store::{Kind, Store};

/// The right to use one range of a store.
///
/// Every operation fails with [`StoreError::TooLarge`] or [`StoreError::EmptyName`] for names and values that no store takes, and otherwise with what
/// [`StoreError`] says of stores that are unavailable, full, read-only or damaged.
///
/// A `lifetime` of `None` has no end; one under a millisecond is over at once.
#[derive(Debug, Clone)]
pub struct Ranged {
    store: Store,
    range: Range,
}

impl Ranged {
    pub(crate) fn new(store: Store, range: Range) -> Self {
        Self { store, range }
    }

    /// The value of `name`, or none.
    ///
    /// # Errors
    /// As [`Ranged`] says.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        named(name)?;
        match &self.store.0.kind {
            Kind::Memory(memory) => Ok(memory.get(self.range, name)),
            Kind::Disk(disk) => disk.get(self.range, name).await,
            Kind::Redis(redis) => redis.get(self.range, name).await,
        }
    }

    /// Whether `name` has a value.
    ///
    /// # Errors
    /// As [`Ranged`] says.
    pub async fn exists(&self, name: &str) -> Result<bool, StoreError> {
        named(name)?;
        match &self.store.0.kind {
            Kind::Memory(memory) => Ok(memory.exists(self.range, name)),
            Kind::Disk(disk) => disk.exists(self.range, name).await,
            Kind::Redis(redis) => redis.exists(self.range, name).await,
        }
    }

    /// Keeps `value` under `name` for `lifetime`, in place of what was there.
    ///
    /// # Errors
    /// As [`Ranged`] says. Then the old value is still there, except that after [`StoreError::Unavailable`] it may be the new one.
    pub async fn set(&self, name: &str, value: &[u8], lifetime: Option<Duration>) -> Result<(), StoreError> {
        named(name)?;
        sized(value)?;
        match &self.store.0.kind {
            Kind::Memory(memory) => memory.set(self.range, name, value, lifetime),
            Kind::Disk(disk) => disk.set(self.range, name, value, lifetime).await,
            Kind::Redis(redis) => redis.set(self.range, name, value, lifetime).await,
        }
    }

    /// Removes `name`; not an error if there is none.
    ///
    /// # Errors
    /// As [`Ranged`] says.
    pub async fn delete(&self, name: &str) -> Result<(), StoreError> {
        named(name)?;
        match &self.store.0.kind {
            Kind::Memory(memory) => {
                memory.take(self.range, name);
                Ok(())
            }
            Kind::Disk(disk) => disk.delete(self.range, name).await,
            Kind::Redis(redis) => redis.delete(self.range, name).await,
        }
    }

    /// Removes `name` and gives its value. Of all who take it, in all processes, at most one gets it; the others get none.
    ///
    /// # Errors
    /// As [`Ranged`] says. After [`StoreError::Unavailable`] the value may be gone, and nobody has it.
    pub async fn take(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        named(name)?;
        match &self.store.0.kind {
            Kind::Memory(memory) => Ok(memory.take(self.range, name)),
            Kind::Disk(disk) => disk.take(self.range, name).await,
            Kind::Redis(redis) => redis.take(self.range, name).await,
        }
    }

    /// Keeps `value` under `name` for `lifetime` if what is there is `expected` (`None`: nothing), and says whether it was.
    ///
    /// # Errors
    /// As [`Ranged`] says, and as [`Ranged::set`] says.
    pub async fn swap(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        named(name)?;
        sized(value)?;
        match &self.store.0.kind {
            Kind::Memory(memory) => memory.swap(self.range, name, expected, value, lifetime),
            Kind::Disk(disk) => disk.swap(self.range, name, expected, value, lifetime).await,
            Kind::Redis(redis) => redis.swap(self.range, name, expected, value, lifetime).await,
        }
    }

    /// The first `most` names (at most [`NAMES_AT_ONCE`]) that begin with `prefix` and come after `after`, in the order of their bytes. Empty, both mean any;
    /// `after` need not exist.
    ///
    /// # Errors
    /// As [`Ranged`] says.
    pub async fn names(&self, prefix: &str, after: &str, most: usize) -> Result<Vec<String>, StoreError> {
        bounded(prefix)?;
        bounded(after)?;
        let most = most.min(NAMES_AT_ONCE);
        match &self.store.0.kind {
            _ if most == 0 => Ok(Vec::new()),
            Kind::Memory(memory) => Ok(memory.names(self.range, prefix, after, most)),
            Kind::Disk(disk) => disk.names(self.range, prefix, after, most).await,
            Kind::Redis(redis) => redis.names(self.range, prefix, after, most).await,
        }
    }

    /// How many names begin with `prefix`, counted up to `most` (at most [`COUNTED_NAMES`]). It is no part of a later write: of several who count at the same
    /// time and then add, all may find room.
    ///
    /// # Errors
    /// As [`Ranged`] says.
    pub async fn count(&self, prefix: &str, most: usize) -> Result<usize, StoreError> {
        let most = most.min(COUNTED_NAMES);
        let (mut count, mut after) = (0, String::new());
        while count < most {
            let page = self.names(prefix, &after, most - count).await?;
            let Some(last) = page.last() else { break };
            count += page.len();
            after.clone_from(last);
        }
        Ok(count)
    }

    /// The right to act on `name` alone, in all processes that share the store, until the lease is released or its lifetime is over. Waits for whoever holds it.
    ///
    /// A lease says who goes first; it locks nothing. Whoever was held up for longer than the lifetime is no longer alone, so what must not be lost is
    /// written with [`swap`](Ranged::swap).
    ///
    /// # Errors
    /// [`StoreError::Held`] when another holds it for longer than the patience; and as [`Ranged`] says.
    pub async fn lease(&self, name: &str, term: Term) -> Result<Lease, StoreError> {
        named(name)?;
        lease::take(&self.store.0, self.range, name, term).await
    }
}

fn named(name: &str) -> Result<(), StoreError> {
    if name.is_empty() {
        return Err(StoreError::EmptyName);
    }
    bounded(name)
}

fn bounded(name: &str) -> Result<(), StoreError> {
    if name.len() > NAME_BYTES {
        return Err(StoreError::TooLarge { part: Part::Name, bytes: name.len(), most: NAME_BYTES });
    }
    Ok(())
}

fn sized(value: &[u8]) -> Result<(), StoreError> {
    if value.len() > VALUE_BYTES {
        return Err(StoreError::TooLarge { part: Part::Value, bytes: value.len(), most: VALUE_BYTES });
    }
    Ok(())
}
