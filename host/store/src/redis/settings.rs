//! Where the server is.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, TlsCertificates};
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::StoreError;

/// How to reach Redis or Valkey.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `rediss://[user][:password@]host[:port][/database]` with TLS, `redis://…` without. The password is percent-encoded.
    pub url: SecretString,
    /// Certificate authorities in PEM, trusted for this server in place of Mozilla's roots.
    pub certificate_authorities: Option<Vec<u8>>,
}

impl RedisSettings {
    /// What the client connects by.
    pub(super) fn client(&self) -> Result<redis::Client, StoreError> {
        let info = self.url.expose_secret().into_connection_info().map_err(|_| unusable(
            "the URL has to be rediss://[user][:password@]host[:port][/database], or redis://… without TLS; a password is percent-encoded",
        ))?;
        if let ConnectionAddr::TcpTls { insecure: true, .. } = info.addr() {
            return Err(unusable("the URL ends in #insecure, which would trust any server"));
        }
        // With RESP3 the client says at once when the server has gone, before anything is sent to it in vain.
        let speaking = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.set_redis_settings(speaking);
        match &self.certificate_authorities {
            Some(authorities) => trusting(info, authorities.clone()),
            None => redis::Client::open(info).map_err(|error| unusable(error.category())),
        }
    }
}

fn trusting(info: ConnectionInfo, authorities: Vec<u8>) -> Result<redis::Client, StoreError> {
    if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return Err(unusable(
            "certificate authorities are of no use to a URL without TLS; it has to begin with rediss://",
        ));
    }
    if !authorities.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
        return Err(unusable("there is no PEM certificate among the certificate authorities"));
    }
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(authorities) };
    redis::Client::build_with_tls(info, certificates)
        .map_err(|error| unusable(&format!("the certificate authorities cannot be read: {error}")))
}

fn unusable(reason: &str) -> StoreError {
    StoreError::Settings { reason: reason.to_owned() }
}
