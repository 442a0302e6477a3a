//! The administrator's side.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::server::own_user;
use super::{Asked, LineError, Told, line, lines, socket_of};
use crate::commands::sessions::{Operation, say_ended};
use crate::limits;

/// Why a running server did not do what was wanted.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error("storage: `storage.path` {} is open in another process, and no server answers at {}: {error}", file.display(), path.display())]
    NotThere {
        /// The store.
        file: PathBuf,
        /// Where the server would.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Somebody else's program listens in the server's place.
    #[error("user {user} listens at {}, who is neither the owner of the store beside it nor you nor root", path.display())]
    Stranger {
        /// Where the server would.
        path: PathBuf,
        /// The user of the program.
        user: u32,
    },
    /// The server did not answer, or not to the end.
    #[error(
        "the server did not say how it ended ({0}); what was to end may have ended in part: see its log, and try again"
    )]
    Unanswered(#[source] LineError),
    /// The server did not do it, or not to its end.
    #[error("the server: {0}")]
    Failed(String),
    /// Standard output.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// Has the server do what is wanted that has the store at `file` open, and says what came of it.
///
/// # Errors
/// [`AskError`].
pub async fn ask(file: &Path, operation: &Operation, out: &mut impl Write) -> Result<(), AskError> {
    let path = socket_of(file);
    let (mut stream, user) = match connected(&path).await {
        Ok(connected) => connected,
        Err(error) => return Err(AskError::NotThere { file: file.to_owned(), path, error }),
    };
    let owner = fs::metadata(file).map(|file| file.uid()).ok();
    if ![Some(own_user()), Some(0), owner].contains(&Some(user)) {
        return Err(AskError::Stranger { path, user });
    }
    let (from, mut to) = stream.split();
    let unanswered = |error| AskError::Unanswered(LineError::Broken(error));
    // Shorter than what the system takes without being read.
    to.write_all(&lines(&[Asked::new(operation)])).await.map_err(unanswered)?;
    let mut from = BufReader::new(from);
    loop {
        // The server has that long for all of it.
        let time = limits::ADMINISTRATION_TIME + limits::ADMINISTRATION_LINE_TIME;
        let line = line(&mut from, limits::ADMINISTRATION_ANSWER_BYTES, time);
        let line = line.await.map_err(AskError::Unanswered)?;
        let told: Told = serde_json::from_slice(&line).map_err(|error| unanswered(error.into()))?;
        match told {
            Told::User(user) => user.show(out)?,
            Told::Listed => return Ok(()),
            Told::Ended(ended) => return Ok(say_ended(ended, out)?),
            Told::Failed(why) => return Err(AskError::Failed(why)),
        }
    }
}

/// A connection, and whose program is at its other end.
async fn connected(path: &Path) -> io::Result<(UnixStream, u32)> {
    let stream = timeout(limits::ADMINISTRATION_LINE_TIME, UnixStream::connect(path)).await??;
    let user = stream.peer_cred()?.uid();
    Ok((stream, user))
}
