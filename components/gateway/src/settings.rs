//! The gateway's settings, read once a request.

use valet_core_mcp::http::TransportRules;
use valet_core_mcp::protected_resource::{self, Metadata};
use valet_core_policy::Policy;

use crate::bindings::valet::capability::settings;

/// What the gateway needs to know. The names are those of `docs/configuration.md`.
pub(crate) struct Settings {
    /// Our resource identifier and the URL that clients use.
    pub(crate) resource: String,
    /// The authorization servers that clients are sent to, the first one first.
    authorization_servers: Vec<String>,
    /// What stands before a scope's name where clients ask for it.
    scope_prefix: String,
    /// Who may use which tool.
    pub(crate) policy: Policy,
    /// Which hosts and origins a request may name.
    pub(crate) transport: TransportRules,
}

impl Settings {
    /// Reads the settings; the error names the one at fault.
    pub(crate) fn read() -> Result<Self, String> {
        let resource = required("resource")?;
        let policy =
            Policy::parse(&required("policy")?).map_err(|error| format!("setting `policy`: {error}"))?;
        let own = origin(&resource).ok_or("setting `resource` is not an absolute URL")?;
        let (hosts, origins) = (listed("allowed_hosts"), listed("allowed_origins"));
        let transport = TransportRules::parse(
            hosts.split_whitespace().chain([own.split_once("://").map_or(own, |(_, host)| host)]),
            origins.split_whitespace().chain([own]),
        )
        .map_err(|error| format!("settings `allowed_hosts`, `allowed_origins`: {error:?}"))?;
        Ok(Self {
            authorization_servers: authorization_servers()?,
            scope_prefix: required("scope_prefix")?,
            policy,
            transport,
            resource,
        })
    }

    /// Path of the MCP endpoint.
    pub(crate) fn endpoint(&self) -> &str {
        origin(&self.resource).map_or("", |origin| &self.resource[origin.len()..])
    }

    /// Our own authorization server, where there is one: sessions are its.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.authorization_servers.first().map(String::as_str)
    }

    /// A scope as clients ask for it: Entra wants the application before the name.
    pub(crate) fn qualified(&self, scope: &str) -> String {
        format!("{}{scope}", self.scope_prefix)
    }

    /// RFC 9728 metadata.
    pub(crate) fn metadata(&self) -> Result<String, String> {
        let scopes: Vec<String> = self.policy.scopes().map(|scope| self.qualified(scope)).collect();
        let metadata = Metadata {
            resource: &self.resource,
            authorization_servers: self.authorization_servers.iter().map(String::as_str).collect(),
            scopes_supported: scopes.iter().map(String::as_str).collect(),
            resource_name: Some("Valet"),
            resource_documentation: None,
        };
        metadata.to_json().map_err(|error| format!("setting `resource`: {error:?}"))
    }

    /// Where that metadata is.
    pub(crate) fn metadata_url(&self) -> String {
        protected_resource::metadata_url(&self.resource).unwrap_or_default()
    }
}

/// Where clients get their tokens: from Entra, which is an issuer for each tenant, or from us.
fn authorization_servers() -> Result<Vec<String>, String> {
    match required("oauth_mode")?.as_str() {
        "direct" => {
            let (authority, first) = (required("authority")?, required("tenant")?);
            let others = listed("tenants");
            let others = others.split_whitespace().filter(|tenant| *tenant != first);
            let tenants = std::iter::once(first.as_str()).chain(others);
            Ok(tenants.map(|tenant| format!("{authority}/{tenant}/v2.0")).collect())
        }
        "facade" | "session" => Ok(vec![required("issuer")?]),
        other => Err(format!("setting `oauth_mode` is `{other}`; it can be `session`, `facade` or `direct`")),
    }
}

fn required(name: &str) -> Result<String, String> {
    settings::get(name).ok_or_else(|| format!("setting `{name}` is missing"))
}

/// A list that may be empty, separated by white space.
fn listed(name: &str) -> String {
    settings::get(name).unwrap_or_default()
}

/// Scheme, host and port of an absolute URL.
fn origin(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    Some(&url[..end])
}
