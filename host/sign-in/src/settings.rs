//! What a sign-in is set up with, checked once before anything is done.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use url::Url;
use valet_core_entra::{Client, ClientCredential};

use crate::account::{AccountId, is_guid};
use crate::error::Step;

/// The time of day in seconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Where tokens are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Storage {
    /// In the keychain of the system; what does not fit there in a sealed file whose key is in the keychain.
    #[default]
    Keychain,
    /// In a sealed file, whose key is in the keychain.
    SealedFile,
    /// In a file that whoever reads the disk can read. For machines without a keychain, by whoever knows what that means.
    DangerouslyPlaintext,
}

/// How to sign in.
#[derive(Clone)]
pub struct Settings {
    /// Base URL of the authority, https, without a path, e.g. `https://login.microsoftonline.com`.
    pub authority: String,
    /// The tenant that is asked: its id, one of its domains, or an alias (`organizations`, `common`, `consumers`).
    pub tenant: String,
    /// The tenants from which people may sign in, as ids. Needed unless `tenant` is an id itself.
    pub tenants: Vec<String>,
    /// The application: a public client with the redirect URI `http://localhost`.
    pub client_id: String,
    /// Folder for the cache's file, its lock and the chosen account. Made if it is not there.
    pub state_dir: PathBuf,
    /// Where tokens are kept.
    pub storage: Storage,
    /// The account to be used, whatever was chosen. None: the chosen one.
    pub account: Option<AccountId>,
    /// The steps that may be gone beside the cache and the refresh token, e.g. none of them for a program that nobody watches.
    pub steps: Vec<Step>,
    /// TLS to the authority: its roots are the host's.
    pub tls: rustls::ClientConfig,
    /// Address of the session bus for the broker. None: that of the environment.
    pub session_bus: Option<String>,
    /// The time of day.
    pub clock: Clock,
}

impl Settings {
    /// Settings for an application, with every step and the system's clock, and tokens in the keychain.
    #[must_use]
    pub fn new(
        authority: &str,
        tenant: &str,
        client_id: &str,
        state_dir: PathBuf,
        tls: rustls::ClientConfig,
    ) -> Self {
        Self {
            authority: authority.to_owned(),
            tenant: tenant.to_owned(),
            tenants: Vec::new(),
            client_id: client_id.to_owned(),
            state_dir,
            storage: Storage::default(),
            account: None,
            steps: vec![Step::Broker, Step::Browser, Step::DeviceCode],
            tls,
            session_bus: None,
            clock: Arc::new(system_clock),
        }
    }

    /// The same, checked and brought into one form.
    pub(crate) fn checked(mut self) -> Result<Self, SettingsError> {
        let wrong = |setting, why: &str| SettingsError { setting, why: why.to_owned() };
        let url = Url::parse(&self.authority).map_err(|error| wrong("authority", &error.to_string()))?;
        if url.scheme() != "https" {
            return Err(wrong("authority", "it has to begin with https://"));
        }
        let origin = url.origin().ascii_serialization();
        if self.authority.trim_end_matches('/') != origin {
            return Err(wrong(
                "authority",
                &format!("it has to be no more than scheme, host and port: {origin}"),
            ));
        }
        self.authority = origin;
        if self.tenant.is_empty()
            || !self.tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        {
            return Err(wrong(
                "tenant",
                "it has to be a tenant's id, a domain, or an alias such as `organizations`",
            ));
        }
        if self.tenants.is_empty() && is_guid(&self.tenant) {
            self.tenants.push(self.tenant.clone());
        }
        if self.tenants.is_empty() {
            return Err(wrong(
                "tenants",
                "`tenant` is not an id, so the ids from which people may sign in are needed",
            ));
        }
        if let Some(tenant) = self.tenants.iter().find(|tenant| !is_guid(tenant)) {
            return Err(wrong("tenants", &format!("`{tenant}` is not a tenant's id")));
        }
        for id in &mut self.tenants {
            id.make_ascii_lowercase();
        }
        if !is_guid(&self.client_id) {
            return Err(wrong("client_id", &format!("`{}` is not an application's id", self.client_id)));
        }
        self.client_id.make_ascii_lowercase();
        Ok(self)
    }

    /// We as the authority's client: a public one.
    pub(crate) fn client(&self) -> Client<'_> {
        Client {
            authority: &self.authority,
            tenant: &self.tenant,
            client_id: &self.client_id,
            credential: ClientCredential::Public,
        }
    }

    /// Now, in seconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }
}

fn system_clock() -> u64 {
    // A clock before 1970 makes every token look fresh here and expired there; the authority's answer tells.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("authority", &self.authority)
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("state_dir", &self.state_dir)
            .field("storage", &self.storage)
            .field("account", &self.account)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("setting `{setting}`: {why}")]
pub struct SettingsError {
    /// Its name.
    pub setting: &'static str,
    /// What is wrong with it.
    pub why: String,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// TLS that trusts nobody, for settings that are not used to connect.
    pub(crate) fn trusting_nobody() -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    }

    const TENANT: &str = "7e57a000-0000-4000-8000-000000000001";

    pub(crate) fn perfect() -> Settings {
        Settings::new(
            "https://login.example:8443",
            TENANT,
            "7e57c000-0000-4000-8000-000000000002",
            "/x".into(),
            trusting_nobody(),
        )
    }

    fn refused(change: impl FnOnce(&mut Settings)) -> &'static str {
        let mut settings = perfect();
        change(&mut settings);
        settings.checked().expect_err("refused").setting
    }

    #[test]
    fn perfect_settings_are_taken_and_the_tenant_is_the_one_admitted() {
        let settings = perfect().checked().unwrap();
        assert_eq!(settings.tenants, [TENANT]);
        assert_eq!(settings.authority, "https://login.example:8443");
    }

    #[test]
    fn each_unusable_setting_is_named() {
        for authority in [
            "",
            "login.example",
            "http://localhost:1",
            "https://login.example/x",
            "https://u@login.example",
            "https://login.example@evil.example",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://login.example?x",
        ] {
            assert_eq!(refused(|s| s.authority = authority.into()), "authority", "{authority}");
        }
        for tenant in ["", "a/b", "a b", "a?b"] {
            assert_eq!(refused(|s| s.tenant = tenant.into()), "tenant", "{tenant}");
        }
        assert_eq!(refused(|s| s.tenant = "organizations".into()), "tenants", "no default admits everybody");
        assert_eq!(refused(|s| s.tenants = vec!["*".into()]), "tenants");
        assert_eq!(refused(|s| s.client_id = "valet".into()), "client_id");
    }
}
