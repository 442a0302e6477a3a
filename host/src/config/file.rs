//! The form of `valet.toml`: what operators write, before anything is derived from it. `docs/configuration.md` is the reference of its keys.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::OauthMode;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) server: ServerFile,
    pub(super) entra: EntraFile,
    #[serde(default)]
    pub(super) graph: GraphFile,
    #[serde(default)]
    pub(super) tools: BTreeMap<String, Rule>,
    #[serde(default)]
    pub(super) resources: BTreeMap<String, Rule>,
    #[serde(default)]
    pub(super) prompts: BTreeMap<String, Rule>,
    #[serde(default)]
    pub(super) scopes: ScopesFile,
    #[serde(default)]
    pub(super) oauth: OauthFile,
    /// The user of this machine, for `valet stdio`.
    pub(super) local: Option<LocalFile>,
    #[serde(default)]
    pub(super) egress: EgressFile,
    #[serde(default)]
    pub(super) storage: StorageFile,
    #[serde(default)]
    pub(super) limits: LimitsFile,
    /// The folder with the artifacts; beside this program if left out.
    pub(super) artifacts: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerFile {
    /// Needed to serve HTTP, and for nothing else.
    pub(super) listen: Option<SocketAddr>,
    /// The URL that clients use, which is also the resource identifier (RFC 9728). Not needed where the user of this machine is the only one.
    pub(super) public_url: Option<Url>,
    pub(super) tls_certificate: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    #[serde(default)]
    pub(super) allowed_origins: Vec<String>,
    #[serde(default)]
    pub(super) allowed_hosts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntraFile {
    #[serde(default = "public_authority")]
    pub(super) authority: Url,
    #[serde(default = "public_v1_authority")]
    pub(super) v1_authority: Url,
    pub(super) tenant: String,
    /// Whose users may call; the tenant's if left out.
    pub(super) tenants: Option<Vec<String>>,
    pub(super) client_id: String,
    /// Client applications that may call; any if left out.
    pub(super) clients: Option<Vec<String>>,
    /// Accepted `aud` values; the client id if left out, which is what v2 tokens carry.
    pub(super) audiences: Option<Vec<String>>,
    pub(super) client_secret_file: Option<PathBuf>,
    #[serde(default = "leeway")]
    pub(super) leeway: u32,
    /// Shortest time in seconds between two fetches of the keys, whatever tokens ask for.
    #[serde(default = "keys_floor")]
    pub(super) keys_floor: u32,
    /// Whether the authority may be an emulator.
    #[serde(default)]
    pub(super) emulator: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphFile {
    #[serde(default = "public_graph")]
    pub(super) url: Url,
}

/// Who may use a tool, a resource or a prompt. `valet-core-policy` has the meaning.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<String>,
    #[serde(default)]
    pub(super) applications: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopesFile {
    /// Scope → scopes that it includes.
    #[serde(default)]
    pub(super) implies: BTreeMap<String, Vec<String>>,
    /// What stands before a scope's name where clients ask for it, for example `api://<client id>/`.
    pub(super) prefix: Option<String>,
}

/// Where clients get their tokens. `valet-core-oauth` has the meaning of what it is about our own authorization server.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OauthFile {
    #[serde(default)]
    pub(super) mode: OauthMode,
    /// Clients that are known beforehand.
    #[serde(default)]
    pub(super) clients: Vec<ClientFile>,
    /// Hosts whose Client ID Metadata Documents are taken; `*` for any.
    #[serde(default)]
    pub(super) client_document_hosts: Vec<String>,
    /// Redirect URIs that a client may register by itself, and the word `loopback`. None, and nobody registers.
    #[serde(default)]
    pub(super) registration_redirects: Vec<String>,
    pub(super) registrations: Option<u32>,
    /// What clients may ask for; what the rules of tools, resources and prompts name if left out.
    pub(super) scopes: Option<Vec<String>>,
    /// Permissions of the API that people are asked for when they sign in.
    pub(super) sign_in_scopes: Option<Vec<String>>,
    pub(super) access_token_lifetime: Option<u32>,
    pub(super) refresh_token_lifetime: Option<u32>,
    pub(super) consent_lifetime: Option<u32>,
    /// The keys that tokens are signed and checked with, if not one of the server's own.
    pub(super) signing_key_file: Option<PathBuf>,
    /// Whether it is meant that the scopes of Entra do not begin with the public URL.
    #[serde(default)]
    pub(super) unmatched_resource: bool,
    /// For clients under development: whether their documents may be at private and loopback addresses.
    #[serde(default)]
    pub(super) client_documents_at_private_addresses: bool,
}

/// A client that is known beforehand, in the words of RFC 7591 section 2.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientFile {
    pub(super) client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_name: Option<String>,
    pub(super) redirect_uris: Vec<String>,
    /// SHA-256 of the client's secret in hexadecimal digits, for a client that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret_sha256: Option<String>,
}

/// How the user of this machine signs in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalFile {
    /// Where the token cache's file and the choice of the account are; the system's place for such things if left out.
    pub(super) state_dir: Option<PathBuf>,
    #[serde(default)]
    pub(super) cache: CacheFile,
    /// `OBJECT-ID@TENANT-ID` of the one account to use.
    pub(super) account: Option<String>,
    /// Ways of signing in beside the cached token and its refresh; all if left out.
    pub(super) steps: Option<Vec<StepFile>>,
}

/// Where tokens are kept.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CacheFile {
    /// In the keychain.
    #[default]
    Keychain,
    /// In a sealed file, whose key is in the keychain.
    SealedFile,
}

/// A way of signing in.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StepFile {
    /// The system's broker.
    Broker,
    /// The browser of this machine.
    Browser,
    /// A code to be entered in any browser.
    DeviceCode,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EgressFile {
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) allow_private_addresses: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StorageFile {
    /// A file to keep tokens and keys in; memory if left out.
    pub(super) path: Option<PathBuf>,
    /// A file with the URL of a Redis or Valkey server, which holds a password.
    pub(super) redis_url_file: Option<PathBuf>,
    pub(super) redis_ca_file: Option<PathBuf>,
    pub(super) sealing_key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsFile {
    pub(super) concurrent_requests: Option<u32>,
    pub(super) calls_per_minute: Option<u32>,
    pub(super) refusals_per_minute: Option<u32>,
}

impl Default for GraphFile {
    fn default() -> Self {
        Self { url: public_graph() }
    }
}

fn public_authority() -> Url {
    Url::parse("https://login.microsoftonline.com").expect("a URL")
}

fn public_v1_authority() -> Url {
    Url::parse("https://sts.windows.net").expect("a URL")
}

fn public_graph() -> Url {
    Url::parse("https://graph.microsoft.com").expect("a URL")
}

/// A minute: hosts that keep their clocks by NTP differ by far less.
fn leeway() -> u32 {
    60
}

/// What Microsoft's guidance on key rollover gives.
fn keys_floor() -> u32 {
    300
}
