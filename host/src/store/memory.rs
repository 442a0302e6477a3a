//! The store in memory: gone when the process ends.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use super::{Range, Store, StoreError};
use crate::limits::MEMORY_STORE_ENTRIES;

/// A store in memory.
#[derive(Default)]
pub struct Memory(Mutex<BTreeMap<(Range, String), Vec<u8>>>);

impl Memory {
    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Range, String), Vec<u8>>> {
        // No code under the lock can leave the map half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn get(&self, range: Range, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.entries().get(&(range, name.to_owned())).cloned())
    }

    fn set(&self, range: Range, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut entries = self.entries();
        let key = (range, name.to_owned());
        if entries.len() >= MEMORY_STORE_ENTRIES && !entries.contains_key(&key) {
            return Err(StoreError::Full { entries: entries.len() });
        }
        entries.insert(key, value.to_owned());
        Ok(())
    }

    fn delete(&self, range: Range, name: &str) -> Result<(), StoreError> {
        self.entries().remove(&(range, name.to_owned()));
        Ok(())
    }

    fn names(&self, range: Range, prefix: &str, after: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let from = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let from = from.map(|name| (range, name.to_owned()));
        let entries = self.entries();
        let names = entries.range((from, Bound::Unbounded)).map(|((range, name), _)| (range, name));
        let names = names.take_while(|(found, name)| **found == range && name.starts_with(prefix));
        Ok(names.map(|(_, name)| name.clone()).take(most).collect())
    }
}
