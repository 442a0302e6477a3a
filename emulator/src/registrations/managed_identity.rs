//! Managed identities: which of the registered apps the endpoints of IMDS and App Service hand tokens out for.

use serde::Deserialize;
use uuid::Uuid;

/// One identity that the emulated machine has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedIdentity {
    /// Client id of the app registration that it is.
    pub app: Uuid,
    /// Azure resource id of a user-assigned identity, the selector `msi_res_id`.
    pub resource_id: Option<String>,
    /// The one that answers where the request names none. At most one is.
    #[serde(default)]
    pub system_assigned: bool,
}
