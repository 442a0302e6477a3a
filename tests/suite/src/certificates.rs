//! A certificate authority for the server under test and for stand-ins. Clients trust it beside the emulator's.

use std::sync::{Arc, OnceLock};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// The host name of the server under test. It resolves nowhere; clients are told the address.
pub const SERVER_NAME: &str = "valet.example";

/// Another name that its certificate has, for a second server.
pub const OTHER_NAME: &str = "other.example";

/// A certificate and its private key, both PEM.
pub struct Leaf {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        Authority { pem: params.self_signed(&key).unwrap().pem(), issuer: Issuer::new(params, key) }
    })
}

/// The authority's certificate, PEM.
#[must_use]
pub fn ca_pem() -> &'static str {
    &authority().pem
}

/// A new certificate for `names`.
#[must_use]
pub fn leaf(names: &[&str]) -> Leaf {
    let key = KeyPair::generate().unwrap();
    let params =
        CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    let certificate = params.signed_by(&key, &authority().issuer).unwrap().pem();
    Leaf { certificate, key: key.serialize_pem() }
}

/// A server's side of TLS for `name`.
#[must_use]
pub fn server(name: &str) -> Arc<ServerConfig> {
    let leaf = leaf(&[name]);
    let certificate = CertificateDer::from_pem_slice(leaf.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    Arc::new(config.unwrap())
}

/// A client's side of TLS that trusts this authority only and speaks `protocol`.
#[must_use]
pub fn client(protocol: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem().as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

/// A private RSA key of its own, PEM of PKCS #8.
#[must_use]
pub fn rsa_key() -> String {
    rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap()
        .serialize_pem()
}
