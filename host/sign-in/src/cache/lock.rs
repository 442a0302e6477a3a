//! One process at a time changes the cache. The lock is a file of its own, which stays when the cache's file is replaced; the system
//! lets go of it when a process ends, however it ends. It holds a stamp that every change renews, so that readers see a change at once.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep};

use super::CacheError;
use crate::limits::{LOCK_DEADLINE, LOCK_POLL};
use crate::random;

/// The lock, held until it is dropped.
pub(super) struct Held {
    file: File,
    path: PathBuf,
}

/// Waits for the lock.
pub(super) async fn acquire(path: &Path) -> Result<Held, CacheError> {
    let failed = |error: std::io::Error| CacheError::Write { path: path.to_owned(), why: error.to_string() };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    let end = Instant::now() + LOCK_DEADLINE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Held { file, path: path.to_owned() }),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => {
                return Err(CacheError::Busy { path: path.to_owned(), seconds: LOCK_DEADLINE.as_secs() });
            }
            // Polled, since a wait in the system could not be given up.
            Err(TryLockError::WouldBlock) => sleep(LOCK_POLL).await,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

impl Held {
    /// Renews the stamp.
    pub(super) fn changed(&mut self) -> Result<(), CacheError> {
        let stamp = random::token();
        self.file
            .rewind()
            // Every stamp has the same length, so nothing of the old one stays.
            .and_then(|()| self.file.write_all(stamp.expose_secret().as_bytes()))
            .map_err(|error| CacheError::Write { path: self.path.clone(), why: error.to_string() })
    }
}

/// The stamp of the last change; empty if there was none.
pub(super) fn stamp(path: &Path) -> String {
    let mut stamp = String::new();
    if let Ok(file) = File::open(path) {
        // What is no stamp is never equal to one, and costs a look at the cache.
        let _ = file.take(64).read_to_string(&mut stamp);
    }
    stamp
}
