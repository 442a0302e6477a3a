//! Key-value storage for the capabilities that keep something: one trait, in memory or on disk.

mod disk;
mod memory;

pub use disk::Disk;
pub use memory::Memory;

/// A failure of the store, for the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is full.
    #[error("the store holds {entries} entries, its limit")]
    Full {
        /// How many it holds.
        entries: usize,
    },
    /// The store cannot be read or written.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Named byte strings in ranges that never mix.
pub trait Store: Send + Sync {
    /// The value of `name` in `range`, or none.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn get(&self, range: Range, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Keeps `value`, atomically: a later `get` gives the old value or the new one, whole, also after a crash.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn set(&self, range: Range, name: &str, value: &[u8]) -> Result<(), StoreError>;
    /// Removes `name`; not an error if there is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn delete(&self, range: Range, name: &str) -> Result<(), StoreError>;
    /// The first `most` names in `range` that begin with `prefix` and come after `after`, sorted. `after` need not exist.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn names(&self, range: Range, prefix: &str, after: &str, most: usize) -> Result<Vec<String>, StoreError>;
}

/// What is kept apart. A capability is given one range and cannot name another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Range {
    /// Verified key documents (`key-cache`).
    Keys,
    /// Sealed tokens (`token-store`).
    Tokens,
    /// What the portable layouts keep through `wasi:keyvalue`.
    Portable,
}
