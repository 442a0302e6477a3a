//! The ready file: how a test job in another language learns that the emulator listens, and where.
//!
//! `{"authority","graph","admin","ca_file","address","pid","version"}`, and `"imds"`, `"identity_endpoint"`,
//! `"identity_header"` where there are managed identities, `"vaults"` by name. It appears whole or not at all; one left over
//! from another run is removed before the start, so that whoever waits for it never reads about the dead.

use std::io;
use std::path::{Path, PathBuf};

use entra_emulator::Emulator;

/// The file, ours until the end.
pub(crate) struct ReadyFile {
    path: PathBuf,
}

/// The file cannot be removed or written: usually its folder is absent or not ours.
#[derive(Debug, thiserror::Error)]
#[error("--ready-file {path}: {source}")]
pub(crate) struct ReadyError {
    path: PathBuf,
    source: io::Error,
}

impl ReadyFile {
    /// Takes the name, removing what lies there.
    pub(crate) fn claim(path: &Path) -> Result<Self, ReadyError> {
        match std::fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ReadyError { path: path.to_owned(), source })
            }
            _ => Ok(Self { path: path.to_owned() }),
        }
    }

    /// Writes it beside its place, then moves it there.
    pub(crate) fn write(&self, emulator: &Emulator, ca_file: &Path) -> Result<(), ReadyError> {
        let authority = emulator.authority_url();
        let all = emulator.registrations();
        let vaults: std::collections::BTreeMap<_, _> =
            all.vaults.iter().map(|v| (v.name.as_str(), emulator.vault_url(&v.name))).collect();
        let told = serde_json::json!({
            "admin": format!("{authority}/emulator"),
            "authority": authority,
            "graph": emulator.graph_url(),
            "ca_file": ca_file,
            "address": emulator.address().to_string(),
            "imds": emulator.imds_url(),
            "identity_endpoint": emulator.identity_endpoint(),
            "identity_header": emulator.identity_header(),
            "vaults": vaults,
            "pid": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
        });
        let mut beside = self.path.clone().into_os_string();
        beside.push(format!(".{}", std::process::id()));
        std::fs::write(&beside, format!("{told}\n"))
            .and_then(|()| std::fs::rename(&beside, &self.path))
            .map_err(|source| ReadyError { path: self.path.clone(), source })
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.path);
    }
}
