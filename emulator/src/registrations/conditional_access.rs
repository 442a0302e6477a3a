//! Conditional Access as far as an application notices it: which user at which API must do what before a token is issued.

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Registrations;

/// One policy. It applies where tenant, user, resource and, if named, client and authentication context all match.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionalAccess {
    /// Shown on the page of registrations.
    pub name: String,
    /// Directory.
    pub tenant: Uuid,
    /// Object ids of users; empty: everybody.
    #[serde(default)]
    pub users: Vec<Uuid>,
    /// Client ids of the APIs it protects; empty: every API. Entra's policies protect APIs or a context, not both.
    #[serde(default)]
    pub resources: Vec<Uuid>,
    /// Client ids of the applications it applies to; empty: all.
    #[serde(default)]
    pub clients: Vec<Uuid>,
    /// Applies only when the request asks for this authentication context (`acrs`), e.g. `c1`.
    pub context: Option<String>,
    /// What it asks for.
    #[serde(default)]
    pub control: Control,
    /// A sign-in older than this many minutes must be repeated (AADSTS70043).
    pub sign_in_frequency_minutes: Option<u32>,
}

impl ConditionalAccess {
    /// Its id in `polids`: derived from directory and name, so that a file need not hold it.
    pub(crate) fn id(&self) -> Uuid {
        let digest = Sha256::new().chain_update("policy").chain_update(self.tenant).chain_update(&self.name);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.finalize()[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    pub(super) fn check(&self, all: &Registrations, key: &str) -> Result<(), (String, String)> {
        if !all.tenants.iter().any(|t| t.id == self.tenant) {
            return Err((format!("{key}.tenant"), format!("no tenant has the id {}", self.tenant)));
        }
        if let Some(id) = self.users.iter().find(|&&id| !all.users.iter().any(|u| u.id == id)) {
            return Err((format!("{key}.users"), format!("no user has the id {id}")));
        }
        for (name, ids) in [("resources", &self.resources), ("clients", &self.clients)] {
            if let Some(id) = ids.iter().find(|&&id| all.app(id).is_none()) {
                return Err((format!("{key}.{name}"), format!("no app has the client id {id}")));
            }
        }
        if self.context.is_some() && !self.resources.is_empty() {
            return Err((
                format!("{key}.context"),
                "a policy protects resources or a context, not both".into(),
            ));
        }
        if self.control == Control::None && self.sign_in_frequency_minutes.is_none() {
            return Err((format!("{key}.control"), "the policy asks for nothing".into()));
        }
        Ok(())
    }
}

/// What a policy asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Nothing but the sign-in frequency.
    #[default]
    None,
    /// A second factor (AADSTS50076).
    Mfa,
    /// A second factor that the user has yet to register (AADSTS50079, and AADSTS50072 in a tenant the user is a guest of).
    MfaRegistration,
    /// A stronger sign-in than was made (AADSTS50074).
    StrongAuthentication,
    /// A challenge of another provider (AADSTS50158).
    ExternalChallenge,
    /// A compliant device (AADSTS53000).
    CompliantDevice,
    /// A domain-joined device (AADSTS53001).
    DomainJoinedDevice,
    /// An approved application (AADSTS53002).
    ApprovedApp,
    /// Blocked (AADSTS53003).
    Block,
    /// Blocked by a security policy (AADSTS530032).
    SecurityPolicy,
}
