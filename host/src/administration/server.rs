//! The server's side: one connection after another, each bounded in length and time, each operation in the audit trail.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::pin;

use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::unix::{UCred, WriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use valet_store::{Store, StoreError};

use super::{Asked, LineError, Told, line, lines, socket_of};
use crate::commands::sessions::{Operation, Users, Which, revoke};
use crate::{limits, runtime};

/// What is in the place of the socket is not ours to remove.
#[derive(Debug, thiserror::Error)]
#[error("{}: here the server listens for `valet sessions`, and this {why}; move it away", path.display())]
pub struct Taken {
    /// The place.
    path: PathBuf,
    /// What is there.
    why: String,
}

/// The socket, and what can be asked for there.
pub struct Administration {
    /// Before the store: whoever opens that next finds the place of the socket free, and their own is not removed.
    socket: Socket,
    store: Store,
}

/// A socket that listens. Its name goes with it.
struct Socket {
    path: PathBuf,
    listener: UnixListener,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What is left behind is replaced at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Why the socket is not there.
enum NotOpen {
    Taken(Taken),
    System(io::Error),
}

impl From<io::Error> for NotOpen {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl Administration {
    /// Listens beside `file`, in which `store` is open. None where the system has no socket there (a path of more than some 100 bytes, a file system without
    /// them), which is logged: without it sessions can be ended by name while the server is stopped.
    ///
    /// # Errors
    /// [`Taken`].
    pub fn open(file: &Path, store: Store) -> Result<Option<Self>, Taken> {
        let path = socket_of(file);
        match Socket::open(path.clone(), file) {
            Ok(socket) => Ok(Some(Self { socket, store })),
            Err(NotOpen::Taken(taken)) => Err(taken),
            Err(NotOpen::System(error)) => {
                let path = path.display();
                tracing::warn!(%path, %error, "there is no socket for `valet sessions`, which needs this server stopped");
                Ok(None)
            }
        }
    }

    /// Answers administrators until `stop`. What one of them has begun by then is done and recorded first.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => return,
                accepted = self.socket.listener.accept() => accepted,
            };
            match accepted {
                // One after the other: each has its time, and strangers are not let in.
                Ok((stream, _)) => self.converse(stream).await,
                Err(error) => {
                    tracing::warn!(%error, "an administrator's connection could not be accepted");
                    sleep(limits::PATROL_TIME).await;
                }
            }
        }
    }

    async fn converse(&self, mut stream: UnixStream) {
        let asker = stream.peer_cred();
        let (from, mut to) = stream.split();
        let told = match wanted(from, &asker).await {
            Ok(operation) => {
                let done = timeout(limits::ADMINISTRATION_TIME, self.carry_out(&operation, &mut to)).await;
                let done = done.unwrap_or(Err(Failure::TooLong));
                record(&operation, &done, &name(&asker));
                done.unwrap_or_else(|failure| Told::Failed(failure.to_string()))
            }
            Err(refusal) => {
                let (request, detail) = (runtime::request_id(), format!("{refusal}; {}", name(&asker)));
                tracing::info!(target: "audit", request, decision = "denied", reason = "administration", detail);
                Told::Failed(refusal.to_string())
            }
        };
        // Whoever has left does not hear it.
        let _ = timeout(limits::ADMINISTRATION_LINE_TIME, to.write_all(&lines(&[told]))).await;
    }

    /// Gives the last line of the answer; those before it are sent as they are known.
    async fn carry_out(&self, operation: &Operation, to: &mut WriteHalf<'_>) -> Result<Told, Failure> {
        match operation {
            Operation::List => {
                let mut users = Users::of(&self.store);
                while let Some(some) = users.next().await? {
                    let some: Vec<Told> = some.into_iter().map(Told::User).collect();
                    to.write_all(&lines(&some)).await.map_err(Failure::Left)?;
                }
                Ok(Told::Listed)
            }
            Operation::Revoke(which) => Ok(Told::Ended(revoke(&self.store, which).await?)),
        }
    }
}

impl Socket {
    /// Listens at `path`. The file is open in this process alone, so a socket of its owner's that is there is what a dead server left.
    fn open(path: PathBuf, file: &Path) -> Result<Self, NotOpen> {
        let owners = [own_user(), fs::metadata(file)?.uid(), 0];
        match fs::symlink_metadata(&path) {
            Ok(found) => match is_foreign(&found, owners) {
                Some(why) => return Err(NotOpen::Taken(Taken { path, why })),
                None => fs::remove_file(&path)?,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let listener = UnixListener::bind(&path)?;
        let socket = Self { path, listener };
        // For its owner alone. Who came before this, or owns it with us, is looked at when they connect.
        fs::set_permissions(&socket.path, Permissions::from_mode(0o600))?;
        Ok(socket)
    }
}

/// Why something is not a socket of one of `owners`.
fn is_foreign(found: &fs::Metadata, owners: [u32; 3]) -> Option<String> {
    if !found.file_type().is_socket() {
        return Some("is no socket".to_owned());
    }
    let owner = found.uid();
    (!owners.contains(&owner)).then(|| format!("is a socket of user {owner}"))
}

/// The user that this process acts as.
pub(super) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("sessions are ended by the user of the server and by root")]
    Stranger,
    #[error("what is asked for cannot be read: {0}")]
    Line(#[from] LineError),
    #[error("what is asked for is not known here: {0}")]
    Unknown(String),
}

/// Why something did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("storage: {0}")]
    Store(#[from] StoreError),
    #[error("the answer was not taken: {0}")]
    Left(io::Error),
    #[error("it took longer than {} s; some sessions may have ended, and the others do when it is tried again", limits::ADMINISTRATION_TIME.as_secs())]
    TooLong,
}

/// What the other side wants, if it may.
async fn wanted(
    from: tokio::net::unix::ReadHalf<'_>,
    asker: &io::Result<UCred>,
) -> Result<Operation, Refusal> {
    if !asker.as_ref().is_ok_and(|asker| [own_user(), 0].contains(&asker.uid())) {
        return Err(Refusal::Stranger);
    }
    let most = limits::ADMINISTRATION_LINE_BYTES;
    let line = line(&mut BufReader::new(from), most, limits::ADMINISTRATION_LINE_TIME).await?;
    let asked: Asked = serde_json::from_slice(&line).map_err(|error| Refusal::Unknown(error.to_string()))?;
    asked.operation().map_err(Refusal::Unknown)
}

/// Who is at the other side, for the audit trail.
fn name(asker: &io::Result<UCred>) -> String {
    match asker {
        Ok(asker) => match asker.pid() {
            Some(process) => format!("asked by user {}, process {process}", asker.uid()),
            None => format!("asked by user {}", asker.uid()),
        },
        Err(error) => format!("asked by whom the system does not say: {error}"),
    }
}

/// The audit event of what was begun.
fn record(operation: &Operation, done: &Result<Told, Failure>, asker: &str) {
    let request = runtime::request_id();
    let (tenant, object) = match operation {
        Operation::Revoke(Which::Of { tenant_id, object_id }) => (Some(tenant_id), Some(object_id)),
        Operation::List | Operation::Revoke(Which::All) => (None, None),
    };
    match done {
        Ok(told) => {
            let (reason, detail) = match told {
                Told::Ended(1) => ("sessions_revoked", format!("1 session ended; {asker}")),
                Told::Ended(ended) => ("sessions_revoked", format!("{ended} sessions ended; {asker}")),
                _ => ("sessions_listed", asker.to_owned()),
            };
            tracing::info!(target: "audit", request, decision = "allowed", reason, tenant, object, detail);
        }
        Err(failure) => {
            let detail = format!("{failure}; {asker}");
            tracing::warn!(target: "audit", request, decision = "failed", reason = "administration", tenant, object, detail);
        }
    }
}
