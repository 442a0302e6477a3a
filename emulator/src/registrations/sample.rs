//! The built-in registrations, which are also the file `registrations.sample.toml`, and their ids as constants.

use uuid::Uuid;

use super::Registrations;

/// Text of the sample, for `--print-sample-config`.
pub const SAMPLE_TOML: &str = include_str!("../../registrations.sample.toml");

/// Ids of the sample. All begin with `7e57` ("test"), which no real directory hands out on purpose.
pub mod ids {
    use super::{Uuid, id};

    /// Tenant "Contoso", where the users and apps of the demo live.
    pub const TENANT: Uuid = id(0xa000, 1);
    /// Tenant "Fabrikam", the foreign one.
    pub const FOREIGN_TENANT: Uuid = id(0xa000, 2);
    /// Domain of the tenant Contoso.
    pub const DOMAIN: &str = "contoso.example";
    /// Adele, who holds the role `Operator` at Valet.
    pub const ADELE: Uuid = id(0xb000, 1);
    /// Adele's sign-in name.
    pub const ADELE_UPN: &str = "adele@contoso.example";
    /// Alex, who holds no role.
    pub const ALEX: Uuid = id(0xb000, 2);
    /// Alex's sign-in name.
    pub const ALEX_UPN: &str = "alex@contoso.example";
    /// Farah, a user of the foreign tenant.
    pub const FARAH: Uuid = id(0xb000, 3);
    /// Farah's sign-in name.
    pub const FARAH_UPN: &str = "farah@fabrikam.example";
    /// Farah as a guest of Contoso.
    pub const FARAH_GUEST: Uuid = id(0xb000, 4);
    /// The guest's principal name in Contoso.
    pub const FARAH_GUEST_UPN: &str = "farah_fabrikam.example#EXT#@contoso.example";
    /// Gerda of Contoso, who is in more groups than fit into a token.
    pub const GERDA: Uuid = id(0xb000, 5);
    /// Gerda's sign-in name.
    pub const GERDA_UPN: &str = "gerda@contoso.example";
    /// Pia, a personal account.
    pub const PIA: Uuid = Uuid::from_u64_pair(0, 0x7e57_b000_0000_0001);
    /// Pia's sign-in name.
    pub const PIA_UPN: &str = "pia@outlook.example";
    /// Group of Contoso that Adele and Alex are in.
    pub const GROUP_STAFF: Uuid = id(0xd000, 1);
    /// Group of Contoso that Adele is in, and Farah as a guest.
    pub const GROUP_RETAIL: Uuid = id(0xd000, 2);
    /// Directory role of Contoso that Adele holds.
    pub const ROLE_READER: Uuid = id(0xd000, 3);
    /// Template of that role: Global Reader, the same in every directory of the world.
    pub const ROLE_READER_TEMPLATE: Uuid = Uuid::from_u128(0xf2ef_992c_3afb_46b9_b7cf_a126_ee74_c451);
    /// The API "Valet": confidential, v2 tokens.
    pub const VALET: Uuid = id(0xc000, 1);
    /// Valet's client secret.
    pub const VALET_SECRET: &str = "valet-sample-secret";
    /// Valet's first identifier URI.
    pub const VALET_URI: &str = "api://7e57c000-0000-4000-8000-000000000001";
    /// Valet's scope that a user may consent to.
    pub const VALET_SCOPE: &str = "mcp.access";
    /// Valet's scope that needs an administrator.
    pub const VALET_ADMIN_SCOPE: &str = "mcp.admin";
    /// Valet's app role for users.
    pub const VALET_ROLE: &str = "Operator";
    /// Valet's app role for applications.
    pub const VALET_APP_ROLE: &str = "Tools.Call.All";
    /// The public client "Valet demo client", redirect `http://localhost`.
    pub const DEMO_CLIENT: Uuid = id(0xc000, 2);
    /// The API "Ledger": v1 tokens, pre-authorises the demo client.
    pub const LEDGER: Uuid = id(0xc000, 3);
    /// Ledger's identifier URI.
    pub const LEDGER_URI: &str = "api://ledger.contoso.example";
    /// Ledger's scope.
    pub const LEDGER_SCOPE: &str = "entries.read";
    /// Ledger's client secret. Ledger may not call Graph, so its on-behalf-of fails for want of consent.
    pub const LEDGER_SECRET: &str = "ledger-sample-secret";
    /// A daemon with the application role at Valet.
    pub const DAEMON: Uuid = id(0xc000, 4);
    /// The daemon's client secret.
    pub const DAEMON_SECRET: &str = "daemon-sample-secret";
    /// An app that lives in the foreign tenant only.
    pub const FOREIGN_APP: Uuid = id(0xc000, 5);
}

/// `7e57KIND-0000-4000-8000-NUMBER`.
const fn id(kind: u16, number: u64) -> Uuid {
    Uuid::from_u64_pair(0x7e57_0000_0000_4000 | ((kind as u64) << 32), 0x8000_0000_0000_0000 | number)
}

impl Registrations {
    /// The built-in sample.
    pub fn sample() -> Self {
        Self::from_toml(SAMPLE_TOML).expect("the sample is checked by a test")
    }

    /// The built-in sample, with the URL of an MCP endpoint as a further identifier URI of Valet. Entra wants
    /// it equal, character for character, to the `resource` of RFC 9728 (entra-docs, "Secure an MCP server").
    pub fn sample_with_mcp_url(url: &str) -> Self {
        let mut sample = Self::sample();
        let valet = sample.app_mut(ids::VALET).expect("the sample has Valet");
        if !valet.identifier_uris.iter().any(|u| u == url) {
            valet.identifier_uris.push(url.to_owned());
        }
        // Where an authorization server at that origin has people come back to.
        let origin = url::Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        valet.redirect_uris.web.push(format!("{origin}/auth/callback"));
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_valid_and_the_constants_are_its_ids() {
        let sample = Registrations::sample();
        for app in [ids::VALET, ids::DEMO_CLIENT, ids::LEDGER, ids::DAEMON, ids::FOREIGN_APP] {
            assert!(sample.app(app).is_some(), "{app}");
        }
        assert_eq!(sample.user(ids::ADELE_UPN).unwrap().id, ids::ADELE);
        assert_eq!(sample.user(ids::ALEX_UPN).unwrap().id, ids::ALEX);
        assert_eq!(sample.user(ids::FARAH_UPN).unwrap().id, ids::FARAH);
        assert_eq!(sample.user(ids::FARAH_GUEST_UPN).unwrap().id, ids::FARAH_GUEST);
        assert_eq!(sample.user(ids::GERDA_UPN).unwrap().id, ids::GERDA);
        assert_eq!(sample.user(ids::PIA_UPN).unwrap().id, ids::PIA);
        let groups: Vec<_> = sample.groups.iter().map(|g| (g.id, g.role_template)).collect();
        let role = (ids::ROLE_READER, Some(ids::ROLE_READER_TEMPLATE));
        assert_eq!(groups, [(ids::GROUP_STAFF, None), (ids::GROUP_RETAIL, None), role]);
        assert_eq!(sample.tenant(ids::DOMAIN).unwrap().id, ids::TENANT);
        assert!(sample.tenant(&ids::FOREIGN_TENANT.to_string()).is_some());
        assert_eq!(sample.api(ids::VALET_URI).unwrap().client_id, ids::VALET);
        assert_eq!(sample.api(ids::LEDGER_URI).unwrap().client_id, ids::LEDGER);
    }
}
