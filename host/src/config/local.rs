//! `[local]`: how the user of this machine signs in.

use valet_sign_in::{AccountId, Step, Storage};

use super::derive::Reader;
use super::file::{CacheFile, File, LocalFile, StepFile};
use super::oauth::named_scopes;
use super::read::ConfigError;
use crate::local::{Local, state_dir};

impl Reader<'_> {
    /// None for a file without that section.
    pub(super) fn local(&self, file: &File) -> Result<Option<Local>, ConfigError> {
        let Some(local) = &file.local else { return Ok(None) };
        let state_dir = match &local.state_dir {
            Some(path) => self.relative(path),
            None => state_dir(|name| std::env::var(name).ok())
                .map_err(|error| self.key("local.state_dir", &error.to_string()))?,
        };
        Ok(Some(Local {
            state_dir,
            storage: match local.cache {
                CacheFile::Keychain => Storage::Keychain,
                CacheFile::SealedFile => Storage::SealedFile,
            },
            account: local.account.as_deref().map(|text| self.account(text)).transpose()?,
            steps: steps(local),
            scopes: named_scopes(file),
        }))
    }

    fn account(&self, text: &str) -> Result<AccountId, ConfigError> {
        text.parse()
            .map_err(|why: String| self.key("local.account", &format!("{why}, as `valet accounts` shows it")))
    }
}

fn steps(local: &LocalFile) -> Vec<Step> {
    let all = [StepFile::Broker, StepFile::Browser, StepFile::DeviceCode];
    let steps = local.steps.as_deref().unwrap_or(&all).iter();
    let step = |step: &StepFile| match step {
        StepFile::Broker => Step::Broker,
        StepFile::Browser => Step::Browser,
        StepFile::DeviceCode => Step::DeviceCode,
    };
    steps.map(step).collect()
}
