//! The store in one file: redb, whose commits survive kill −9 and power loss.
//!
//! One entry is read where it is asked for, which takes microseconds; to have another thread do that takes longer. What reads many, or has to wait for the file, is done on
//! tokio's blocking threads, and writing on a thread of its own ([`writer`]).

mod change;
mod file;
mod tables;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use redb::Database;
use tokio::task::spawn_blocking;

use self::change::{Change, Outcome};
use self::file::File;
use self::writer::Writer;
use crate::clock::{Clock, Moment};
use crate::error::StoreError;
use crate::range::Range;

/// A store in one file. Dropping it waits for the last commit and closes the file.
pub(crate) struct Disk {
    writer: Writer,
    file: Arc<File>,
    clock: Arc<dyn Clock>,
}

impl Disk {
    pub(crate) async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let file = Arc::new(blocking(move || File::open(path)).await?);
        let writer = Writer::start(Arc::clone(&file), Arc::clone(&clock))?;
        Ok(Self { writer, file, clock })
    }

    pub(crate) async fn get(&self, range: Range, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(range, name, tables::get).await
    }

    pub(crate) async fn exists(&self, range: Range, name: &str) -> Result<bool, StoreError> {
        self.read(range, name, tables::exists).await
    }

    /// Reads one entry.
    async fn read<T: Send + 'static>(
        &self,
        range: Range,
        name: &str,
        act: fn(&Database, Range, &str, Moment) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let now = self.now();
        if let Some(done) = self.file.at_once(|database| act(database, range, name, now)) {
            return done;
        }
        let (file, name) = (Arc::clone(&self.file), name.to_owned());
        blocking(move || file.with(|database| act(database, range, &name, now))).await
    }

    pub(crate) async fn names(
        &self,
        range: Range,
        prefix: &str,
        after: &str,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        let (file, prefix, after, now) =
            (Arc::clone(&self.file), prefix.to_owned(), after.to_owned(), self.now());
        blocking(move || file.with(|database| tables::names(database, range, &prefix, &after, most, now)))
            .await
    }

    pub(crate) async fn set(
        &self,
        range: Range,
        name: &str,
        value: &[u8],
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        let ends = self.now().after(lifetime);
        self.writer
            .write(Change::Set { range, name: name.to_owned(), value: value.to_owned(), ends })
            .await?;
        Ok(())
    }

    pub(crate) async fn delete(&self, range: Range, name: &str) -> Result<(), StoreError> {
        self.take(range, name).await?;
        Ok(())
    }

    pub(crate) async fn take(&self, range: Range, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writer.write(Change::Take { range, name: name.to_owned() }).await? {
            Outcome::Taken(value) => Ok(value),
            Outcome::Done | Outcome::Unequal => Ok(None),
        }
    }

    pub(crate) async fn swap(
        &self,
        range: Range,
        name: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        let (name, expected, value) = (name.to_owned(), expected.map(<[u8]>::to_vec), value.to_owned());
        let ends = self.now().after(lifetime);
        let outcome = self.writer.write(Change::Swap { range, name, expected, value, ends }).await?;
        Ok(matches!(outcome, Outcome::Done))
    }

    fn now(&self) -> Moment {
        Moment::now(&*self.clock)
    }
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let stopped = |_| StoreError::Unavailable { reason: "the runtime is shutting down".to_owned() };
    spawn_blocking(act).await.map_err(stopped)?
}
