//! What the sign-in of the user of this machine is set up with.

use std::path::PathBuf;

use valet_sign_in::{AccountId, Settings, SettingsError, Step, Storage};

use crate::config::Config;
use crate::egress::trust;

/// The user of this machine: `[local]` of the configuration.
#[derive(Debug, Clone)]
pub struct Local {
    /// Folder for the token cache's file, its lock, and which account is in use.
    pub state_dir: PathBuf,
    /// Where tokens are kept.
    pub storage: Storage,
    /// The account that is used, whatever was chosen.
    pub account: Option<AccountId>,
    /// The ways of signing in that may be gone.
    pub steps: Vec<Step>,
    /// What the user may, so that every rule without roles lets them through.
    pub scopes: Vec<String>,
}

impl Local {
    pub(super) fn settings(&self, config: &Config) -> Result<Settings, SettingsError> {
        let wrong = |setting, why| SettingsError { setting, why };
        let text = |name: &str| config.settings.get(name).cloned().unwrap_or_default();
        let tls = trust(config.egress.ca.as_deref()).map_err(|why| wrong("egress.ca_file", why))?;
        let mut settings = Settings::new(
            &text("authority"),
            &text("tenant"),
            &text("client_id"),
            self.state_dir.clone(),
            tls,
        );
        settings.tenants = text("tenants").split_whitespace().map(str::to_owned).collect();
        settings.storage = self.storage;
        settings.account.clone_from(&self.account);
        settings.steps.clone_from(&self.steps);
        Ok(settings)
    }
}

/// There is no place for what a program remembers of a user.
#[derive(Debug, thiserror::Error)]
#[error("none of XDG_STATE_HOME, HOME and LOCALAPPDATA is set; set local.state_dir")]
pub struct StateDirError;

/// Where a program's state of this user belongs (XDG Base Directory Specification): `$XDG_STATE_HOME/valet`, or `~/.local/state/valet`; on Windows, which has
/// neither, `%LOCALAPPDATA%\valet`.
///
/// # Errors
/// [`StateDirError`].
pub fn state_dir(variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf, StateDirError> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    // The specification has relative paths ignored.
    let base = absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/state")))
        .or_else(|| absolute("LOCALAPPDATA"));
    base.map(|base| base.join("valet")).ok_or(StateDirError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_where_the_desktop_keeps_it() {
        let dir = |state: Option<&str>, home: Option<&str>| {
            state_dir(|name| match name {
                "XDG_STATE_HOME" => state.map(str::to_owned),
                "HOME" => home.map(str::to_owned),
                _ => None,
            })
            .ok()
        };
        assert_eq!(dir(Some("/s"), Some("/h")), Some("/s/valet".into()));
        assert_eq!(dir(None, Some("/h")), Some("/h/.local/state/valet".into()));
        assert_eq!(dir(Some("relative"), Some("/h")), Some("/h/.local/state/valet".into()));
        assert_eq!(dir(None, None), None);
        let windows = state_dir(|name| (name == "LOCALAPPDATA").then(|| "/l".to_owned()));
        assert_eq!(windows.ok(), Some("/l/valet".into()));
    }
}
