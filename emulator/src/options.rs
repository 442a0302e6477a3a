//! What an emulator is started with, and the checks made before a socket opens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::registrations::Registrations;

/// Where IMDS is on a virtual machine of Azure. It is link-local, so it can only be bound where somebody has put it on
/// an interface on purpose.
const IMDS_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// Domains that belong to Microsoft. Whoever pretends to be one of their hosts does so on loopback only.
const REAL_DOMAINS: [&str; 5] =
    ["microsoftonline.com", "windows.net", "microsoft.com", "azure.net", "microsoftonline.us"];

/// How to start. [`Options::default`] is right for tests: sample registrations, a free port on 127.0.0.1.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Allow an address that is not loopback. Everyone who reaches the port can then sign in as anybody.
    pub allow_remote: bool,
    /// Who exists.
    pub registrations: Registrations,
    /// An authorize request with a known `login_hint` is approved at once, consent included.
    /// Without it, the header `x-emulator-approve: <upn>` does the same for one request.
    pub auto_approve: bool,
    /// Host name of the login service, without port.
    pub login_host: String,
    /// Further host names of the login service. Instance discovery names them too.
    pub login_aliases: Vec<String>,
    /// Host name of Graph, without port. If it differs from `login_host`, each host serves only its own paths.
    pub graph_host: String,
    /// Further host names of Graph.
    pub graph_aliases: Vec<String>,
    /// Host name of the v1 issuer, which is then `https://STS-HOST/{tenantid}/` as in Entra.
    pub sts_host: Option<String>,
    /// Parent of the vaults' host names: `NAME.VAULT-HOST`, and the host itself for the only vault.
    /// Default: `vault.LOGIN-HOST`, and the login host itself for the only vault.
    pub vault_host: Option<String>,
    /// Issuer of v1 tokens, with `{tenantid}` for the tenant; stronger than `sts_host`. Default without both:
    /// `https://LOGIN:PORT/sts/{tenantid}/`, since the real one lives on a host of its own, which a laptop has not.
    pub v1_issuer: Option<String>,
    /// Where the endpoints of managed identity listen, in plain HTTP. None: they do not.
    pub managed_identity: Option<SocketAddr>,
    /// Folder for the key files of Azure Arc, which are part of its protocol; its clients insist on
    /// `/var/opt/azcmagent/tokens`. None: managed identity is not that of Arc.
    pub arc_keys: Option<PathBuf>,
    /// Folder that keeps the certificate authority and the signing keys across starts. None: new ones each time.
    pub state: Option<PathBuf>,
    /// One line per request to standard error.
    pub log: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            registrations: Registrations::sample(),
            auto_approve: false,
            login_host: "localhost".into(),
            login_aliases: vec![],
            graph_host: "localhost".into(),
            graph_aliases: vec![],
            sts_host: None,
            vault_host: None,
            v1_issuer: None,
            managed_identity: None,
            arc_keys: None,
            state: None,
            log: false,
        }
    }
}

/// The emulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not loopback and that was not allowed.
    #[error(
        "{0} is not a loopback address; whoever reaches the emulator can sign in as anybody. \
         Use --allow-remote (Options::allow_remote) if that is wanted"
    )]
    NotLoopback(SocketAddr),
    /// Names of Microsoft's on an address that others can reach.
    #[error(
        "{host} is a name of Microsoft's, which the emulator uses on a loopback address only, not on {address}"
    )]
    RealNames {
        /// The name.
        host: String,
        /// Where it was to be served.
        address: SocketAddr,
    },
    /// A host name with a scheme, a port or a path, or one that no certificate can hold.
    #[error("{0:?} is not a host name")]
    HostName(String),
    /// The v1 issuer lacks the place of the tenant.
    #[error("the v1 issuer {0:?} does not contain {{tenantid}}")]
    Issuer(String),
    /// The port is taken or not allowed.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    /// Signing keys.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyError),
}

impl Options {
    /// The host names of the real services on port 443 of 127.0.0.1, for a network namespace whose hosts file leads
    /// these names to loopback: clients then need to know nothing but the certificate authority.
    pub fn real_names() -> Self {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 443)),
            login_host: "login.microsoftonline.com".into(),
            login_aliases: owned(&["login.windows.net", "login.microsoft.com"]),
            graph_host: "graph.microsoft.com".into(),
            sts_host: Some("sts.windows.net".into()),
            vault_host: Some("vault.azure.net".into()),
            ..Self::default()
        }
    }

    /// Contradictions that can be seen without a socket.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let own = std::iter::once(self.bind);
        for address in own.chain(self.managed_identity.filter(|a| a.ip() != IMDS_ADDRESS)) {
            if !address.ip().is_loopback() && !self.allow_remote {
                return Err(StartError::NotLoopback(address));
            }
        }
        for host in self.host_names() {
            if !is_host_name(host) {
                return Err(StartError::HostName(host.to_owned()));
            }
            if is_real(host) && !self.bind.ip().is_loopback() {
                return Err(StartError::RealNames { host: host.to_owned(), address: self.bind });
            }
        }
        match &self.v1_issuer {
            Some(issuer) if !issuer.contains("{tenantid}") => Err(StartError::Issuer(issuer.clone())),
            _ => Ok(()),
        }
    }

    /// Every configured host name.
    pub(crate) fn host_names(&self) -> impl Iterator<Item = &str> {
        let one = [&self.login_host, &self.graph_host].into_iter();
        let several = self.login_aliases.iter().chain(&self.graph_aliases);
        let optional = self.sts_host.iter().chain(&self.vault_host);
        one.chain(several).chain(optional).map(String::as_str)
    }
}

/// Letters, digits, hyphens and dots (RFC 1123 section 2.1), or an IP address.
fn is_host_name(host: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    host.parse::<IpAddr>().is_ok() || (host.len() <= 253 && host.split('.').all(label))
}

fn is_real(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    REAL_DOMAINS
        .iter()
        .any(|d| host.strip_suffix(d).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_bare() {
        for good in ["localhost", "login.example.com", "127.0.0.1", "::1", "a-b.c"] {
            assert!(is_host_name(good), "{good}");
        }
        for bad in ["", "https://x", "x:443", "x/y", "a..b", "-a", "*.x", "x y", "ä.example"] {
            assert!(!is_host_name(bad), "{bad}");
        }
    }

    #[test]
    fn real_names_are_whole_labels() {
        assert!(is_real("LOGIN.MicrosoftOnline.com") && is_real("sts.windows.net") && is_real("azure.net"));
        assert!(!is_real("notmicrosoft.com") && !is_real("localhost") && !is_real("microsoft.com.example"));
    }
}
