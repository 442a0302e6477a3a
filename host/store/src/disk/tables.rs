//! The two tables of the file, and what is read from and written to them.
//!
//! Entries are found by range and name. A second table has the entries that end in the order of their ends, so that sweeping reads nothing else.

use std::ops::Bound;

use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase as _, ReadableTable, Table, TableDefinition,
    TableError,
};

use super::change::{Change, Outcome};
use crate::clock::Moment;
use crate::limits::SWEPT_ENTRIES;
use crate::range::Range;

/// Range and name.
type Key = (u8, &'static str);

/// End and value.
type Value = (u64, &'static [u8]);

const ENTRIES: TableDefinition<'_, Key, Value> = TableDefinition::new("entries");

/// End, range and name.
const ENDS: TableDefinition<'_, (u64, u8, &str), ()> = TableDefinition::new("ends");

pub(super) fn get(
    database: &Database,
    range: Range,
    name: &str,
    now: Moment,
) -> Result<Option<Vec<u8>>, redb::Error> {
    entry(database, range, name, now, |value| value.to_vec())
}

pub(super) fn exists(
    database: &Database,
    range: Range,
    name: &str,
    now: Moment,
) -> Result<bool, redb::Error> {
    Ok(entry(database, range, name, now, |_| ())?.is_some())
}

pub(super) fn names(
    database: &Database,
    range: Range,
    prefix: &str,
    after: &str,
    most: usize,
    now: Moment,
) -> Result<Vec<String>, redb::Error> {
    let number = range.number();
    let Some(entries) = entries(&database.begin_read()?)? else { return Ok(Vec::new()) };
    let from =
        if after < prefix { Bound::Included((number, prefix)) } else { Bound::Excluded((number, after)) };
    let mut names = Vec::new();
    for entry in entries.range((from, Bound::Unbounded))? {
        let (key, value) = entry?;
        let (found, name) = key.value();
        if names.len() == most || found != number || !name.starts_with(prefix) {
            break;
        }
        if value.value().0 > now.0 {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// What `read` makes of the value of `name`.
fn entry<T>(
    database: &Database,
    range: Range,
    name: &str,
    now: Moment,
    read: impl FnOnce(&[u8]) -> T,
) -> Result<Option<T>, redb::Error> {
    let Some(entries) = entries(&database.begin_read()?)? else { return Ok(None) };
    let Some(entry) = entries.get((range.number(), name))? else { return Ok(None) };
    let (ends, value) = entry.value();
    Ok((ends > now.0).then(|| read(value)))
}

/// None if nothing has been written yet.
fn entries(transaction: &ReadTransaction) -> Result<Option<ReadOnlyTable<Key, Value>>, redb::Error> {
    match transaction.open_table(ENTRIES) {
        Ok(entries) => Ok(Some(entries)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes all `changes`, one after the other, in one commit that is on disk when this returns.
pub(super) fn commit<'a>(
    database: &Database,
    changes: impl Iterator<Item = &'a Change>,
    now: Moment,
) -> Result<Vec<Outcome>, redb::Error> {
    let transaction = database.begin_write()?;
    let mut writing = Writing {
        entries: transaction.open_table(ENTRIES)?,
        ends: transaction.open_table(ENDS)?,
        now,
        changed: false,
    };
    let outcomes: Vec<Outcome> = changes.map(|change| writing.make(change)).collect::<Result<_, _>>()?;
    if !writing.changed {
        drop(writing);
        transaction.abort()?;
        return Ok(outcomes);
    }
    writing.sweep(outcomes.len() * SWEPT_ENTRIES)?;
    drop(writing);
    transaction.commit()?;
    Ok(outcomes)
}

struct Writing<'t> {
    entries: Table<'t, Key, Value>,
    ends: Table<'t, (u64, u8, &'static str), ()>,
    now: Moment,
    /// Whether there is anything to commit.
    changed: bool,
}

impl Writing<'_> {
    fn make(&mut self, change: &Change) -> Result<Outcome, redb::StorageError> {
        match change {
            Change::Set { range, name, value, ends } => {
                self.put(*range, name, value, *ends)?;
                Ok(Outcome::Done)
            }
            Change::Take { range, name } => Ok(Outcome::Taken(self.remove(range.number(), name)?)),
            Change::Swap { range, name, expected, value, ends } => {
                let equal = match self.entries.get((range.number(), name.as_str()))? {
                    Some(entry) if entry.value().0 > self.now.0 => {
                        expected.as_deref() == Some(entry.value().1)
                    }
                    _ => expected.is_none(),
                };
                if !equal {
                    return Ok(Outcome::Unequal);
                }
                self.put(*range, name, value, *ends)?;
                Ok(Outcome::Done)
            }
        }
    }

    fn put(
        &mut self,
        range: Range,
        name: &str,
        value: &[u8],
        ends: Moment,
    ) -> Result<(), redb::StorageError> {
        let number = range.number();
        self.changed = true;
        let old = self.entries.insert((number, name), (ends.0, value))?.map(|old| old.value().0);
        if let Some(old) = old.filter(|old| *old != ends.0 && *old != Moment::NEVER.0) {
            self.ends.remove((old, number, name))?;
        }
        if ends != Moment::NEVER {
            self.ends.insert((ends.0, number, name), ())?;
        }
        Ok(())
    }

    /// Removes an entry, and gives its value if that was live.
    fn remove(&mut self, number: u8, name: &str) -> Result<Option<Vec<u8>>, redb::StorageError> {
        let Some(old) = self.entries.remove((number, name))? else { return Ok(None) };
        self.changed = true;
        let (ends, value) = old.value();
        if ends != Moment::NEVER.0 {
            self.ends.remove((ends, number, name))?;
        }
        Ok((ends > self.now.0).then(|| value.to_vec()))
    }

    /// Removes at most so many of the entries whose lifetime is over, those first that ended first.
    fn sweep(&mut self, most: usize) -> Result<(), redb::StorageError> {
        let mut over = Vec::new();
        for end in self.ends.range(..=(self.now.0, u8::MAX, ""))?.take(most) {
            let (end, _) = end?;
            let (_, number, name) = end.value();
            over.push((number, name.to_owned()));
        }
        for (number, name) in over {
            self.remove(number, &name)?;
        }
        Ok(())
    }
}
