//! What an app registration accepts in place of a secret: certificates, and tokens of other issuers.
//!
//! Owns reading them, and so what a file may hold. How they prove a client is in `token/`.

use std::collections::HashSet;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKeyComponents;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use x509_parser::pem::parse_x509_pem;

/// How many federated credentials an app may have (Entra documentation, "Workload identity federation considerations").
const FEDERATED_CREDENTIALS: usize = 20;

/// A certificate uploaded to the app registration.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// PEM text of the certificate, without private key.
    pub pem: String,
}

/// Trust in tokens of another issuer (workload identity federation). At most 20 an app, as in Entra.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    /// Shown on the page of registrations.
    pub name: String,
    /// `iss` of the assertion, compared character for character.
    pub issuer: String,
    /// `sub` of the assertion, compared character for character.
    pub subject: String,
    /// `aud` of the assertion.
    #[serde(default = "exchange_audience")]
    pub audience: String,
    /// The issuer's public keys (RFC 7517), as JSON text. Absent: the issuer is this emulator, e.g. for the token of a
    /// managed identity. Nothing is fetched: the emulator reaches no network.
    pub jwks: Option<String>,
}

/// The audience Entra proposes for the public cloud.
fn exchange_audience() -> String {
    "api://AzureADTokenExchange".into()
}

/// What a certificate is recognised by and verifies with.
pub(crate) struct PublicCertificate {
    /// SHA-1 of its DER, base64url: `x5t`.
    pub(crate) sha1: String,
    /// SHA-256 of its DER, base64url: `x5t#S256`.
    pub(crate) sha256: String,
    /// Its RSA key, DER.
    pub(crate) public_key: Vec<u8>,
    /// Seconds since 1970, both included.
    pub(crate) valid: std::ops::RangeInclusive<i64>,
}

impl Certificate {
    /// Reads the PEM text.
    pub(crate) fn read(&self) -> Result<PublicCertificate, &'static str> {
        let (_, pem) = parse_x509_pem(self.pem.trim().as_bytes()).map_err(|_| "is not PEM text")?;
        if pem.label != "CERTIFICATE" {
            return Err("is not a certificate; a private key must not be here");
        }
        let certificate = pem.parse_x509().map_err(|_| "is not an X.509 certificate")?;
        let key = certificate.public_key();
        if !matches!(key.parsed(), Ok(x509_parser::public_key::PublicKey::RSA(_))) {
            return Err("has no RSA key, and Entra takes no other");
        }
        let print = |algorithm| URL_SAFE_NO_PAD.encode(digest::digest(algorithm, &pem.contents));
        let validity = certificate.validity();
        Ok(PublicCertificate {
            sha1: print(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: print(&digest::SHA256),
            public_key: key.subject_public_key.data.to_vec(),
            valid: validity.not_before.timestamp()..=validity.not_after.timestamp(),
        })
    }
}

/// One RSA key of an issuer.
#[derive(Deserialize)]
pub(crate) struct Jwk {
    pub(crate) kid: Option<String>,
    kty: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

impl Jwk {
    /// Modulus and exponent, if it is an RSA key.
    pub(crate) fn components(&self) -> Option<PublicKeyComponents<Vec<u8>>> {
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| !bytes.is_empty());
        (self.kty == "RSA").then_some(())?;
        Some(PublicKeyComponents { n: part(&self.n)?, e: part(&self.e)? })
    }
}

impl FederatedCredential {
    /// The issuer's keys; None: the emulator's own.
    pub(crate) fn keys(&self) -> Result<Option<Vec<Jwk>>, &'static str> {
        let Some(text) = &self.jwks else { return Ok(None) };
        let jwks: Jwks = serde_json::from_str(text).map_err(|_| "is not a JSON Web Key Set")?;
        match jwks.keys.iter().any(|k| k.components().is_some()) {
            true => Ok(Some(jwks.keys)),
            false => Err("has no RSA key; Entra federates with issuers that sign RS256 only"),
        }
    }
}

/// What a file may hold for one app.
pub(super) fn check(
    certificates: &[Certificate],
    federated: &[FederatedCredential],
    key: &str,
) -> Result<(), (String, String)> {
    for (i, certificate) in certificates.iter().enumerate() {
        let told = |why| (format!("{key}.certificates[{i}].pem"), str::to_owned(why));
        certificate.read().map_err(told)?;
    }
    if federated.len() > FEDERATED_CREDENTIALS {
        let message = format!("{} are listed, and an app may have {FEDERATED_CREDENTIALS}", federated.len());
        return Err((format!("{key}.federated_credentials"), message));
    }
    let mut seen = HashSet::new();
    for (i, credential) in federated.iter().enumerate() {
        let key = format!("{key}.federated_credentials[{i}]");
        credential.keys().map_err(|why| (format!("{key}.jwks"), why.to_owned()))?;
        if !seen.insert((&credential.issuer, &credential.subject)) {
            return Err((format!("{key}.subject"), "another one has this issuer and subject".into()));
        }
    }
    Ok(())
}

/// By hand: a certificate is public, but long.
impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}
