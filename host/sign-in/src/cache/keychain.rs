//! Secrets in the keychain of the system: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows.

use std::sync::Arc;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use crate::limits::shown;

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
    pub(super) store: Arc<dyn CredentialStoreApi + Send + Sync>,
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
        Error::NoStorageAccess(why) => KeychainError::Locked(plain(&why.to_string())),
        // What a locked collection answers to a new item, and a person who does not unlock it, have no variant of their own.
        Error::PlatformFailure(why)
            if ["locked", "prompt"].iter().any(|word| why.to_string().contains(word)) =>
        {
            KeychainError::Locked(plain(&why.to_string()))
        }
        Error::PlatformFailure(why) => KeychainError::Absent(plain(&why.to_string())),
        other => KeychainError::Absent(plain(&other.to_string())),
    }
}

/// What the system says, in the words of this page where it is one of the two things that are usual on Linux: a machine without a desktop, and a desktop
/// without a keychain.
fn plain(why: &str) -> String {
    let why = why.trim_start_matches("zbus error: ");
    if let Some((_, address)) = why.split_once("Failed to connect to address `") {
        let address = address.split('`').next().unwrap_or_default();
        return format!("no session bus answers at {}", shown(address));
    }
    if why.contains("org.freedesktop.DBus.Error.ServiceUnknown") {
        return "no Secret Service is on the session bus".to_owned();
    }
    shown(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_said_in_words() {
        for (why, words) in [
            (
                "zbus error: Failed to connect to address `unix:path=/run/user/0/bus`: No such file or directory (os error 2)",
                "no session bus answers at unix:path=/run/user/0/bus",
            ),
            (
                "zbus error: org.freedesktop.DBus.Error.ServiceUnknown: The name org.freedesktop.secrets was not provided",
                "no Secret Service is on the session bus",
            ),
            ("zbus error: odd", "odd"),
            ("a failure\nof two lines", "a failure?of two lines"),
        ] {
            assert_eq!(plain(why), words);
        }
    }
}
