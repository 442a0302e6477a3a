//! What is read after whoever moved the cache between the keychain and the sealed file was killed on the way.

use std::any::Any;
use std::collections::HashMap;

use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, Entry, Error};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A keychain in memory, of which so many changes are left before whoever makes them is killed.
#[derive(Clone, Default)]
struct Memory {
    secrets: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    left: Arc<Mutex<Option<usize>>>,
}

struct Item {
    memory: Memory,
    name: String,
}

impl Memory {
    fn keychain(&self) -> Keychain {
        Keychain { store: Arc::new(self.clone()) }
    }

    /// Makes a change, or does not live to make it.
    fn change(&self, change: impl FnOnce(&mut HashMap<String, Vec<u8>>)) -> keyring_core::Result<()> {
        let mut left = self.left.lock().unwrap();
        if let Some(left) = &mut *left {
            *left = left.checked_sub(1).ok_or_else(|| Error::NoStorageAccess("killed".into()))?;
        }
        change(&mut self.secrets.lock().unwrap());
        Ok(())
    }
}

impl CredentialStoreApi for Memory {
    fn vendor(&self) -> String {
        "memory".to_owned()
    }

    fn id(&self) -> String {
        "memory".to_owned()
    }

    fn build(&self, _: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> keyring_core::Result<Entry> {
        Ok(Entry::new_with_credential(Arc::new(Item { memory: self.clone(), name: user.to_owned() })))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl CredentialApi for Item {
    fn set_secret(&self, secret: &[u8]) -> keyring_core::Result<()> {
        self.memory.change(|secrets| {
            secrets.insert(self.name.clone(), secret.to_owned());
        })
    }

    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        self.memory.secrets.lock().unwrap().get(&self.name).cloned().ok_or(Error::NoEntry)
    }

    fn delete_credential(&self) -> keyring_core::Result<()> {
        self.memory.change(|secrets| {
            secrets.remove(&self.name);
        })
    }

    fn get_credential(&self) -> keyring_core::Result<Option<Arc<Credential>>> {
        Ok(None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn place(folder: &TempDir, storage: Storage) -> Place {
    Place { storage, file: folder.path().join("tokens.sealed"), name: "cache".to_owned() }
}

fn cache(n: u32) -> Vec<u8> {
    json!({ "Account": { "a": { "n": n } } }).to_string().into_bytes()
}

/// What the next process reads.
fn found(place: &Place, memory: &Memory) -> Vec<u8> {
    place.read_beside(&memory.keychain()).unwrap().expect("a whole cache").to_bytes().to_vec()
}

/// What is read is the old content or the new, and the new one wherever it was begun to be kept.
#[test]
fn whoever_is_killed_between_the_changes_of_the_keychain_leaves_no_old_tokens_before_new_ones() {
    let (keychain, sealed) = (Storage::Keychain, Storage::SealedFile);
    for (from, to, changes, expected) in [
        // The file has it when the keychain is to be changed.
        (sealed, keychain, 0, 2),
        (sealed, keychain, 1, 2),
        // There is no key to seal a file with yet; then there is one, and what the file replaces is still in the keychain.
        (keychain, sealed, 0, 1),
        (keychain, sealed, 1, 2),
        (keychain, sealed, 2, 2),
    ] {
        let (folder, memory) = (TempDir::new().unwrap(), Memory::default());
        place(&folder, from).write_beside(&memory.keychain(), &cache(1)).unwrap();
        let place = place(&folder, to);
        assert_eq!(found(&place, &memory), cache(1));
        *memory.left.lock().unwrap() = Some(changes);
        let _ = place.write_beside(&memory.keychain(), &cache(2));
        assert_eq!(found(&place, &memory), cache(expected), "{from:?}, {changes}");
        *memory.left.lock().unwrap() = None;
        place.write_beside(&memory.keychain(), &cache(3)).unwrap();
        assert_eq!(found(&place, &memory), cache(3));
    }
}

/// Killed when the keychain has the new content and the file is still there.
#[test]
fn the_file_that_is_read_first_is_never_older_than_the_keychain() {
    let (folder, memory) = (TempDir::new().unwrap(), Memory::default());
    place(&folder, Storage::SealedFile).write_beside(&memory.keychain(), &cache(1)).unwrap();
    let to = place(&folder, Storage::Keychain);
    let before = std::fs::read(&to.file).unwrap();
    *memory.left.lock().unwrap() = Some(0);
    to.write_beside(&memory.keychain(), &cache(2)).unwrap_err();
    assert_ne!(std::fs::read(&to.file).unwrap(), before, "the file came first");
    *memory.left.lock().unwrap() = None;
    // The one change that was left to make, and no more.
    memory.keychain().set(&to.name, &cache(2)).unwrap();
    assert_eq!(found(&to, &memory), cache(2));
    to.write_beside(&memory.keychain(), &cache(3)).unwrap();
    assert!(!to.file.exists());
    assert_eq!(found(&to, &memory), cache(3));
}
