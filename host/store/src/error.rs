//! What can go wrong, told apart by what an operator does about it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

/// Why an operation or the opening of a store failed. The texts are for the log; they hold no value, no password and no name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached: Redis is down, restarting or refuses the password, or the disk fails.
    #[error("the store is unavailable: {reason}")]
    Unavailable {
        /// What the system or the server said.
        reason: String,
    },
    /// There is no room for a new value. What was there is still there, and can be deleted.
    #[error("the store is full: {reason}")]
    Full {
        /// Which limit was met.
        reason: String,
    },
    /// A name or value is longer than the store takes.
    #[error("a {part} of {bytes} bytes is too long for the store, which takes {most}")]
    TooLarge {
        /// Which of the two.
        part: Part,
        /// How long it is.
        bytes: usize,
        /// How long it may be: [`NAME_BYTES`](crate::limits::NAME_BYTES) or [`VALUE_BYTES`](crate::limits::VALUE_BYTES).
        most: usize,
    },
    /// A name is empty.
    #[error("a name in the store cannot be empty")]
    EmptyName,
    /// The store can be read at best: the file or its file system is read-only, or Redis is a replica or cannot save.
    #[error("the store is read-only: {reason}")]
    ReadOnly {
        /// What the system or the server said.
        reason: String,
    },
    /// The file is not a store or is damaged, or keys of Redis hold something else than ours.
    #[error("the store is damaged, or not a store of this version: {reason}")]
    Corrupt {
        /// What was found.
        reason: String,
    },
    /// The file is open in another process; a file serves one.
    #[error("`storage.path` {} is open in another process; several processes share a Redis (`storage.redis_url_file`)", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The settings of Redis cannot be used.
    #[error("`storage.redis_url_file` (or VALET_REDIS_URL) or `storage.redis_ca_file`: {reason}")]
    Settings {
        /// What is wrong, without the URL, which holds a password.
        reason: String,
    },
    /// Somebody else held the lease all the time.
    #[error("the lease was held by another for {} ms", waited.as_millis())]
    Held {
        /// How long it was waited for.
        waited: Duration,
    },
}

/// What is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A name, or a prefix or position in a list of names.
    Name,
    /// A value.
    Value,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Value => "value",
        })
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        let reason = error.to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full { reason }
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly { reason },
            // What redb says of a file that it did not write.
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::Corrupt { reason },
            _ => Self::Unavailable { reason },
        }
    }
}
