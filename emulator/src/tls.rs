//! The emulator's own certificate authority and the listener's certificate.
//!
//! The authority is made fresh at each start, or kept in a folder so that a client can trust it across starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

/// Name of the authority's certificate in the state folder.
pub const CA_FILE: &str = "emulator-ca.pem";
const CA_KEY_FILE: &str = "emulator-ca.key.pem";

/// Certificates could not be made or kept.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate could not be made; usual cause: a host name with letters no certificate can hold.
    #[error("a certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The state folder cannot be read or written.
    #[error("{file}: {source}")]
    State {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// rustls refused the configuration.
    #[error("TLS: {0}")]
    Config(#[from] rustls::Error),
}

/// A certificate authority.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority, or the one kept in `state`.
    pub(crate) fn open(state: Option<&Path>) -> Result<Self, TlsError> {
        let Some(folder) = state else {
            return Self::from_key(KeyPair::generate()?);
        };
        let (key_file, pem_file) = (folder.join(CA_KEY_FILE), folder.join(CA_FILE));
        if key_file.exists() && pem_file.exists() {
            let pem = read(&pem_file)?;
            // Only the subject and the key matter for signing leaves, so the kept certificate need not be parsed.
            return Ok(Self { pem, ..Self::from_key(KeyPair::from_pem(&read(&key_file)?)?)? });
        }
        let key = KeyPair::generate()?;
        let key_pem = key.serialize_pem();
        let new = Self::from_key(key)?;
        std::fs::create_dir_all(folder)
            .map_err(|source| TlsError::State { file: folder.to_owned(), source })?;
        write_private(&key_file, &key_pem).map_err(|source| TlsError::State { file: key_file, source })?;
        std::fs::write(&pem_file, &new.pem).map_err(|source| TlsError::State { file: pem_file, source })?;
        Ok(new)
    }

    fn from_key(key: KeyPair) -> Result<Self, TlsError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Entra emulator test CA (not Microsoft)");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// The authority's certificate, PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A server configuration with a fresh certificate for these names, HTTP/1.1 only.
    pub(crate) fn server_config(&self, names: Vec<String>) -> Result<Arc<ServerConfig>, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Entra emulator (not Microsoft)");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = validity();
        let leaf = params.signed_by(&key, &self.issuer)?.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// From yesterday on for less than 398 days: some systems trust no server certificate that is valid for longer, whoever
/// signed it. It is made anew at each start. By the system's clock, which is the clients' clock too.
fn validity() -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::from(std::time::SystemTime::now());
    (now.saturating_sub(time::Duration::days(1)), now.saturating_add(time::Duration::days(390)))
}

fn read(file: &Path) -> Result<String, TlsError> {
    std::fs::read_to_string(file).map_err(|source| TlsError::State { file: file.to_owned(), source })
}

/// Writes a file that only its owner may read: whoever holds the authority's key can impersonate any site to a client
/// that trusts it.
pub(crate) fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
