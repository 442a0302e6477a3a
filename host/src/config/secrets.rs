//! What comes from files beside the configuration, or from variables of its own: secrets and keys. `VALET_CLIENT_SECRET`, `VALET_REDIS_URL` and
//! `VALET_SEALING_KEY` each have a key that names a file in their place.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{SecretBox, SecretString};

use super::Storage;
use super::derive::Reader;
use super::read::{ConfigError, unreadable};
use crate::seal::SealingKeys;
use crate::signing_key::OwnKeys;

impl Reader<'_> {
    /// A text from the file that `key` names, or from a variable; without the white space that editors and `echo` leave at its end.
    pub(super) fn text(
        &self,
        key: &str,
        file: Option<&Path>,
        variable: &str,
    ) -> Result<Option<SecretString>, ConfigError> {
        match (file, self.variables.get(variable)) {
            (Some(_), Some(_)) => Err(self.key(key, &format!("and {variable} are both set; keep one"))),
            (Some(path), None) => {
                let bytes = Zeroizing::new(self.bytes(path)?);
                let text = std::str::from_utf8(&bytes).map_err(|_| self.key(key, "is not text"))?;
                Ok(Some(SecretString::from(text.trim())))
            }
            (None, text) => Ok(text.map(|text| SecretString::from(text.trim()))),
        }
    }

    /// Keys of 32 bytes in base64, one a line, from a file or a variable; made now for the memory store, whose content ends with the process as well.
    pub(super) fn sealing_keys(
        &self,
        file: Option<&Path>,
        storage: &Storage,
    ) -> Result<SealingKeys, ConfigError> {
        let text = match (file, self.variables.get("VALET_SEALING_KEY"), storage) {
            (Some(_), Some(_), _) => {
                return Err(
                    self.key("storage.sealing_key_file", "and VALET_SEALING_KEY are both set; keep one")
                );
            }
            (Some(path), None, _) => Zeroizing::new(self.bytes(path)?),
            (None, Some(text), _) => Zeroizing::new(text.clone().into_bytes()),
            (None, None, Storage::Memory) => return Ok(SealingKeys::random()),
            (None, None, _) => {
                return Err(self.key(
                    "storage.sealing_key_file",
                    "is missing: what is kept is sealed with it. `openssl rand -base64 32` makes one",
                ));
            }
        };
        let key = |text: &str| {
            let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
            let bytes: &[u8; 32] = bytes.as_slice().try_into().ok()?;
            Some(SecretBox::init_with_mut(|key: &mut [u8; 32]| key.copy_from_slice(bytes)))
        };
        std::str::from_utf8(&text).unwrap_or_default().split_whitespace().map(key).collect::<Option<Vec<_>>>().and_then(SealingKeys::new).ok_or_else(|| {
            self.key(
                "storage.sealing_key_file",
                "or VALET_SEALING_KEY has to be 32 bytes in base64, or several such keys, the current one first",
            )
        })
    }

    pub(super) fn own_keys(&self, path: &Path) -> Result<OwnKeys, ConfigError> {
        let pem = Zeroizing::new(self.bytes(path)?);
        OwnKeys::parse(&pem).map_err(|error| self.key("oauth.signing_key_file", &error.to_string()))
    }

    pub(super) fn bytes(&self, path: &Path) -> Result<Vec<u8>, ConfigError> {
        let path = self.relative(path);
        std::fs::read(&path).map_err(|error| unreadable(&path, error))
    }
}
