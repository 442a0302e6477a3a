//! A bounded store of things that expire: codes, refresh tokens, device codes, sessions.
//!
//! Whoever can reach the emulator can make it remember things, so nothing here grows without end: what has expired is
//! swept on every insertion, and where the shelf is full the entry that would expire first makes room.

use std::collections::{BTreeMap, HashMap};

use crate::clock::Instant;

/// Values by text key, each until an instant, at most `capacity` of them.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    capacity: usize,
    /// Distinguishes entries that expire in the same second, oldest first.
    next: u64,
    entries: HashMap<String, Entry<T>>,
    by_expiry: BTreeMap<(Instant, u64), String>,
}

#[derive(Debug)]
struct Entry<T> {
    place: (Instant, u64),
    value: T,
}

impl<T> Shelf<T> {
    /// An empty shelf for `capacity` entries; at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), next: 0, entries: HashMap::new(), by_expiry: BTreeMap::new() }
    }

    /// Puts `value` under `key` until `expires`, in place of what was there.
    pub(crate) fn insert(&mut self, now: Instant, key: String, value: T, expires: Instant) {
        self.remove(&key);
        while let Some((&(earliest, _), _)) = self.by_expiry.first_key_value()
            && (earliest <= now || self.entries.len() >= self.capacity)
        {
            if let Some((_, key)) = self.by_expiry.pop_first() {
                self.entries.remove(&key);
            }
        }
        let place = (expires, self.next);
        self.next += 1;
        self.by_expiry.insert(place, key.clone());
        self.entries.insert(key, Entry { place, value });
    }

    /// What lies under `key`, expired or not: only the reader knows whether "expired" and "unknown" are told apart.
    pub(crate) fn get(&self, key: &str) -> Option<&T> {
        self.entries.get(key).map(|e| &e.value)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.entries.get_mut(key).map(|e| &mut e.value)
    }

    /// Takes what lies under `key`.
    pub(crate) fn remove(&mut self, key: &str) -> Option<T> {
        let entry = self.entries.remove(key)?;
        self.by_expiry.remove(&entry.place);
        Some(entry.value)
    }

    /// Keeps what `keep` says yes to.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let by_expiry = &mut self.by_expiry;
        self.entries.retain(|_, entry| {
            let kept = keep(&entry.value);
            if !kept {
                by_expiry.remove(&entry.place);
            }
            kept
        });
    }

    /// Lets `change` at each value.
    pub(crate) fn each(&mut self, change: impl FnMut(&mut T)) {
        self.entries.values_mut().map(|entry| &mut entry.value).for_each(change);
    }

    /// The keys, in no order.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// How many entries there are, expired ones that were not swept yet among them.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(capacity: usize, lives: &[i64]) -> Shelf<usize> {
        let mut shelf = Shelf::new(capacity);
        for (i, &life) in lives.iter().enumerate() {
            shelf.insert(Instant(0), i.to_string(), i, Instant(life));
        }
        shelf
    }

    #[test]
    fn a_full_shelf_lets_the_first_to_expire_go() {
        let shelf = shelf(2, &[30, 10, 20]);
        assert_eq!((shelf.get("0"), shelf.get("1"), shelf.get("2")), (Some(&0), None, Some(&2)));
        assert_eq!(shelf.len(), 2);
    }

    #[test]
    fn expired_entries_stay_readable_until_the_next_insertion() {
        let mut shelf = shelf(10, &[10, 20]);
        assert_eq!(shelf.get("0"), Some(&0));
        shelf.insert(Instant(15), "new".into(), 7, Instant(30));
        assert_eq!((shelf.get("0"), shelf.get("1"), shelf.len()), (None, Some(&1), 2));
    }

    #[test]
    fn replacing_and_removing_leave_no_trace() {
        let mut shelf = shelf(2, &[10, 10]);
        shelf.insert(Instant(0), "0".into(), 9, Instant(40));
        assert_eq!((shelf.get("0"), shelf.len(), shelf.by_expiry.len()), (Some(&9), 2, 2));
        assert_eq!(shelf.remove("0"), Some(9));
        shelf.retain(|_| false);
        assert_eq!((shelf.len(), shelf.by_expiry.len()), (0, 0));
    }
}
