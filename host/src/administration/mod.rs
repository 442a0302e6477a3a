//! The way of an administrator into a running server whose store is a file: no other process can open it meanwhile, so the server itself does what is wanted.
//!
//! It listens on a socket of this machine beside the file ([`socket_of`]), for its own user and root alone. A connection is one line of JSON that asks
//! (`Asked`) and lines that answer (`Told`), the last of which says how it ended. Nothing but what `valet sessions` does can be asked for.

mod client;
mod server;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::time::timeout;
use valet_sign_in::AccountId;

use crate::commands::sessions::{Operation, User, Which};

pub use client::{AskError, ask};
pub use server::{Administration, Taken};

/// Where the server of the store at `file` listens.
#[must_use]
pub fn socket_of(file: &Path) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(".socket");
    path.into()
}

/// A line that asks. Members that are not known are refused: what is asked for is never less than what was meant.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
enum Asked {
    /// For the users with sessions.
    List {},
    /// For the end of one user's sessions.
    Revoke {
        /// `OBJECT-ID@TENANT-ID`.
        user: String,
    },
    /// For the end of all sessions.
    RevokeAll {},
}

impl Asked {
    fn new(operation: &Operation) -> Self {
        match operation {
            Operation::List => Self::List {},
            Operation::Revoke(Which::All) => Self::RevokeAll {},
            Operation::Revoke(Which::Of { tenant_id, object_id }) => {
                Self::Revoke { user: AccountId::new(tenant_id, object_id).to_string() }
            }
        }
    }

    /// What is wanted; else what is wrong with the user.
    fn operation(self) -> Result<Operation, String> {
        Ok(match self {
            Self::List {} => Operation::List,
            Self::RevokeAll {} => Operation::Revoke(Which::All),
            Self::Revoke { user } => {
                let AccountId { tenant_id, object_id } = user.parse()?;
                Operation::Revoke(Which::Of { tenant_id, object_id })
            }
        })
    }
}

/// A line that answers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Told {
    /// One of those asked for; another line follows.
    User(User),
    /// There are no more.
    Listed,
    /// So many sessions ended.
    Ended(usize),
    /// It was not done, or not to its end.
    Failed(String),
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is longer than it may be.
    #[error("a line is longer than {0} bytes")]
    TooLong(usize),
    /// It was not there in time.
    #[error("there was no whole line within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The other side ended before the end of the line.
    #[error("the connection ended within a line")]
    Ended,
    /// The system.
    #[error("{0}")]
    Broken(#[from] io::Error),
}

/// The next line, without its line break.
async fn line(
    from: &mut (impl AsyncBufRead + Unpin),
    most: usize,
    time: Duration,
) -> Result<Vec<u8>, LineError> {
    let mut line = Vec::new();
    // One byte for the line break.
    let mut bounded = from.take(most as u64 + 1);
    timeout(time, bounded.read_until(b'\n', &mut line)).await.map_err(|_| LineError::TooSlow(time))??;
    match line.pop() {
        Some(b'\n') => Ok(line),
        Some(_) if line.len() == most => Err(LineError::TooLong(most)),
        _ => Err(LineError::Ended),
    }
}

/// What is sent for `told`: a line each.
fn lines(told: &[impl Serialize]) -> Vec<u8> {
    let mut lines = Vec::new();
    for one in told {
        serde_json::to_writer(&mut lines, one).expect("text and numbers are written to memory");
        lines.push(b'\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_line_is_bounded_and_whole() {
        let mut input: &[u8] = b"four\nfive5\n";
        assert_eq!(line(&mut input, 4, SECOND).await.unwrap(), b"four");
        assert!(matches!(line(&mut input, 4, SECOND).await, Err(LineError::TooLong(4))));
        for cut in [&b""[..], b"fou", b"four"] {
            let mut input = cut;
            assert!(matches!(line(&mut input, 4, SECOND).await, Err(LineError::Ended)), "{cut:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_does_not_come_is_not_waited_for() {
        let (mut ours, _theirs) = tokio::io::duplex(16);
        let mut ours = tokio::io::BufReader::new(&mut ours);
        assert!(matches!(line(&mut ours, 4, SECOND).await, Err(LineError::TooSlow(SECOND))));
    }

    #[test]
    fn what_is_asked_for_is_one_of_three_to_the_letter() {
        let read = |text: &str| {
            let asked: Result<Asked, _> = serde_json::from_str(text);
            asked.map_err(|error| error.to_string()).and_then(Asked::operation)
        };
        let guid = |end: char| format!("00000000-0000-0000-0000-00000000000{end}");
        let (tenant_id, object_id) = (guid('a'), guid('b'));
        let of = Which::Of { tenant_id: tenant_id.clone(), object_id: object_id.clone() };
        for operation in [Operation::List, Operation::Revoke(Which::All), Operation::Revoke(of.clone())] {
            let asked = lines(&[Asked::new(&operation)]);
            assert_eq!(read(std::str::from_utf8(&asked).unwrap()), Ok(operation));
        }
        let user = format!("{object_id}@{tenant_id}");
        let upper = user.to_uppercase();
        assert_eq!(
            read(&format!(r#"{{"operation":"revoke","user":"{upper}"}}"#)),
            Ok(Operation::Revoke(of)),
            "a GUID may be in upper case"
        );
        for (text, why) in [
            (r#"{"operation":"revoke"}"#.to_owned(), "missing field `user`"),
            (format!(r#"{{"operation":"revoke-all","user":"{user}"}}"#), "unknown field `user`"),
            (format!(r#"{{"operation":"list","user":"{user}"}}"#), "unknown field `user`"),
            (format!(r#"{{"user":"{user}"}}"#), "missing field `operation`"),
            (r#"{"operation":"stop"}"#.to_owned(), "unknown variant `stop`"),
            (r#"{"operation":"revoke","user":"*"}"#.to_owned(), "`*` is not OBJECT-ID@TENANT-ID"),
            (format!(r#"{{"operation":"revoke","user":"{user}."}}"#), "is not OBJECT-ID@TENANT-ID"),
            (r#""revoke-all""#.to_owned(), "invalid type"),
            (String::new(), "EOF"),
        ] {
            let refused = read(&text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
