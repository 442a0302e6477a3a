//! What the vaults hold: secrets with their versions, deleted ones that can be recovered. Bounded.
//!
//! A registered secret is its own first version. Where the registration changes while running, the new value is a
//! further version, as if somebody had set it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::error::VaultError;
use crate::clock::Instant;
use crate::registrations::Vault;

/// How many secrets one vault keeps, deleted ones included.
const SECRETS: usize = 1_000;

/// How many versions of a secret are kept; the oldest makes room.
const VERSIONS: usize = 100;

/// How many bytes of values, types and tags one vault keeps.
const BYTES: usize = 8 * 1024 * 1024;

/// All vaults, by name in lower case. One is made when it is first used, so there are never more than registered.
#[derive(Default)]
pub(crate) struct Vaults(Mutex<HashMap<String, Store>>);

/// The secrets of one vault.
#[derive(Default)]
pub(super) struct Store {
    /// By name in lower case: Key Vault does not tell case apart.
    pub(super) secrets: BTreeMap<String, Secret>,
    /// The registered values that were taken over.
    registered: BTreeMap<String, String>,
}

/// One secret.
pub(super) struct Secret {
    /// As first written.
    pub(super) name: String,
    /// Oldest first; at least one.
    pub(super) versions: Vec<Version>,
    /// When it was deleted.
    pub(super) deleted: Option<Instant>,
}

/// One version of a secret.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: String,
    pub(super) properties: Properties,
    pub(super) created: Instant,
    pub(super) updated: Instant,
}

/// What is kept beside the value.
#[derive(Clone, Default)]
pub(super) struct Properties {
    pub(super) content_type: Option<String>,
    pub(super) disabled: bool,
    pub(super) not_before: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) tags: BTreeMap<String, String>,
}

impl Vaults {
    /// Lets `act` use the store of `vault` while nobody else can.
    pub(super) fn with<T>(&self, vault: &Vault, now: Instant, act: impl FnOnce(&mut Store) -> T) -> T {
        // A panic leaves at worst a version without its successor.
        let mut stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let store = stores.entry(vault.name.to_ascii_lowercase()).or_default();
        store.take_over(vault, now);
        act(store)
    }
}

impl Store {
    fn take_over(&mut self, vault: &Vault, now: Instant) {
        for (name, value) in &vault.secrets {
            let key = name.to_ascii_lowercase();
            if self.registered.get(&key) == Some(value) {
                continue;
            }
            self.registered.insert(key.clone(), value.clone());
            let number = self.secrets.get(&key).map_or(0, |s| s.versions.len());
            // The same after a restart, since configurations name versions.
            let digest = Sha256::digest(format!("{}/{key}/{number}", vault.name.to_ascii_lowercase()));
            let id = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
            let properties = Properties::default();
            self.push(name, Version { id, value: value.clone(), properties, created: now, updated: now });
        }
    }

    fn push(&mut self, name: &str, version: Version) -> &Secret {
        let secret = self.secrets.entry(name.to_ascii_lowercase()).or_insert_with(|| Secret {
            name: name.to_owned(),
            versions: vec![],
            deleted: None,
        });
        if secret.versions.len() >= VERSIONS {
            secret.versions.remove(0);
        }
        secret.versions.push(version);
        secret
    }

    /// Sets a secret: a new version.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: String,
        properties: Properties,
        now: Instant,
    ) -> Result<(&Secret, &Version), VaultError> {
        let held = self.secrets.get(&name.to_ascii_lowercase());
        if held.is_some_and(|s| s.deleted.is_some()) {
            return Err(VaultError::Deleted(name.to_owned()));
        }
        let version = Version {
            id: Uuid::new_v4().simple().to_string(),
            value,
            properties,
            created: now,
            updated: now,
        };
        let bytes: usize = self.secrets.values().flat_map(|s| &s.versions).map(Version::bytes).sum();
        if (held.is_none() && self.secrets.len() >= SECRETS) || bytes + version.bytes() > BYTES {
            return Err(VaultError::Full);
        }
        let secret = self.push(name, version);
        let newest = secret.newest().ok_or_else(|| VaultError::NoSecret(name.to_owned()))?;
        Ok((secret, newest))
    }

    /// A secret that is not deleted.
    pub(super) fn secret(&self, name: &str) -> Result<&Secret, VaultError> {
        let found = self.secrets.get(&name.to_ascii_lowercase()).filter(|s| s.deleted.is_none());
        found.ok_or_else(|| VaultError::NoSecret(name.to_owned()))
    }

    /// The same, to be changed.
    pub(super) fn secret_mut(&mut self, name: &str) -> Result<&mut Secret, VaultError> {
        let found = self.secrets.get_mut(&name.to_ascii_lowercase()).filter(|s| s.deleted.is_none());
        found.ok_or_else(|| VaultError::NoSecret(name.to_owned()))
    }

    /// A secret that is deleted and can be recovered.
    pub(super) fn deleted_mut(&mut self, name: &str) -> Result<&mut Secret, VaultError> {
        let found = self.secrets.get_mut(&name.to_ascii_lowercase()).filter(|s| s.deleted.is_some());
        found.ok_or_else(|| VaultError::NoSecret(name.to_owned()))
    }
}

impl Secret {
    /// The version that counts.
    pub(super) fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// A version by its id; empty: the newest.
    pub(super) fn version(&self, id: &str) -> Result<&Version, VaultError> {
        let found = match id {
            "" => self.newest(),
            id => self.versions.iter().find(|v| v.id.eq_ignore_ascii_case(id)),
        };
        found.ok_or_else(|| VaultError::NoSecret(format!("{}/{id}", self.name)))
    }

    /// The same, to be changed.
    pub(super) fn version_mut(&mut self, id: &str) -> Result<&mut Version, VaultError> {
        let unknown = VaultError::NoSecret(format!("{}/{id}", self.name));
        let found = match id {
            "" => self.versions.last_mut(),
            id => self.versions.iter_mut().find(|v| v.id.eq_ignore_ascii_case(id)),
        };
        found.ok_or(unknown)
    }
}

impl Version {
    fn bytes(&self) -> usize {
        let Properties { content_type, tags, .. } = &self.properties;
        let tags: usize = tags.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.value.len() + content_type.as_ref().map_or(0, String::len) + tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(0);

    fn set(store: &mut Store, name: &str, bytes: usize) -> Result<(), VaultError> {
        store.set(name, "x".repeat(bytes), Properties::default(), NOW).map(|_| ())
    }

    #[test]
    fn bytes_secrets_and_versions_are_bounded() {
        let mut store = Store::default();
        for _ in 0..VERSIONS + 5 {
            set(&mut store, "one", 1).unwrap();
        }
        assert_eq!(store.secrets["one"].versions.len(), VERSIONS);
        for i in 1..SECRETS {
            set(&mut store, &i.to_string(), 1).unwrap();
        }
        assert_eq!(set(&mut store, "more", 1), Err(VaultError::Full));
        assert_eq!(set(&mut store, "one", BYTES / 2), Ok(()));
        assert_eq!(set(&mut store, "one", BYTES / 2), Err(VaultError::Full));
        assert_eq!(set(&mut store, "one", 1), Ok(()));
    }
}
