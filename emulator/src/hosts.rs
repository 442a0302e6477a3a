//! Host names: which name plays which role, what URLs are built from, and which paths a name serves.
//!
//! On a laptop one name plays all roles. With names of their own, login, Graph and the vaults each answer only what
//! the real host answers; the rest is 421 (RFC 9110 section 15.5.20), so that a client which mixes them up notices.

use std::net::IpAddr;

use axum::http::{HeaderMap, Uri, header};

use crate::options::Options;
use crate::registrations::{Registrations, Vault};

/// A part of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Login,
    Graph,
    Vault,
}

/// The names of all roles, in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    port: u16,
    /// The one that URLs are built with comes first.
    login: Vec<String>,
    /// The same.
    graph: Vec<String>,
    /// Host of the v1 issuer. A real one is also an alias of login, but serves little under its own name.
    sts: Option<String>,
    /// Parent of the vaults' names.
    vault: String,
    /// The login host serves the only vault, too.
    vault_shared: bool,
}

impl Hosts {
    /// The names of `options`, all on `port`.
    pub(crate) fn new(options: &Options, port: u16) -> Self {
        let names = |first: &str, others: &[String]| {
            let mut names = vec![first.to_ascii_lowercase()];
            for other in others.iter().map(|n| n.to_ascii_lowercase()) {
                if !names.contains(&other) {
                    names.push(other);
                }
            }
            names
        };
        let login = names(&options.login_host, &options.login_aliases);
        let vault = options.vault_host.as_ref().map(|v| v.to_ascii_lowercase());
        Self {
            port,
            graph: names(&options.graph_host, &options.graph_aliases),
            sts: options.sts_host.as_ref().map(|s| s.to_ascii_lowercase()),
            vault_shared: vault.is_none(),
            vault: vault.unwrap_or_else(|| format!("vault.{}", login[0])),
            login,
        }
    }

    /// `https://host:port` of login.
    pub(crate) fn authority(&self) -> String {
        format!("https://{}", self.with_port(&self.login[0]))
    }

    /// `https://host:port` of Graph.
    pub(crate) fn graph(&self) -> String {
        format!("https://{}", self.with_port(&self.graph[0]))
    }

    /// Issuer of v1 tokens with `{tenantid}`, unless the options name one.
    pub(crate) fn v1_issuer(&self) -> String {
        match &self.sts {
            Some(sts) => format!("https://{}/{{tenantid}}/", self.with_port(sts)),
            None => format!("{}/sts/{{tenantid}}/", self.authority()),
        }
    }

    /// `https://host:port` of a vault.
    pub(crate) fn vault_origin(&self, name: &str) -> String {
        format!("https://{}", self.with_port(&format!("{}.{}", name.to_ascii_lowercase(), self.vault)))
    }

    /// All names of login as instance discovery lists them, with the port unless it is 443: the one that URLs are built
    /// with, its aliases, and the host of the v1 issuer.
    pub(crate) fn login_aliases(&self) -> Vec<String> {
        let mut names: Vec<String> = self.login.iter().map(|n| self.with_port(n)).collect();
        if let Some(sts) = self.sts.as_ref().filter(|s| !self.login.contains(s)) {
            names.push(self.with_port(sts));
        }
        names
    }

    /// The name of login that instance discovery proposes as `preferred_cache`: the first alias, as in the public cloud.
    pub(crate) fn preferred_cache(&self) -> String {
        self.with_port(self.login.get(1).unwrap_or(&self.login[0]))
    }

    /// The names a certificate must hold, beside those of the machine itself.
    pub(crate) fn certificate_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.login.iter().chain(&self.graph).chain(&self.sts).cloned().collect();
        // A name under an IP address is none.
        let parent = self.vault.strip_prefix("vault.").unwrap_or(&self.vault);
        if parent.parse::<IpAddr>().is_err() {
            names.extend([self.vault.clone(), format!("*.{}", self.vault)]);
        }
        names
    }

    /// Whether the host of a request serves `path`. Unknown names (an IP address, a name of the local network) serve
    /// everything as long as login and Graph share a name.
    pub(crate) fn serves(&self, host: &str, path: &str) -> bool {
        let (host, role) = (name_of(host), role(path));
        let plays = |role: Role| match role {
            Role::Login => self.login.contains(&host),
            Role::Graph => self.graph.contains(&host),
            Role::Vault => self.is_vault(&host) || (self.vault_shared && self.login.contains(&host)),
        };
        if self.sts.as_ref() == Some(&host) && is_of_v1_issuer(path) {
            return true;
        }
        let known = [Role::Login, Role::Graph, Role::Vault].into_iter().any(plays)
            || self.sts.as_ref() == Some(&host);
        match known {
            true => plays(role),
            false => self.login[0] == self.graph[0],
        }
    }

    /// The vault that the host of a request names: by its first label, or the only one there is.
    pub(crate) fn vault<'a>(&self, host: &str, all: &'a Registrations) -> Option<&'a Vault> {
        let host = name_of(host);
        match host.strip_suffix(&self.vault).and_then(|rest| rest.strip_suffix('.')) {
            Some(name) => all.vaults.iter().find(|v| v.name.eq_ignore_ascii_case(name)),
            None => match all.vaults.as_slice() {
                [only] => Some(only),
                _ => None,
            },
        }
    }

    fn is_vault(&self, host: &str) -> bool {
        host.strip_suffix(&self.vault).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    fn with_port(&self, host: &str) -> String {
        // RFC 3986 section 3.2.2: an IPv6 address stands in brackets.
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        match self.port {
            443 => host,
            port => format!("{host}:{port}"),
        }
    }
}

/// The host that a request is for: of the URI where it has one, else of the header (RFC 9112 section 3.2.2).
pub(crate) fn of_request<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    let header = || headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    uri.host().unwrap_or_else(header)
}

/// Whose path it is. Login has everything that no other has.
fn role(path: &str) -> Role {
    match path.split('/').nth(1) {
        Some("v1.0" | "beta" | "oidc") => Role::Graph,
        Some("secrets" | "deletedsecrets") => Role::Vault,
        _ => Role::Login,
    }
}

/// What the host of the v1 issuer serves under its own name.
fn is_of_v1_issuer(path: &str) -> bool {
    let v1_metadata = path.ends_with("/.well-known/openid-configuration") && !path.contains("/v2.0/");
    v1_metadata || path.ends_with("/discovery/keys")
}

/// The name in a `Host` header, in lower case, an IPv6 address without brackets.
fn name_of(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real() -> Hosts {
        Hosts::new(&Options::real_names(), 443)
    }

    #[test]
    fn names_without_port() {
        for (header, name) in [
            ("localhost:8444", "localhost"),
            ("LocalHost", "localhost"),
            ("[::1]:8444", "::1"),
            ("[::1]", "::1"),
            ("", ""),
        ] {
            assert_eq!(name_of(header), name);
        }
    }

    #[test]
    fn real_names_have_no_port_and_serve_only_their_own_paths() {
        let hosts = real();
        assert_eq!(hosts.authority(), "https://login.microsoftonline.com");
        assert_eq!(hosts.v1_issuer(), "https://sts.windows.net/{tenantid}/");
        assert_eq!(hosts.vault_origin("Contoso"), "https://contoso.vault.azure.net");
        assert_eq!(
            hosts.login_aliases(),
            ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
        );
        assert_eq!(hosts.preferred_cache(), "login.windows.net");
        for (host, path, served) in [
            ("login.microsoftonline.com", "/common/oauth2/v2.0/token", true),
            ("login.windows.net", "/common/oauth2/v2.0/token", true),
            ("login.windows.net", "/v1.0/me", false),
            ("graph.microsoft.com", "/v1.0/me", true),
            ("graph.microsoft.com", "/oidc/userinfo", true),
            ("graph.microsoft.com", "/common/oauth2/v2.0/token", false),
            ("sts.windows.net", "/t/.well-known/openid-configuration", true),
            ("sts.windows.net", "/t/v2.0/.well-known/openid-configuration", false),
            ("sts.windows.net", "/common/oauth2/v2.0/token", false),
            ("contoso.vault.azure.net", "/secrets/a", true),
            ("contoso.vault.azure.net", "/v1.0/me", false),
            ("evilvault.azure.net", "/secrets/a", false),
            ("login.microsoftonline.com", "/secrets/a", false),
            ("localhost", "/v1.0/me", false),
            ("", "/common/oauth2/v2.0/token", false),
        ] {
            assert_eq!(hosts.serves(host, path), served, "{host} {path}");
        }
    }

    #[test]
    fn one_name_serves_all() {
        let hosts = Hosts::new(&Options::default(), 8444);
        for host in ["localhost:8444", "127.0.0.1:8444", "[::1]:8444", "laptop.local"] {
            for path in ["/common/oauth2/v2.0/token", "/v1.0/me", "/secrets/a"] {
                assert!(hosts.serves(host, path), "{host} {path}");
            }
        }
        assert!(hosts.serves("contoso.vault.localhost:8444", "/secrets/a"));
        assert!(!hosts.serves("contoso.vault.localhost:8444", "/v1.0/me"));
        assert_eq!(hosts.vault_origin("contoso"), "https://contoso.vault.localhost:8444");
        let v6 = Options { login_host: "::1".into(), ..Options::default() };
        assert_eq!(Hosts::new(&v6, 8444).authority(), "https://[::1]:8444");
    }
}
