//! Microsoft Graph as a registration: present in every tenant, with the permissions the emulated Graph checks.

use std::sync::LazyLock;

use uuid::Uuid;

use super::app::{
    App, AppRole, ExposedScope, GroupClaims, MemberType, OptionalClaims, RedirectUris, SignInAudience,
    TokenVersion,
};

/// Client id of Microsoft Graph, the same in every tenant of the world.
pub const GRAPH_APP_ID: Uuid = Uuid::from_u128(0x0000_0003_0000_0000_c000_0000_0000_0000);

/// Identifier URI of Microsoft Graph.
pub const GRAPH_URI: &str = "https://graph.microsoft.com";

/// Value, description, needs an administrator.
const SCOPES: [(&str, &str, bool); 19] = [
    ("User.Read", "Sign you in and read your profile", false),
    ("User.ReadBasic.All", "Read all users' basic profiles", false),
    ("User.Read.All", "Read all users' full profiles", true),
    ("Mail.Read", "Read your mail", false),
    ("Mail.ReadWrite", "Read and change your mail", false),
    ("Mail.Send", "Send mail in your name", false),
    ("Calendars.Read", "Read your calendars", false),
    ("Calendars.ReadWrite", "Read and change your calendars", false),
    ("Files.Read", "Read your files", false),
    ("Files.ReadWrite", "Read and change your files", false),
    ("Files.Read.All", "Read all files that you can open", false),
    ("Files.ReadWrite.All", "Read and change all files that you can open", false),
    ("Group.Read.All", "Read all groups", true),
    ("GroupMember.Read.All", "Read who is in which group", true),
    ("Organization.Read.All", "Read information about the organization", true),
    ("Directory.Read.All", "Read directory data", true),
    ("openid", "Sign you in", false),
    ("profile", "Read your basic profile", false),
    ("email", "Read your mail address", false),
];

/// Value and description of the permissions of applications; all need an administrator.
const ROLES: [(&str, &str); 13] = [
    ("User.ReadBasic.All", "Read all users' basic profiles"),
    ("User.Read.All", "Read all users' full profiles"),
    ("Mail.Read", "Read mail in all mailboxes"),
    ("Mail.ReadWrite", "Read and change mail in all mailboxes"),
    ("Mail.Send", "Send mail as any user"),
    ("Calendars.Read", "Read all calendars"),
    ("Calendars.ReadWrite", "Read and change all calendars"),
    ("Files.Read.All", "Read all files"),
    ("Files.ReadWrite.All", "Read and change all files"),
    ("Group.Read.All", "Read all groups"),
    ("GroupMember.Read.All", "Read who is in which group"),
    ("Organization.Read.All", "Read information about the organization"),
    ("Directory.Read.All", "Read directory data"),
];

pub(super) fn graph() -> &'static App {
    static GRAPH: LazyLock<App> = LazyLock::new(|| App {
        client_id: GRAPH_APP_ID,
        name: "Microsoft Graph".into(),
        tenant: Uuid::nil(),
        sign_in_audience: SignInAudience::AzureADandPersonalMicrosoftAccount,
        identifier_uris: vec![GRAPH_URI.into()],
        requested_access_token_version: TokenVersion::V1,
        emit_idtyp: true,
        scopes: SCOPES
            .iter()
            .map(|&(value, description, admin_consent_required)| ExposedScope {
                value: value.into(),
                description: description.into(),
                admin_consent_required,
            })
            .collect(),
        app_roles: ROLES
            .iter()
            .map(|&(value, description)| AppRole {
                value: value.into(),
                description: description.into(),
                member_types: vec![MemberType::Application],
            })
            .collect(),
        redirect_uris: RedirectUris::default(),
        is_fallback_public_client: false,
        enable_id_token_issuance: false,
        secrets: vec![],
        expired_secrets: vec![],
        certificates: vec![],
        federated_credentials: vec![],
        enabled: true,
        assignment_required: false,
        group_membership_claims: GroupClaims::None,
        optional_claims: OptionalClaims::default(),
        token_life: None,
        known_client_applications: vec![],
        pre_authorized_applications: vec![],
        api_permissions: vec![],
    });
    &GRAPH
}
