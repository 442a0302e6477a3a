//! One RSA key: making it, signing, verifying, its certificate and its public form (RFC 7517).

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{KID_PREFIX, KeyError};

/// One RSA key of 2048 bits with its certificate.
pub(crate) struct SigningKey {
    pair: KeyPair,
    public: PublicKeyComponents<Vec<u8>>,
    kid: String,
    certificate: Vec<u8>,
}

impl SigningKey {
    /// A new key; its `kid` is derived from its certificate.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        let pkcs8 = pair.as_der().map_err(|_| KeyError::Generate)?;
        let der = PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec());
        let for_certificate = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256)?;
        let mut params = rcgen::CertificateParams::new(Vec::new())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Entra emulator token signing (not Microsoft)");
        let certificate = params.self_signed(&for_certificate)?.der().to_vec();
        Ok(Self::new(pair, certificate))
    }

    /// A key that was kept: PKCS #8 and certificate, both DER. None if the former is no such key.
    pub(super) fn from_der(pkcs8: &[u8], certificate: Vec<u8>) -> Option<Self> {
        Some(Self::new(KeyPair::from_pkcs8(pkcs8).ok()?, certificate))
    }

    fn new(pair: KeyPair, certificate: Vec<u8>) -> Self {
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate));
        let kid = format!("{KID_PREFIX}{}", &thumbprint[..24]);
        Self { public: pair.public_key().into(), pair, kid, certificate }
    }

    /// The private key, PKCS #8 in DER.
    pub(super) fn pkcs8(&self) -> Option<Vec<u8>> {
        self.pair.as_der().ok().map(|der| der.as_ref().to_vec())
    }

    /// The certificate, DER.
    pub(super) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Name of the key.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// RS256 over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("a 2048-bit key signs any message, and the buffer has the modulus' length");
        signature
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }

    /// The JWK. Entra's has no `alg`, and `x5t` equals `kid`. The v1 document has no `issuer`.
    pub(super) fn jwk(&self) -> Value {
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": URL_SAFE_NO_PAD.encode(&self.public.n),
            "e": URL_SAFE_NO_PAD.encode(&self.public.e),
            "x5c": [STANDARD.encode(&self.certificate)],
        })
    }
}
