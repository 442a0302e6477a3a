//! The store in memory: gone when the process ends, and bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::error::StoreError;
use crate::limits::{MEMORY_ENTRY_BYTES, MEMORY_RANGE_BYTES, SWEPT_ENTRIES};
use crate::range::Range;

/// A store in memory.
pub(crate) struct Memory {
    shelves: Mutex<[Shelf; Range::COUNT]>,
    clock: Arc<dyn Clock>,
}

/// One range.
#[derive(Default)]
struct Shelf {
    entries: BTreeMap<Arc<str>, Entry>,
    /// The names of those entries that end, the next to end first.
    ends: BTreeSet<(Moment, Arc<str>)>,
    bytes: usize,
}

struct Entry {
    value: Box<[u8]>,
    ends: Moment,
}

impl Memory {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { shelves: Mutex::default(), clock }
    }

    /// Does something with a range, now.
    fn with<T>(&self, range: Range, act: impl FnOnce(&mut Shelf, Moment) -> T) -> T {
        // No code under the lock can leave a shelf half-changed.
        let mut shelves: MutexGuard<'_, _> = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut shelves[usize::from(range.number())], Moment::now(&*self.clock))
    }

    pub(crate) fn get(&self, range: Range, name: &str) -> Option<Vec<u8>> {
        self.with(range, |shelf, now| shelf.live(name, now).map(<[u8]>::to_vec))
    }

    pub(crate) fn exists(&self, range: Range, name: &str) -> bool {
        self.with(range, |shelf, now| shelf.live(name, now).is_some())
    }

    pub(crate) fn set(
        &self,
        range: Range,
        name: &str,
        value: &[u8],
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        self.with(range, |shelf, now| shelf.put(name, value, now, now.after(lifetime)))
    }

    pub(crate) fn take(&self, range: Range, name: &str) -> Option<Vec<u8>> {
        self.with(range, |shelf, now| {
            let entry = shelf.remove(name)?;
            (entry.ends > now).then(|| entry.value.into_vec())
        })
    }

    pub(crate) fn swap(
        &self,
        range: Range,
        name: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        self.with(range, |shelf, now| {
            if shelf.live(name, now) != expected {
                return Ok(false);
            }
            shelf.put(name, value, now, now.after(lifetime)).map(|()| true)
        })
    }

    pub(crate) fn names(&self, range: Range, prefix: &str, after: &str, most: usize) -> Vec<String> {
        let from = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
        self.with(range, |shelf, now| {
            let names = shelf.entries.range::<str, _>((from, Bound::Unbounded));
            let names = names.take_while(|(name, _)| name.starts_with(prefix));
            let live = names.filter(|(_, entry)| entry.ends > now);
            live.map(|(name, _)| name.to_string()).take(most).collect()
        })
    }
}

impl Shelf {
    fn live(&self, name: &str, now: Moment) -> Option<&[u8]> {
        self.entries.get(name).filter(|entry| entry.ends > now).map(|entry| &*entry.value)
    }

    fn put(&mut self, name: &str, value: &[u8], now: Moment, ends: Moment) -> Result<(), StoreError> {
        self.sweep(now, SWEPT_ENTRIES);
        let old = self.entries.get(name).map_or(0, |old| cost(name, &old.value));
        let new = cost(name, value);
        if self.bytes - old + new > MEMORY_RANGE_BYTES {
            // Each entry is swept once, so this costs no more than adding it did.
            self.sweep(now, usize::MAX);
        }
        let old = self.entries.get(name).map_or(0, |old| cost(name, &old.value));
        if self.bytes - old + new > MEMORY_RANGE_BYTES {
            let reason = format!(
                "{} entries of this range in memory take {} bytes, of {MEMORY_RANGE_BYTES}; `storage.path` has room for more",
                self.entries.len(),
                self.bytes
            );
            return Err(StoreError::Full { reason });
        }
        self.remove(name);
        let name: Arc<str> = name.into();
        if ends != Moment::NEVER {
            self.ends.insert((ends, Arc::clone(&name)));
        }
        self.entries.insert(name, Entry { value: value.into(), ends });
        self.bytes += new;
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Option<Entry> {
        let (name, entry) = self.entries.remove_entry(name)?;
        self.bytes -= cost(&name, &entry.value);
        self.ends.remove(&(entry.ends, name));
        Some(entry)
    }

    /// Removes at most so many entries whose lifetime is over.
    fn sweep(&mut self, now: Moment, most: usize) {
        for _ in 0..most {
            match self.ends.first() {
                Some((ends, name)) if *ends <= now => {
                    let name = Arc::clone(name);
                    self.remove(&name);
                }
                _ => break,
            }
        }
    }
}

fn cost(name: &str, value: &[u8]) -> usize {
    name.len() + value.len() + MEMORY_ENTRY_BYTES
}
