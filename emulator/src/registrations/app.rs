//! One app registration: a client, an API, or both.
//!
//! Owns the shape and the checks within one app. Redirect matching is in [`RedirectUris`]; consent is not here.

use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{Certificate, FederatedCredential, PERSONAL_TENANT, Registrations, credentials, optional_claims};

/// An app registration, with the names of Entra's manifest in snake case.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Application (client) id.
    pub client_id: Uuid,
    /// Shown on the consent page.
    pub name: String,
    /// Home directory.
    pub tenant: Uuid,
    /// Which directories may use it.
    #[serde(default)]
    pub sign_in_audience: SignInAudience,
    /// Application ID URIs. Entra wants a verified domain for `https`; the emulator also allows `localhost`.
    #[serde(default)]
    pub identifier_uris: Vec<String>,
    /// Shape of access tokens for this API. Entra's default is version 1.
    #[serde(default)]
    pub requested_access_token_version: TokenVersion,
    /// Optional claim `idtyp`: adds `"idtyp": "app"` to app-only tokens for this API.
    #[serde(default)]
    pub emit_idtyp: bool,
    /// Delegated permissions this API offers.
    #[serde(default)]
    pub scopes: Vec<ExposedScope>,
    /// App roles this API offers to users and applications.
    #[serde(default)]
    pub app_roles: Vec<AppRole>,
    /// Where answers of the authorize endpoint may go.
    #[serde(default)]
    pub redirect_uris: RedirectUris,
    /// "Allow public client flows": decides where no redirect URI tells the client type.
    #[serde(default)]
    pub is_fallback_public_client: bool,
    /// "ID tokens (used for implicit and hybrid flows)": the authorize endpoint may answer with an id token.
    #[serde(default)]
    pub enable_id_token_issuance: bool,
    /// Client secrets in clear; any of them is accepted.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Secrets that were valid once (AADSTS7000222).
    #[serde(default)]
    pub expired_secrets: Vec<String>,
    /// Certificates whose assertions are accepted.
    #[serde(default)]
    pub certificates: Vec<Certificate>,
    /// Other issuers whose tokens are accepted as assertions.
    #[serde(default)]
    pub federated_credentials: Vec<FederatedCredential>,
    /// False: disabled in its directory.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Only assigned users get tokens for this app (AADSTS50105).
    #[serde(default)]
    pub assignment_required: bool,
    /// Which groups tokens for this app show.
    #[serde(default)]
    pub group_membership_claims: GroupClaims,
    /// Claims added to tokens for this app.
    #[serde(default)]
    pub optional_claims: OptionalClaims,
    /// Life of access tokens for this app; without it Entra's, which varies.
    pub token_life: Option<TokenLife>,
    /// Clients whose consent covers this API's own permissions too (combined consent).
    #[serde(default)]
    pub known_client_applications: Vec<Uuid>,
    /// Clients that need no consent for the listed scopes.
    #[serde(default)]
    pub pre_authorized_applications: Vec<PreAuthorized>,
    /// Permissions at other APIs that this app was configured with.
    #[serde(default)]
    pub api_permissions: Vec<ApiPermission>,
}

/// Version of the access tokens an API gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "u8")]
pub enum TokenVersion {
    /// Issuer of the v1 endpoint, `appid`, audience = identifier URI.
    #[default]
    V1,
    /// Issuer of the v2 endpoint, `azp`, audience = client id.
    V2,
}

impl TryFrom<u8> for TokenVersion {
    type Error = String;

    fn try_from(version: u8) -> Result<Self, String> {
        match version {
            1 => Ok(Self::V1),
            2 => Ok(Self::V2),
            other => Err(format!("token version {other}: must be 1 or 2")),
        }
    }
}

/// Which directories may use an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum SignInAudience {
    /// Its home directory only.
    #[default]
    AzureADMyOrg,
    /// Every directory.
    AzureADMultipleOrgs,
    /// Every directory, and personal accounts.
    AzureADandPersonalMicrosoftAccount,
    /// Personal accounts only.
    PersonalMicrosoftAccount,
}

/// Which groups the `groups` claim shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum GroupClaims {
    /// None.
    #[default]
    None,
    /// Groups in `groups`, no directory roles.
    SecurityGroup,
    /// Directory roles in `wids`, no groups.
    DirectoryRole,
    /// Both.
    All,
}

/// Names of optional claims (Entra documentation, "Optional claims reference"), per kind of token. The names that are
/// known are in `optional_claims.rs`; others are refused when the file is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionalClaims {
    /// In access tokens for this app as an API.
    #[serde(default)]
    pub access_token: Vec<String>,
    /// In id tokens for this app as a client.
    #[serde(default)]
    pub id_token: Vec<String>,
}

/// Bounds of the life of access tokens, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLife {
    /// At least.
    pub min: u32,
    /// At most; not below `min`.
    pub max: u32,
}

/// A delegated permission.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposedScope {
    /// The word in `scp`.
    pub value: String,
    /// Shown on the consent page.
    pub description: String,
    /// Only an administrator may consent.
    #[serde(default)]
    pub admin_consent_required: bool,
}

/// An app role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppRole {
    /// The word in `roles`.
    pub value: String,
    /// What it allows.
    pub description: String,
    /// Who can hold it.
    pub member_types: Vec<MemberType>,
}

/// Who can hold an app role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum MemberType {
    /// People.
    User,
    /// Applications, in app-only tokens.
    Application,
}

/// Redirect URIs by platform.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectUris {
    /// Confidential web applications: redeeming needs a secret.
    #[serde(default)]
    pub web: Vec<String>,
    /// Browser applications: redeeming needs an `Origin` header.
    #[serde(default)]
    pub spa: Vec<String>,
    /// Native applications: redeeming must not carry a secret.
    #[serde(default)]
    pub public_client: Vec<String>,
}

/// Platform of a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// Confidential.
    Web,
    /// Browser.
    Spa,
    /// Native.
    Public,
}

/// A client trusted by an API without consent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreAuthorized {
    /// The client.
    pub client_id: Uuid,
    /// Scopes of this API it gets.
    pub scopes: Vec<String>,
}

/// Permissions at one other API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiPermission {
    /// Client id of the API; Graph is `00000003-0000-0000-c000-000000000000`.
    pub resource: Uuid,
    /// Delegated scopes.
    #[serde(default)]
    pub delegated: Vec<String>,
    /// App roles, for client credentials. They need `admin_consented`.
    #[serde(default)]
    pub application: Vec<String>,
    /// An administrator has consented for everybody.
    #[serde(default)]
    pub admin_consented: bool,
}

/// Whether an absent switch is on.
fn yes() -> bool {
    true
}

impl App {
    /// Whether the directory `tenant` knows this app.
    pub fn visible_in(&self, tenant: Uuid) -> bool {
        use SignInAudience::{
            AzureADMultipleOrgs, AzureADMyOrg, AzureADandPersonalMicrosoftAccount, PersonalMicrosoftAccount,
        };
        match self.sign_in_audience {
            AzureADMyOrg => self.tenant == tenant,
            AzureADMultipleOrgs => tenant != PERSONAL_TENANT,
            AzureADandPersonalMicrosoftAccount => true,
            PersonalMicrosoftAccount => tenant == PERSONAL_TENANT,
        }
    }

    /// The scope of this API with that value; Entra compares scopes without regard to case.
    pub fn scope(&self, value: &str) -> Option<&ExposedScope> {
        self.scopes.iter().find(|s| s.value.eq_ignore_ascii_case(value))
    }

    /// The first identifier URI, or the client id where there is none.
    pub fn identifier(&self) -> String {
        self.identifier_uris.first().cloned().unwrap_or_else(|| self.client_id.to_string())
    }

    pub(super) fn check(&self, all: &Registrations, key: &str) -> Result<(), (String, String)> {
        for (platform, uris) in [
            ("web", &self.redirect_uris.web),
            ("spa", &self.redirect_uris.spa),
            ("public_client", &self.redirect_uris.public_client),
        ] {
            if let Some(bad) = uris.iter().find(|u| Url::parse(u).is_err()) {
                return Err((format!("{key}.redirect_uris.{platform}"), format!("{bad:?} is not a URI")));
            }
        }
        credentials::check(&self.certificates, &self.federated_credentials, key)?;
        for (i, p) in self.pre_authorized_applications.iter().enumerate() {
            let key = format!("{key}.pre_authorized_applications[{i}]");
            if all.app(p.client_id).is_none() {
                return Err((
                    format!("{key}.client_id"),
                    format!("no app has the client id {}", p.client_id),
                ));
            }
            self.has_scopes(&p.scopes, &format!("{key}.scopes"))?;
        }
        for (i, id) in self.known_client_applications.iter().enumerate() {
            if all.app(*id).is_none() {
                let key = format!("{key}.known_client_applications[{i}]");
                return Err((key, format!("no app has the client id {id}")));
            }
        }
        for (i, p) in self.api_permissions.iter().enumerate() {
            let key = format!("{key}.api_permissions[{i}]");
            let Some(api) = all.app(p.resource) else {
                return Err((format!("{key}.resource"), format!("no app has the client id {}", p.resource)));
            };
            api.has_scopes(&p.delegated, &format!("{key}.delegated"))?;
            if let Some(role) = p.application.iter().find(|r| !api.offers_to_applications(r)) {
                let message = format!("{} offers no application role {role:?}", api.name);
                return Err((format!("{key}.application"), message));
            }
        }
        optional_claims::check(self, key)
    }

    fn has_scopes(&self, scopes: &[String], key: &str) -> Result<(), (String, String)> {
        match scopes.iter().find(|s| self.scope(s).is_none()) {
            None => Ok(()),
            Some(missing) => Err((key.to_owned(), format!("{} has no scope {missing:?}", self.name))),
        }
    }

    fn offers_to_applications(&self, role: &str) -> bool {
        self.app_roles.iter().any(|r| r.value == role && r.member_types.contains(&MemberType::Application))
    }
}

impl RedirectUris {
    /// The platform of a redirect URI, if registered. Exact and case-sensitive, except that the port of
    /// `http://localhost` and `http://127.0.0.1` is ignored (Entra documentation, "Redirect URI restrictions").
    /// `[::1]` is not supported, registered or not.
    pub(crate) fn platform(&self, uri: &str) -> Option<Platform> {
        if Url::parse(uri).is_ok_and(|u| u.host_str() == Some("[::1]")) {
            return None;
        }
        let among = |registered: &[String]| registered.iter().any(|r| r == uri || same_but_port(r, uri));
        match () {
            () if among(&self.web) => Some(Platform::Web),
            () if among(&self.spa) => Some(Platform::Spa),
            () if among(&self.public_client) => Some(Platform::Public),
            () => None,
        }
    }
}

fn same_but_port(registered: &str, asked: &str) -> bool {
    let (Ok(mut registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    let loopback = |u: &Url| u.scheme() == "http" && matches!(u.host_str(), Some("localhost" | "127.0.0.1"));
    if !loopback(&registered) || !loopback(&asked) {
        return false;
    }
    registered.set_port(None).is_ok() && asked.set_port(None).is_ok() && registered == asked
}

/// By hand: secrets must not reach a log.
impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("client_id", &self.client_id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_port_is_ignored() {
        let uris = RedirectUris {
            web: vec!["https://localhost:8443/cb".into()],
            spa: vec![],
            public_client: vec!["http://localhost".into(), "http://[::1]:5000/cb".into()],
        };
        let check = |uri: &str| uris.platform(uri);
        assert_eq!(check("http://localhost:49152"), Some(Platform::Public));
        assert_eq!(check("http://localhost:49152/"), Some(Platform::Public));
        assert_eq!(check("http://localhost:49152/other"), None);
        assert_eq!(check("http://127.0.0.1:49152"), None);
        assert_eq!(check("http://[::1]:5000/cb"), None, "not supported");
        assert_eq!(check("https://localhost:8443/cb"), Some(Platform::Web));
        assert_eq!(check("https://localhost:9999/cb"), None);
        assert_eq!(check("https://localhost:8443/CB"), None);
    }
}
