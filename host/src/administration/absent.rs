//! Where there are no Unix sockets nobody reaches into a running server: it has to be stopped for `valet sessions`.

use std::convert::Infallible;
use std::io::Write;
use std::path::{Path, PathBuf};

use valet_store::Store;

use crate::commands::sessions::Operation;

/// What is never there.
pub struct Administration(Infallible);

impl Administration {
    /// None.
    ///
    /// # Errors
    /// None.
    pub fn open(_: &Path, _: Store) -> Result<Option<Self>, Infallible> {
        Ok(None)
    }

    /// Is never begun.
    pub async fn serve(self, _: impl Future<Output = ()>) {
        match self.0 {}
    }
}

/// A running server cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("storage: `storage.path` {} is open in another process; on this system a server has to be stopped for this", .0.display())]
pub struct AskError(PathBuf);

/// Asks nobody.
///
/// # Errors
/// [`AskError`], always.
pub async fn ask(file: &Path, _: &Operation, _: &mut impl Write) -> Result<(), AskError> {
    Err(AskError(file.to_owned()))
}
