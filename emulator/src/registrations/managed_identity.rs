//! Managed identities: which of the registered apps the endpoints of IMDS and App Service hand tokens out for.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;
use uuid::Uuid;

use super::graph_app;
use super::{App, Registrations, TokenVersion};

/// What a managed identity asks a token for that another app will present as its client assertion.
pub const EXCHANGE_URI: &str = "api://AzureADTokenExchange";

/// Client id behind [`EXCHANGE_URI`] in the public cloud.
const EXCHANGE_APP_ID: Uuid = Uuid::from_u128(0xfb60_f99c_7a34_4190_8149_302f_7746_9936);

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

/// The API of token exchange.
pub(crate) fn exchange_api() -> &'static App {
    static API: LazyLock<App> = LazyLock::new(|| App {
        client_id: EXCHANGE_APP_ID,
        name: "Azure AD Token Exchange".into(),
        identifier_uris: vec![EXCHANGE_URI.into()],
        requested_access_token_version: TokenVersion::V2,
        emit_idtyp: true,
        scopes: vec![],
        ..graph_app::graph().clone()
    });
    &API
}

/// The checks of `[[managed_identities]]`.
pub(super) fn check(all: &Registrations) -> Result<(), (String, String)> {
    let (mut apps, mut resource_ids) = (HashSet::new(), HashSet::new());
    for (i, identity) in all.managed_identities.iter().enumerate() {
        let key = |field: &str| format!("managed_identities[{i}].{field}");
        if !all.apps.iter().any(|a| a.client_id == identity.app) {
            return Err((key("app"), format!("no app has the client id {}", identity.app)));
        }
        if !apps.insert(identity.app) {
            return Err((key("app"), format!("{} is used twice", identity.app)));
        }
        if let Some(id) = &identity.resource_id
            && !resource_ids.insert(id.to_ascii_lowercase())
        {
            return Err((key("resource_id"), format!("{id:?} is used twice")));
        }
    }
    match all.managed_identities.iter().filter(|m| m.system_assigned).count() {
        0 | 1 => Ok(()),
        _ => Err(("managed_identities".into(), "at most one can be system-assigned".into())),
    }
}

#[cfg(test)]
mod tests {
    use crate::registrations::{Registrations, SAMPLE_TOML};

    /// The sample with `more` at its end, as an error text.
    fn refused(more: &str) -> String {
        Registrations::from_toml(&format!("{SAMPLE_TOML}\n{more}")).unwrap_err().to_string()
    }

    #[test]
    fn contradictions_are_refused() {
        let daemon = "[[managed_identities]]\napp = \"7e57c000-0000-4000-8000-000000000004\"\nsystem_assigned = true\n";
        let valet = daemon.replace("0004\"", "0001\"");
        assert!(Registrations::from_toml(&format!("{SAMPLE_TOML}\n{daemon}")).is_ok());
        assert!(refused(&format!("{daemon}{daemon}")).contains("managed_identities[1].app"));
        assert!(refused(&format!("{daemon}{valet}")).contains("at most one"));
        assert!(refused(&daemon.replace("0004\"", "ffff\"")).contains("managed_identities[0].app"));

        let tenant = "tenant = \"7e57a000-0000-4000-8000-000000000001\"";
        let vault = format!("[[vaults]]\nname = \"contoso\"\n{tenant}\n");
        assert!(Registrations::from_toml(&format!("{SAMPLE_TOML}\n{vault}")).is_ok());
        assert!(
            refused(&format!("{vault}{}", vault.replace("contoso", "Contoso"))).contains("vaults[1].name")
        );
        assert!(refused(&vault.replace("contoso", "a.b")).contains("vaults[0].name"));
        assert!(refused(&format!("{vault}secrets = {{ a_b = \"x\" }}")).contains("vaults[0].secrets"));
        assert!(
            refused(&format!("{vault}secrets = {{ ab = \"x\", AB = \"y\" }}")).contains("vaults[0].secrets")
        );
        let stranger = "readers = [\"7e57a000-0000-4000-8000-000000000001\"]";
        assert!(refused(&format!("{vault}{stranger}")).contains("vaults[0].readers"));
    }
}
