//! Key vaults with secrets, and who may read them; and Key Vault as an API that tokens are issued for.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;
use uuid::Uuid;

use super::graph_app;
use super::{App, Registrations, TokenVersion};

/// Client id of Azure Key Vault, the same in every tenant of the world.
pub const VAULT_APP_ID: Uuid = Uuid::from_u128(0xcfa8_b339_82a2_471a_a3c9_0fc0_be7a_4093);

/// Identifier URI of Azure Key Vault, the same for every vault.
pub const VAULT_URI: &str = "https://vault.azure.net";

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
    pub secrets: BTreeMap<String, String>,
}

/// Key Vault as an API.
pub(super) fn api() -> &'static App {
    static API: LazyLock<App> = LazyLock::new(|| App {
        client_id: VAULT_APP_ID,
        name: "Azure Key Vault".into(),
        identifier_uris: vec![VAULT_URI.into()],
        requested_access_token_version: TokenVersion::V1,
        emit_idtyp: true,
        scopes: vec![super::ExposedScope {
            value: "user_impersonation".into(),
            description: "Use your key vaults in your name".into(),
            admin_consent_required: false,
        }],
        ..graph_app::graph().clone()
    });
    &API
}

/// Whether Key Vault accepts a name: letters, digits and hyphens, at most 127.
pub(crate) fn is_secret_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// The checks of `[[vaults]]`.
pub(super) fn check(all: &Registrations) -> Result<(), (String, String)> {
    let mut names = HashSet::new();
    for (i, vault) in all.vaults.iter().enumerate() {
        let key = |field: &str| format!("vaults[{i}].{field}");
        all.known_tenant(vault.tenant, || key("tenant"))?;
        if !is_vault_name(&vault.name) {
            return Err((
                key("name"),
                format!("{:?} is not 3 to 24 letters, digits and hyphens", vault.name),
            ));
        }
        if !names.insert(vault.name.to_ascii_lowercase()) {
            return Err((key("name"), format!("{:?} is used twice", vault.name)));
        }
        let known =
            |id: &Uuid| all.users.iter().any(|u| u.id == *id) || all.apps.iter().any(|a| a.client_id == *id);
        if let Some(stranger) = vault.readers.iter().find(|id| !known(id)) {
            return Err((key("readers"), format!("{stranger} is neither a user nor an app")));
        }
        let mut secrets = HashSet::new();
        for name in vault.secrets.keys() {
            if !is_secret_name(name) {
                return Err((key("secrets"), format!("{name:?} is not letters, digits and hyphens")));
            }
            if !secrets.insert(name.to_ascii_lowercase()) {
                return Err((key("secrets"), format!("{name:?} is used twice, and case does not count")));
            }
        }
    }
    Ok(())
}

/// Azure documentation, "Naming rules and restrictions for Azure resources".
fn is_vault_name(name: &str) -> bool {
    (3..=24).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
}

/// By hand: secrets must not reach a log.
impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("name", &self.name).finish_non_exhaustive()
    }
}
