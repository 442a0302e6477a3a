//! The open file, and its opening again: redb refuses everything after an error of the disk until the file has been closed.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use redb::{Database, DatabaseError};

use crate::error::StoreError;
use crate::limits::{DISK_CACHE_BYTES, DISK_RESERVE_BYTES};

pub(super) struct File {
    path: PathBuf,
    /// None after it could not be opened again.
    open: RwLock<Option<Database>>,
}

impl File {
    /// Opens the file at `path`, or makes it.
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let database = database(&path)?;
        Ok(Self { path, open: RwLock::new(Some(database)) })
    }

    /// Does something with the file. If it had failed before, it is opened again first.
    pub(super) fn with<T>(&self, act: impl Fn(&Database) -> Result<T, redb::Error>) -> Result<T, StoreError> {
        match self.attempt(&act) {
            Some(done) => done,
            None => {
                self.reopen()?;
                let again = || StoreError::Unavailable { reason: "the file failed again at once".to_owned() };
                self.attempt(&act).unwrap_or_else(|| Err(again()))
            }
        }
    }

    /// Whether the disk has room for new values. Where the system is not asked, the disk says it when it is full.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "as where the system is asked")]
    pub(super) fn has_room(&self) -> Result<(), StoreError> {
        let _ = (&self.path, DISK_RESERVE_BYTES);
        Ok(())
    }

    /// Whether the disk has room for new values.
    #[cfg(unix)]
    pub(super) fn has_room(&self) -> Result<(), StoreError> {
        let disk = rustix::fs::statvfs(&self.path).map_err(std::io::Error::from)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < DISK_RESERVE_BYTES {
            let reason = format!(
                "{free} bytes are free on the disk of {}, and {DISK_RESERVE_BYTES} are kept free",
                self.path.display()
            );
            return Err(StoreError::Full { reason });
        }
        Ok(())
    }

    /// Does something with the file if nobody has to be waited for: not while it is opened again, nor when it has to be.
    pub(super) fn at_once<T>(
        &self,
        act: impl Fn(&Database) -> Result<T, redb::Error>,
    ) -> Option<Result<T, StoreError>> {
        attempt(self.open.try_read().ok()?.as_ref()?, act)
    }

    /// None if the file has to be opened again.
    fn attempt<T>(&self, act: impl Fn(&Database) -> Result<T, redb::Error>) -> Option<Result<T, StoreError>> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        attempt(open.as_ref()?, act)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // Closed first, since it is locked.
        *open = None;
        *open = Some(database(&self.path)?);
        tracing::info!(path = %self.path.display(), "the store was opened again after an error");
        Ok(())
    }
}

/// None if the file has to be opened again.
fn attempt<T>(
    database: &Database,
    act: impl Fn(&Database) -> Result<T, redb::Error>,
) -> Option<Result<T, StoreError>> {
    // redb may panic over pages that changed under it. What it was doing is given up with its transaction.
    match catch_unwind(AssertUnwindSafe(|| act(database))) {
        Ok(Err(redb::Error::PreviousIo)) => None,
        Ok(done) => Some(done.map_err(failed)),
        Err(_) => Some(Err(StoreError::Corrupt { reason: "redb panicked over the file".to_owned() })),
    }
}

fn database(path: &Path) -> Result<Database, StoreError> {
    make(path)?;
    let mut builder = Database::builder();
    builder.set_cache_size(DISK_CACHE_BYTES);
    // Otherwise a damaged page shows as a panic, some day.
    builder.set_check_integrity_on_open(true);
    let opened = catch_unwind(AssertUnwindSafe(|| builder.open(path)));
    let damaged = |_| StoreError::Corrupt { reason: "redb panicked over the file".to_owned() };
    opened.map_err(damaged)?.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: path.to_owned() },
        error => failed(error.into()),
    })
}

/// Makes an empty store where there is none, readable by its owner alone.
///
/// redb cannot open a file whose making was cut short, so it is made under another name and then given its own, which fails if another process was first.
fn make(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        // Somebody prepared an empty file.
        Ok(metadata) if metadata.len() == 0 => return fill(path),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.new", random()));
    let unfinished = folder.join(name);
    let made = fill(&unfinished).and_then(|()| match fs::hard_link(&unfinished, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    });
    let removed = fs::remove_file(&unfinished);
    made?;
    removed?;
    // The name of the file is durable only with its folder, which Windows opens for nobody and needs not.
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// No other process, nor one before that was killed, uses the same name.
fn random() -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has random numbers");
    u64::from_ne_bytes(bytes)
}

fn fill(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    let made = Database::builder().create(path).map_err(|error| failed(error.into()))?;
    made.close().map_err(|error| failed(error.into()))
}

fn failed(error: redb::Error) -> StoreError {
    match error {
        redb::Error::Io(error) => error.into(),
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => {
            StoreError::Unavailable { reason: error.to_string() }
        }
        error => StoreError::Corrupt { reason: error.to_string() },
    }
}
