//! Groups and directory roles: what `memberOf`, the `groups` claim and the `wids` claim show.

use serde::Deserialize;
use uuid::Uuid;

/// One group, or one directory role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Object id, the value in the `groups` claim.
    pub id: Uuid,
    /// Directory it belongs to.
    pub tenant: Uuid,
    /// Shown by Graph.
    pub display_name: String,
    /// Object ids of the users in it.
    #[serde(default)]
    pub members: Vec<Uuid>,
    /// Makes it a directory role, with this template id in the `wids` claim and none in `groups`.
    pub role_template: Option<Uuid>,
}
