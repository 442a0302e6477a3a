//! From the keys of the file to a [`Config`]. What contradicts itself is refused, by the key that has to change.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde_json::json;
use url::Url;
use valet_store::RedisSettings;

use super::file::File;
use super::read::ConfigError;
use super::rules::Rules;
use super::{Config, Egress, Server, Storage, TlsFiles};
use crate::egress::has_user_information;
use crate::limits;

/// Derives a [`Config`] and refuses what contradicts itself.
pub(super) struct Reader<'a> {
    pub(super) path: &'a Path,
    pub(super) variables: &'a BTreeMap<String, String>,
    /// Which variable replaced which key.
    pub(super) replaced: &'a BTreeMap<String, String>,
}

impl Reader<'_> {
    pub(super) fn config(&self, file: File) -> Result<Config, ConfigError> {
        let server = self.server(&file)?;
        let settings = self.settings(&file)?;
        let storage = self.storage(&file)?;
        let local = self.local(&file)?;
        let rules = Rules::of(&file);
        let concurrent_requests = file.limits.concurrent_requests.unwrap_or(limits::CONCURRENT_REQUESTS);
        if !(1..=1024).contains(&concurrent_requests) {
            return Err(self.key("limits.concurrent_requests", "has to be between 1 and 1024"));
        }
        let calls_per_minute = file.limits.calls_per_minute.unwrap_or(limits::CALLS_PER_MINUTE);
        let Some(calls_per_minute) = NonZeroU32::new(calls_per_minute) else {
            return Err(self.key("limits.calls_per_minute", "is 0, which would let nobody call"));
        };
        let refusals_per_minute = file.limits.refusals_per_minute.unwrap_or(limits::REFUSALS_PER_MINUTE);
        let Some(refusals_per_minute) = NonZeroU32::new(refusals_per_minute) else {
            return Err(self.key("limits.refusals_per_minute", "is 0, which would let nobody sign in"));
        };
        Ok(Config {
            server,
            artifacts: self.artifacts(file.artifacts.as_deref())?,
            settings,
            client_secret: self.text(
                "entra.client_secret_file",
                file.entra.client_secret_file.as_deref(),
                "VALET_CLIENT_SECRET",
            )?,
            sealing_keys: self.sealing_keys(file.storage.sealing_key_file.as_deref(), &storage)?,
            own_keys: file.oauth.signing_key_file.as_deref().map(|path| self.own_keys(path)).transpose()?,
            egress: Egress {
                authority: file.entra.authority,
                graph: file.graph.url,
                ca: file.egress.ca_file.as_deref().map(|path| self.bytes(path)).transpose()?,
                allow_private_addresses: file.egress.allow_private_addresses,
                documents_at_private_addresses: file.oauth.client_documents_at_private_addresses,
            },
            storage,
            oauth_mode: file.oauth.mode,
            local,
            rules,
            concurrent_requests,
            calls_per_minute,
            refusals_per_minute,
        })
    }

    fn storage(&self, file: &File) -> Result<Storage, ConfigError> {
        let storage = &file.storage;
        let url =
            self.text("storage.redis_url_file", storage.redis_url_file.as_deref(), "VALET_REDIS_URL")?;
        match (&storage.path, url) {
            (Some(_), Some(_)) => {
                Err(self.key("storage.path", "and a Redis are both set; things are kept in one place"))
            }
            (Some(path), None) => Ok(Storage::Disk(self.relative(path))),
            (None, Some(url)) => Ok(Storage::Redis(RedisSettings {
                url,
                certificate_authorities: storage
                    .redis_ca_file
                    .as_deref()
                    .map(|path| self.bytes(path))
                    .transpose()?,
            })),
            (None, None) if storage.redis_ca_file.is_some() => {
                Err(self.key("storage.redis_ca_file", "is set, and no storage.redis_url_file"))
            }
            (None, None) => Ok(Storage::Memory),
        }
    }

    fn server(&self, file: &File) -> Result<Option<Server>, ConfigError> {
        let tls = match (&file.server.tls_certificate, &file.server.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(TlsFiles { certificate: self.relative(certificate), key: self.relative(key) })
            }
            (None, None) => None,
            (Some(_), None) => {
                return Err(self.key("server.tls_key", "is missing beside server.tls_certificate"));
            }
            (None, Some(_)) => {
                return Err(self.key("server.tls_certificate", "is missing beside server.tls_key"));
            }
        };
        let Some(listen) = file.server.listen else { return Ok(None) };
        if file.server.public_url.is_none() {
            return Err(self.key("server.public_url", "is missing beside server.listen"));
        }
        if tls.is_none() && !listen.ip().is_loopback() {
            return Err(self.key(
                "server.listen",
                "plain HTTP is served on loopback only; set server.tls_certificate and server.tls_key",
            ));
        }
        Ok(Some(Server { listen, tls }))
    }

    /// What components may read. Names as in `docs/configuration.md`.
    fn settings(&self, file: &File) -> Result<BTreeMap<String, String>, ConfigError> {
        let public_url = match (&file.server.public_url, &file.local) {
            (Some(url), _) => self.public_url(url)?,
            // Nobody comes to it.
            (None, Some(_)) => "https://localhost/mcp".to_owned(),
            (None, None) => {
                let words = "is missing; a server for the user of this machine has a section [local] instead";
                return Err(self.key("server.public_url", words));
            }
        };
        let audiences = match &file.entra.audiences {
            Some(audiences) if audiences.is_empty() => {
                return Err(self.key(
                    "entra.audiences",
                    "is empty, which would accept no token; leave it out for the client id",
                ));
            }
            Some(audiences) if audiences.iter().any(|audience| audience.split_whitespace().count() != 1) => {
                return Err(self.key("entra.audiences", "has an entry that is empty or contains white space"));
            }
            Some(audiences) => audiences.join(" "),
            None => file.entra.client_id.clone(),
        };
        if !is_guid(&file.entra.tenant) {
            return Err(self.key("entra.tenant", "has to be the tenant's GUID in lower case"));
        }
        let tenants =
            self.guids("entra.tenants", file.entra.tenants.as_deref(), "the one in entra.tenant")?;
        let clients = self.guids("entra.clients", file.entra.clients.as_deref(), "any application")?;
        if !is_guid(&file.entra.client_id) {
            return Err(self.key("entra.client_id", "has to be the application's GUID in lower case"));
        }
        if file.entra.leeway > 300 {
            return Err(self.key("entra.leeway", "is more than 300 seconds"));
        }
        if !(1..=3600).contains(&file.entra.keys_floor) {
            return Err(self.key("entra.keys_floor", "has to be between 1 and 3600 seconds"));
        }
        if file.tools.is_empty() {
            return Err(self.key(
                "tools",
                "names no tool, so nobody could call any; add [tools.whoami] with scopes or roles",
            ));
        }
        let policy = json!({
            "tools": file.tools,
            "resources": file.resources,
            "prompts": file.prompts,
            "implies": file.scopes.implies,
        });
        let prefix = self.scope_prefix(file, &public_url)?;
        let oauth = self.oauth(file)?;
        Ok([
            ("resource", public_url),
            ("allowed_origins", file.server.allowed_origins.join(" ")),
            ("allowed_hosts", file.server.allowed_hosts.join(" ")),
            ("authority", self.base(&file.entra.authority, "entra.authority")?),
            ("v1_authority", self.base(&file.entra.v1_authority, "entra.v1_authority")?),
            ("tenant", file.entra.tenant.clone()),
            ("tenants", tenants),
            ("client_id", file.entra.client_id.clone()),
            ("clients", clients),
            ("audiences", audiences),
            ("leeway", file.entra.leeway.to_string()),
            ("keys_floor", file.entra.keys_floor.to_string()),
            ("emulator", file.entra.emulator.to_string()),
            ("graph_url", self.base(&file.graph.url, "graph.url")?),
            ("scope_prefix", prefix),
            ("policy", policy.to_string()),
        ]
        .into_iter()
        .chain(oauth)
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
    }

    /// An optional list of GUIDs, blank if left out. Empty, it would accept nobody.
    fn guids(&self, key: &str, list: Option<&[String]>, left_out: &str) -> Result<String, ConfigError> {
        let Some(list) = list else { return Ok(String::new()) };
        if list.is_empty() {
            return Err(
                self.key(key, &format!("is empty, which would accept nobody; leave it out for {left_out}"))
            );
        }
        if let Some(odd) = list.iter().find(|id| !is_guid(id)) {
            return Err(self.key(key, &format!("has `{odd}`, which is no GUID in lower case")));
        }
        if let Some((_, twice)) = list.iter().enumerate().find(|(at, id)| list[..*at].contains(id)) {
            return Err(self.key(key, &format!("has `{twice}` twice")));
        }
        Ok(list.join(" "))
    }

    fn public_url(&self, url: &Url) -> Result<String, ConfigError> {
        let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(self.key("server.public_url", "has to be https (http only for localhost)"));
        }
        if has_user_information(url) {
            return Err(self.key("server.public_url", "has a user, and everybody is told this URL"));
        }
        // Entra compares the resource character for character, so it has one spelling.
        if url.path() == "/" || url.path().ends_with('/') || url.query().is_some() || url.fragment().is_some()
        {
            return Err(self.key(
                "server.public_url",
                "has to end in a path such as /mcp, without slash, query or fragment",
            ));
        }
        Ok(url.to_string())
    }

    /// A base URL without trailing slash.
    fn base(&self, url: &Url, key: &str) -> Result<String, ConfigError> {
        if url.scheme() != "https"
            || url.query().is_some()
            || url.fragment().is_some()
            || has_user_information(url)
        {
            return Err(self.key(key, "has to be an https URL without query, fragment and user"));
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    fn artifacts(&self, configured: Option<&Path>) -> Result<PathBuf, ConfigError> {
        match configured {
            Some(path) => Ok(self.relative(path)),
            None => {
                std::env::current_exe().map(|program| program.with_file_name("artifacts")).map_err(|error| {
                    self.key(
                        "artifacts",
                        &format!("is not set, and this program's folder is unknown: {error}"),
                    )
                })
            }
        }
    }

    /// Paths in the file are relative to it, wherever the program is started.
    pub(super) fn relative(&self, path: &Path) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    pub(super) fn key(&self, key: &str, why: &str) -> ConfigError {
        let origin = self.replaced.get(key).cloned().unwrap_or_else(|| self.path.display().to_string());
        ConfigError::Key { origin, key: key.to_owned(), why: why.to_owned() }
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}
