//! Which account is in use: a file of its own beside the cache, whose schema has no place for it. It holds no secret.

use std::path::PathBuf;

use crate::account::AccountId;
use crate::cache::{CacheError, file};
use crate::settings::Settings;

/// The chosen account. It is written and cleared with the cache's lock held, as what belongs to a change there.
#[derive(Clone)]
pub(crate) struct Choice {
    file: PathBuf,
}

impl Choice {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { file: settings.state_dir.join("account.json") }
    }

    /// Who was chosen. A file that names nobody is as good as none: the accounts are asked again.
    pub(crate) fn read(&self) -> Result<Option<AccountId>, CacheError> {
        let bytes = file::read(&self.file)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(crate) fn write(&self, account: &AccountId) -> Result<(), CacheError> {
        if let Some(folder) = self.file.parent() {
            file::make_folder(folder)?;
        }
        file::write(&self.file, &serde_json::to_vec(account).expect("two strings serialise"))
    }

    pub(crate) fn clear(&self) -> Result<(), CacheError> {
        file::remove(&self.file)
    }
}
