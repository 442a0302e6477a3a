//! The file that keeps the published keys across restarts, so that tokens outlive one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{KeyError, KeyIssuer, SigningKey, Slot};

/// Name of the file in the state folder.
const FILE: &str = "emulator-keys.json";

/// The file; the signer comes first.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    consumer: bool,
    /// PKCS #8 in base64.
    private: String,
    /// DER in base64.
    certificate: String,
}

/// Where keys are kept. Clones write the same file, the newest set wins.
#[derive(Clone)]
pub(super) struct Keeper {
    file: PathBuf,
    /// Number of the newest set that was written.
    written: Arc<Mutex<u64>>,
}

impl Keeper {
    /// Keeps keys in `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        Self { file: folder.join(FILE), written: Arc::default() }
    }

    /// The kept keys, the signer first; None if nothing was kept yet.
    pub(super) fn read(&self) -> Result<Option<Vec<Arc<Slot>>>, KeyError> {
        if !self.file.exists() {
            return Ok(None);
        }
        let bad = |message: String| KeyError::Kept { file: self.file.clone(), message };
        let text = std::fs::read_to_string(&self.file).map_err(|e| bad(e.to_string()))?;
        let document: Document = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
        let slots: Option<Vec<_>> = document.keys.iter().map(open).collect();
        let slots = slots.ok_or_else(|| bad("one of its keys is no RSA key".into()))?;
        let is_work = |s: &Arc<Slot>| s.issuer == KeyIssuer::Work;
        match slots.first().is_some_and(is_work) && slots.iter().any(|s| !is_work(s)) {
            true => Ok(Some(slots)),
            false => Err(bad("a work key must come first, and a consumer key must be there".into())),
        }
    }

    /// Writes the keys, the signer first; waits for those still in the making. `number` counts the sets.
    pub(super) fn write(&self, slots: &[Arc<Slot>], number: u64) -> std::io::Result<()> {
        let keys = slots.iter().map(|slot| {
            let key = slot.key();
            let private = key.pkcs8().ok_or_else(|| std::io::Error::other("a key has no PKCS #8 form"))?;
            Ok(Entry {
                consumer: slot.issuer == KeyIssuer::Consumer,
                private: STANDARD.encode(private),
                certificate: STANDARD.encode(key.certificate()),
            })
        });
        let text = serde_json::to_string(&Document { keys: keys.collect::<std::io::Result<_>>()? })?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written > number {
            return Ok(());
        }
        *written = number;
        // In one step, so that whoever starts meanwhile reads the old set or the new one.
        let new = self.file.with_extension("new");
        let _ = std::fs::remove_file(&new);
        crate::tls::write_private(&new, &text)?;
        std::fs::rename(&new, &self.file)
    }
}

fn open(entry: &Entry) -> Option<Arc<Slot>> {
    let key = SigningKey::from_der(
        &STANDARD.decode(&entry.private).ok()?,
        STANDARD.decode(&entry.certificate).ok()?,
    )?;
    let issuer = if entry.consumer { KeyIssuer::Consumer } else { KeyIssuer::Work };
    Some(Slot::of(issuer, key))
}
