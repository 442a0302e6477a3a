//! The store on disk: a redb file, whose transactions survive kill −9 and power loss.

use std::ops::Bound;
use std::path::Path;

use redb::{Database, ReadableDatabase as _, TableDefinition, TableError};

use super::{Range, Store, StoreError};

const KEYS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("keys");
const TOKENS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tokens");
const PORTABLE: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("portable");

/// A store in one file.
pub struct Disk(Database);

impl Disk {
    /// Opens the file at `path`, or makes it. One process at a time can have it open.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a store, or is open elsewhere.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Database::create(path).map(Self).map_err(failed)
    }
}

fn table(range: Range) -> TableDefinition<'static, &'static str, &'static [u8]> {
    match range {
        Range::Keys => KEYS,
        Range::Tokens => TOKENS,
        Range::Portable => PORTABLE,
    }
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

impl Store for Disk {
    fn get(&self, range: Range, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let transaction = self.0.begin_read().map_err(failed)?;
        match transaction.open_table(table(range)) {
            Ok(entries) => {
                let value = entries.get(name).map_err(failed)?;
                Ok(value.map(|value| value.value().to_owned()))
            }
            // Nothing has been written to this range yet.
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn set(&self, range: Range, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let transaction = self.0.begin_write().map_err(failed)?;
        transaction.open_table(table(range)).map_err(failed)?.insert(name, value).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    fn delete(&self, range: Range, name: &str) -> Result<(), StoreError> {
        let transaction = self.0.begin_write().map_err(failed)?;
        transaction.open_table(table(range)).map_err(failed)?.remove(name).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    fn names(&self, range: Range, prefix: &str, after: &str, most: usize) -> Result<Vec<String>, StoreError> {
        let transaction = self.0.begin_read().map_err(failed)?;
        let entries = match transaction.open_table(table(range)) {
            Ok(entries) => entries,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let from = if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
        let mut names = Vec::new();
        for entry in entries.range::<&str>((from, Bound::Unbounded)).map_err(failed)? {
            let (name, _) = entry.map_err(failed)?;
            if names.len() == most || !name.value().starts_with(prefix) {
                break;
            }
            names.push(name.value().to_owned());
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_reopening_and_ranges_do_not_mix() {
        let path = std::env::temp_dir().join(format!("valet-disk-test-{}.redb", std::process::id()));
        {
            let store = Disk::open(&path).unwrap();
            assert_eq!(store.get(Range::Keys, "a").unwrap(), None);
            store.set(Range::Keys, "a", b"1").unwrap();
            store.set(Range::Tokens, "b", b"2").unwrap();
            store.delete(Range::Tokens, "absent").unwrap();
        }
        let store = Disk::open(&path).unwrap();
        assert_eq!(store.get(Range::Keys, "a").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(store.get(Range::Tokens, "a").unwrap(), None);
        store.delete(Range::Keys, "a").unwrap();
        assert_eq!(store.get(Range::Keys, "a").unwrap(), None);
        drop(store);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn both_stores_list_names_by_prefix_and_page() {
        let path = std::env::temp_dir().join(format!("valet-disk-names-{}.redb", std::process::id()));
        let disk = Disk::open(&path).unwrap();
        for store in [&disk as &dyn Store, &crate::store::Memory::default()] {
            assert_eq!(store.names(Range::Portable, "a/", "", 9).unwrap(), [""; 0]);
            store.set(Range::Keys, "a/other-range", b"").unwrap();
            for name in ["a/1", "a/2", "a/3", "a", "b/1", "a0"] {
                store.set(Range::Portable, name, b"").unwrap();
            }
            assert_eq!(store.names(Range::Portable, "a/", "", 2).unwrap(), ["a/1", "a/2"]);
            assert_eq!(store.names(Range::Portable, "a/", "a/2", 2).unwrap(), ["a/3"]);
            assert_eq!(
                store.names(Range::Portable, "a/", "a/20", 2).unwrap(),
                ["a/3"],
                "`after` need not exist"
            );
            assert_eq!(store.names(Range::Portable, "a/", "b", 2).unwrap(), [""; 0]);
        }
        drop(disk);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_that_is_no_store_is_refused() {
        let path = std::env::temp_dir().join(format!("valet-disk-test-{}.txt", std::process::id()));
        std::fs::write(&path, "not a store, and long enough to be looked at as one".repeat(100)).unwrap();
        assert!(Disk::open(&path).is_err());
        std::fs::remove_file(path).unwrap();
    }
}
