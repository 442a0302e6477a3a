//! What an emulator is started with, and the checks made before a socket opens.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::registrations::Registrations;

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
    /// Host name of Graph, without port. If it differs from `login_host`, each host serves only its own paths.
    pub graph_host: String,
    /// Issuer of v1 tokens, with `{tenantid}` for the tenant. Default: `https://LOGIN:PORT/sts/{tenantid}/`, since
    /// the real one lives on a host of its own (`sts.windows.net`), which a laptop has not.
    pub v1_issuer: Option<String>,
    /// Folder that keeps the certificate authority across starts. None: a new authority each time.
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
            graph_host: "localhost".into(),
            v1_issuer: None,
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
    /// Contradictions that can be seen without a socket.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        if !self.bind.ip().is_loopback() && !self.allow_remote {
            return Err(StartError::NotLoopback(self.bind));
        }
        match &self.v1_issuer {
            Some(issuer) if !issuer.contains("{tenantid}") => Err(StartError::Issuer(issuer.clone())),
            _ => Ok(()),
        }
    }
}
