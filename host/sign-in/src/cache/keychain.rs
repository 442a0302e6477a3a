//! Secrets in the keychain of the system: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.

use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

/// The name under which the system shows our secrets.
const SERVICE: &str = "valet";

/// Why the keychain gave or took nothing.
#[derive(Debug)]
pub(crate) enum KeychainError {
    /// There is none: no session bus, no service.
    Absent(String),
    /// It is locked, and was not unlocked.
    Locked(String),
    /// It does not take as much.
    TooLarge,
}

/// Our part of the keychain. Its calls block; the person may be asked to unlock it.
#[derive(Clone)]
pub(crate) struct Keychain {
    store: Arc<dyn CredentialStoreApi + Send + Sync>,
}

impl Keychain {
    /// Finds the keychain.
    pub(crate) fn open() -> Result<Self, KeychainError> {
        #[cfg(target_os = "linux")]
        let store = zbus_secret_service_keyring_store::Store::new();
        #[cfg(target_os = "macos")]
        let store = apple_native_keyring_store::keychain::Store::new();
        #[cfg(windows)]
        let store = windows_native_keyring_store::Store::new();
        store.map(|store| Self { store }).map_err(failure)
    }

    /// The secret `name`, if there is one.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failure(error)),
        }
    }

    /// Keeps the secret `name`, in place of what was there.
    pub(crate) fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeychainError> {
        self.entry(name)?.set_secret(secret).map_err(failure)
    }

    /// Removes the secret `name`, if there is one.
    pub(crate) fn delete(&self, name: &str) -> Result<(), KeychainError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failure(error)),
        }
    }

    fn entry(&self, name: &str) -> Result<Entry, KeychainError> {
        self.store.build(SERVICE, name, None).map_err(failure)
    }
}

fn failure(error: Error) -> KeychainError {
    match error {
        Error::TooLong(..) => KeychainError::TooLarge,
        Error::NoStorageAccess(why) => KeychainError::Locked(why.to_string()),
        // What a locked collection answers to a new item, and a person who does not unlock it, have no variant of their own.
        Error::PlatformFailure(why)
            if ["locked", "prompt"].iter().any(|word| why.to_string().contains(word)) =>
        {
            KeychainError::Locked(why.to_string())
        }
        other => KeychainError::Absent(other.to_string()),
    }
}
