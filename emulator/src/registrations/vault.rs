//! Key vaults with secrets, and who may read them.

use serde::Deserialize;
use uuid::Uuid;

/// One vault. Its address is `https://NAME.VAULT-HOST`, or `https://VAULT-HOST` for the only one.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// First label of its host name.
    pub name: String,
    /// Directory whose tokens it accepts.
    pub tenant: Uuid,
    /// Object ids of users and client ids of apps that may read and write secrets.
    #[serde(default)]
    pub readers: Vec<Uuid>,
    /// Secrets by name, in clear.
    #[serde(default)]
    pub secrets: std::collections::BTreeMap<String, String>,
}

/// By hand: secrets must not reach a log.
impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("name", &self.name).finish_non_exhaustive()
    }
}
