//! Who exists in the emulated directory: tenants, users and app registrations, read from TOML into typed values.
//!
//! Owns the file format, its checks and the look-ups. Does not decide who may have which token: that is
//! [`crate::scopes`] and the grants in `token/`.

mod app;
mod conditional_access;
mod credentials;
mod graph_app;
mod group;
mod limits;
mod managed_identity;
mod optional_claims;
mod sample;
mod user;
mod vault;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use uuid::Uuid;

use crate::faults::PlannedFault;

pub(crate) use app::Platform;
pub use app::{
    ApiPermission, App, AppRole, ExposedScope, GroupClaims, MemberType, OptionalClaims, PreAuthorized,
    RedirectUris, SignInAudience, TokenLife, TokenVersion,
};
pub use conditional_access::{ConditionalAccess, Control};
pub(crate) use credentials::PublicCertificate;
pub use credentials::{Certificate, FederatedCredential};
pub use graph_app::{GRAPH_APP_ID, GRAPH_URI};
pub use group::Group;
pub(crate) use group::{Membership, groups_of};
pub use limits::Limits;
pub(crate) use managed_identity::exchange_api;
pub use managed_identity::{EXCHANGE_URI, ManagedIdentity};
pub use sample::{SAMPLE_TOML, ids};
pub use user::{PERSONAL_TENANT, RoleAssignment, User};
pub(crate) use vault::is_secret_name;
pub use vault::{VAULT_APP_ID, VAULT_URI, Vault};

/// Everything the emulator knows, in the order of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registrations {
    /// The tenants; at least one.
    pub tenants: Vec<Tenant>,
    /// The users of all tenants.
    #[serde(default)]
    pub users: Vec<User>,
    /// The app registrations of all tenants. Microsoft Graph is always there and must not be listed.
    #[serde(default)]
    pub apps: Vec<App>,
    /// Groups and directory roles.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Conditional Access policies.
    #[serde(default)]
    pub conditional_access: Vec<ConditionalAccess>,
    /// Identities of the emulated machine.
    #[serde(default)]
    pub managed_identities: Vec<ManagedIdentity>,
    /// Key vaults.
    #[serde(default)]
    pub vaults: Vec<Vault>,
    /// Throttles of the login service.
    #[serde(default)]
    pub limits: Limits,
    /// Faults planned from the start.
    #[serde(default)]
    pub faults: Vec<PlannedFault>,
}

/// One directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Directory id, the `tid` of tokens.
    pub id: Uuid,
    /// Verified domain, accepted in paths instead of the id.
    pub domain: String,
    /// Shown on the sign-in page.
    pub name: String,
}

/// Why a registrations file was refused. Each message names the file and the key.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationsError {
    /// The file cannot be read: absent, or no permission.
    #[error("{file}: cannot be read: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, a key is unknown or missing, or a value has the wrong type.
    #[error("{file}: {message}")]
    Parse {
        /// The file, or `<text>`.
        file: PathBuf,
        /// Line, column and key.
        message: String,
    },
    /// The values contradict each other: a duplicate id, or a reference to something absent.
    #[error("{file}: {key}: {message}")]
    Invalid {
        /// The file, or `<text>`.
        file: PathBuf,
        /// Path of the key, e.g. `apps[2].tenant`.
        key: String,
        /// What is wrong.
        message: String,
    },
}

impl Registrations {
    /// Reads and checks a TOML file.
    pub fn from_file(file: &Path) -> Result<Self, RegistrationsError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| RegistrationsError::Read { file: file.to_owned(), source })?;
        Self::parse(&text, file)
    }

    /// Reads and checks TOML text; errors name the file `<text>`.
    pub fn from_toml(text: &str) -> Result<Self, RegistrationsError> {
        Self::parse(text, Path::new("<text>"))
    }

    fn parse(text: &str, file: &Path) -> Result<Self, RegistrationsError> {
        let parsed: Self = toml::from_str(text).map_err(|e| RegistrationsError::Parse {
            file: file.to_owned(),
            message: e.to_string().trim_end().to_owned(),
        })?;
        parsed.check().map_err(|(key, message)| RegistrationsError::Invalid {
            file: file.to_owned(),
            key,
            message,
        })?;
        Ok(parsed)
    }

    /// The tenant a path segment names: id or domain, letters of any case. Aliases are not tenants.
    pub fn tenant(&self, name: &str) -> Option<&Tenant> {
        let id = Uuid::parse_str(name).ok();
        self.tenants.iter().find(|t| Some(t.id) == id || t.domain.eq_ignore_ascii_case(name))
    }

    /// A user by principal name (any case) or object id.
    pub fn user(&self, name: &str) -> Option<&User> {
        let id = Uuid::parse_str(name).ok();
        self.users.iter().find(|u| Some(u.id) == id || u.user_principal_name.eq_ignore_ascii_case(name))
    }

    /// The same person in the home directory, if `user` is a guest.
    pub fn home_of(&self, user: &User) -> Option<&User> {
        let home = user.home?;
        self.users.iter().find(|u| u.id == home)
    }

    /// An app by client id; Microsoft Graph and Key Vault are among them.
    pub fn app(&self, client_id: Uuid) -> Option<&App> {
        match client_id {
            GRAPH_APP_ID => Some(graph_app::graph()),
            VAULT_APP_ID => Some(vault::api()),
            _ => self.apps.iter().find(|a| a.client_id == client_id),
        }
    }

    /// An app by client id, to be changed. Those that are built in cannot be.
    pub fn app_mut(&mut self, client_id: Uuid) -> Option<&mut App> {
        self.apps.iter_mut().find(|a| a.client_id == client_id)
    }

    /// The API that owns an identifier: one of its identifier URIs, character for character, or its client id.
    pub fn api(&self, identifier: &str) -> Option<&App> {
        if let Ok(id) = Uuid::parse_str(identifier) {
            return self.app(id);
        }
        let named = |a: &&App| a.identifier_uris.iter().any(|u| u == identifier);
        let built_in = [graph_app::graph(), vault::api()];
        self.apps.iter().find(named).or_else(|| built_in.into_iter().find(named))
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.tenants.is_empty() {
            return Err(("tenants".into(), "at least one tenant is needed".into()));
        }
        let mut seen = HashSet::new();
        for (i, t) in self.tenants.iter().enumerate() {
            if t.id == PERSONAL_TENANT {
                return Err((
                    format!("tenants[{i}].id"),
                    "the tenant of personal accounts is built in".into(),
                ));
            }
            unique(&mut seen, t.id.to_string(), || format!("tenants[{i}].id"))?;
            unique(&mut seen, t.domain.to_ascii_lowercase(), || format!("tenants[{i}].domain"))?;
        }
        for (i, u) in self.users.iter().enumerate() {
            if !u.is_personal() {
                self.known_tenant(u.tenant, || format!("users[{i}].tenant"))?;
            }
            u.check(self, &format!("users[{i}]"))?;
            unique(&mut seen, u.id.to_string(), || format!("users[{i}].id"))?;
            let name = u.user_principal_name.to_ascii_lowercase();
            unique(&mut seen, name, || format!("users[{i}].user_principal_name"))?;
            for (j, a) in u.app_roles.iter().enumerate() {
                self.known_roles(a, &format!("users[{i}].app_roles[{j}]"))?;
            }
        }
        for (i, g) in self.groups.iter().enumerate() {
            self.known_tenant(g.tenant, || format!("groups[{i}].tenant"))?;
            unique(&mut seen, g.id.to_string(), || format!("groups[{i}].id"))?;
            g.check(self, &format!("groups[{i}]"))?;
        }
        for (i, a) in self.apps.iter().enumerate() {
            self.known_tenant(a.tenant, || format!("apps[{i}].tenant"))?;
            if a.client_id == GRAPH_APP_ID || a.client_id == VAULT_APP_ID {
                return Err((
                    format!("apps[{i}].client_id"),
                    "Microsoft Graph and Key Vault are built in".into(),
                ));
            }
            unique(&mut seen, a.client_id.to_string(), || format!("apps[{i}].client_id"))?;
            for uri in &a.identifier_uris {
                unique(&mut seen, uri.clone(), || format!("apps[{i}].identifier_uris"))?;
            }
        }
        for (i, policy) in self.conditional_access.iter().enumerate() {
            policy.check(self, &format!("conditional_access[{i}]"))?;
        }
        self.limits.check("limits")?;
        self.apps.iter().enumerate().try_for_each(|(i, a)| a.check(self, &format!("apps[{i}]")))?;
        managed_identity::check(self)?;
        vault::check(self)
    }

    fn known_tenant(&self, id: Uuid, key: impl Fn() -> String) -> Result<(), (String, String)> {
        match self.tenants.iter().any(|t| t.id == id) {
            true => Ok(()),
            false => Err((key(), format!("no tenant has the id {id}"))),
        }
    }

    fn known_roles(&self, assigned: &RoleAssignment, key: &str) -> Result<(), (String, String)> {
        let Some(app) = self.app(assigned.app) else {
            return Err((format!("{key}.app"), format!("no app has the client id {}", assigned.app)));
        };
        match assigned.roles.iter().find(|r| !app.app_roles.iter().any(|known| known.value == **r)) {
            None => Ok(()),
            Some(role) => Err((format!("{key}.roles"), format!("{} has no app role {role:?}", app.name))),
        }
    }
}

fn unique(
    seen: &mut HashSet<String>,
    value: String,
    key: impl Fn() -> String,
) -> Result<(), (String, String)> {
    match seen.insert(value.clone()) {
        true => Ok(()),
        false => Err((key(), format!("{value:?} is used twice"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_file_and_key() {
        let unknown = Registrations::from_toml("tenants = []\ncolour = 1").unwrap_err().to_string();
        assert!(unknown.starts_with("<text>: ") && unknown.contains("colour"), "{unknown}");
        let dangling = SAMPLE_TOML.replacen(
            "tenant = \"7e57a000-0000-4000-8000-000000000001\"",
            "tenant = \"7e57a000-0000-4000-8000-00000000ffff\"",
            1,
        );
        let dangling = Registrations::from_toml(&dangling).unwrap_err().to_string();
        assert!(dangling.contains("users[0].tenant"), "{dangling}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let e = Registrations::from_file(Path::new("/nowhere/registrations.toml")).unwrap_err();
        assert!(e.to_string().starts_with("/nowhere/registrations.toml: cannot be read"), "{e}");
    }
}
