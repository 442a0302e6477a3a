//! Signing keys: which are published, which signs, which is retired, and their public form (RFC 7517).
//!
//! Owns rotation. Does not build tokens: that is `jwt.rs` (bytes) and `tokens.rs` (claims).

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The tenant of personal Microsoft accounts, whose keys are published among the others.
pub const CONSUMER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Every `kid` begins with this, so that a production configuration can refuse the emulator's keys by sight.
pub const KID_PREFIX: &str = "emulator-";

/// Whose tokens a key may sign; becomes the per-key `issuer` of the v2 key document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyIssuer {
    /// Any work tenant: the template with `{tenantid}`.
    Work,
    /// Personal accounts: the fixed GUID.
    Consumer,
}

/// One RSA key of 2048 bits with its certificate.
pub(crate) struct SigningKey {
    pair: KeyPair,
    kid: String,
    certificate: Vec<u8>,
    issuer: KeyIssuer,
}

impl SigningKey {
    /// A new key; its `kid` is derived from its certificate.
    pub(crate) fn generate(issuer: KeyIssuer) -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        let pkcs8 = pair.as_der().map_err(|_| KeyError::Generate)?;
        let der = rustls::pki_types::PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec());
        let for_certificate = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256)?;
        let mut params = rcgen::CertificateParams::new(Vec::new())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Entra emulator token signing (not Microsoft)");
        let certificate = params.self_signed(&for_certificate)?.der().to_vec();
        let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate));
        let kid = format!("{KID_PREFIX}{}", &thumbprint[..24]);
        Ok(Self { pair, kid, certificate, issuer })
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
        let parts: PublicKeyComponents<Vec<u8>> = self.pair.public_key().into();
        parts.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }

    /// The JWK. Entra's has no `alg`, and `x5t` equals `kid`. The v1 document has no `issuer`.
    fn jwk(&self) -> Value {
        let parts: PublicKeyComponents<Vec<u8>> = self.pair.public_key().into();
        json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": URL_SAFE_NO_PAD.encode(&parts.n),
            "e": URL_SAFE_NO_PAD.encode(&parts.e),
            "x5c": [STANDARD.encode(&self.certificate)],
        })
    }
}

/// A key could not be made. Usual cause: none; the system's source of randomness failed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// RSA key generation failed.
    #[error("an RSA key could not be generated")]
    Generate,
    /// The certificate could not be written.
    #[error("the certificate of a signing key could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// All keys of one emulator.
pub(crate) struct KeyRing {
    /// Published, in no meaningful order (Entra documentation, "Signing key rollover").
    live: Vec<SigningKey>,
    /// No longer published, oldest first; at least one.
    removed: Vec<SigningKey>,
    /// Never published.
    stranger: SigningKey,
    /// Which live key signs.
    signer: String,
}

impl KeyRing {
    /// Two work keys and one consumer key published, one retired, one stranger. About a second of work.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        use KeyIssuer::{Consumer, Work};
        let made: Vec<_> = std::thread::scope(|scope| {
            let makers =
                [Work, Consumer, Work, Work, Work].map(|i| scope.spawn(move || SigningKey::generate(i)));
            makers.into_iter().map(|m| m.join().unwrap_or(Err(KeyError::Generate))).collect()
        });
        let mut made = made.into_iter();
        let mut next = || made.next().unwrap_or(Err(KeyError::Generate));
        let live = vec![next()?, next()?, next()?];
        let signer = live[0].kid.clone();
        Ok(Self { live, removed: vec![next()?], stranger: next()?, signer })
    }

    /// The key that signs tokens.
    pub(crate) fn signer(&self) -> &SigningKey {
        self.live(&self.signer).expect("the signer is always among the live keys")
    }

    /// A published key by name.
    pub(crate) fn live(&self, kid: &str) -> Option<&SigningKey> {
        self.live.iter().find(|k| k.kid == kid)
    }

    /// The published key of personal accounts.
    pub(crate) fn consumer(&self) -> &SigningKey {
        let found = self.live.iter().find(|k| k.issuer == KeyIssuer::Consumer);
        found.expect("the consumer key is never removed")
    }

    /// The key removed last.
    pub(crate) fn removed(&self) -> &SigningKey {
        self.removed.last().expect("one key is retired from the start")
    }

    /// The key nobody published.
    pub(crate) fn stranger(&self) -> &SigningKey {
        &self.stranger
    }

    /// Names of the published keys.
    pub(crate) fn kids(&self) -> Vec<String> {
        self.live.iter().map(|k| k.kid.clone()).collect()
    }

    /// Publishes `key` and lets it sign; the former signer stays published.
    pub(crate) fn rotate(&mut self, key: SigningKey) {
        self.signer = key.kid.clone();
        self.live.insert(0, key);
    }

    /// Stops publishing a key. Returns whether it was done: not for an unknown key, the consumer key, or the
    /// last work key. If the signer goes, another work key signs.
    pub(crate) fn remove(&mut self, kid: &str) -> bool {
        let is_work = |k: &SigningKey| k.issuer == KeyIssuer::Work;
        let Some(at) = self.live.iter().position(|k| k.kid == kid && is_work(k)) else {
            return false;
        };
        if self.live.iter().filter(|k| is_work(k)).count() < 2 {
            return false;
        }
        self.removed.push(self.live.remove(at));
        if self.signer == kid {
            let other = self.live.iter().find(|k| is_work(k)).expect("two were counted, one was removed");
            self.signer = other.kid.clone();
        }
        true
    }

    /// The v1 key document.
    pub(crate) fn document_v1(&self) -> Value {
        json!({ "x-emulator": true, "keys": self.live.iter().map(SigningKey::jwk).collect::<Vec<_>>() })
    }

    /// The v2 key document: with the `issuer` of each key, under `authority`.
    pub(crate) fn document_v2(&self, authority: &str) -> Value {
        let with_issuer = |key: &SigningKey| {
            let tenant = match key.issuer {
                KeyIssuer::Work => "{tenantid}",
                KeyIssuer::Consumer => CONSUMER_TENANT,
            };
            let mut jwk = key.jwk();
            jwk["issuer"] = format!("{authority}/{tenant}/v2.0").into();
            jwk
        };
        json!({ "x-emulator": true, "keys": self.live.iter().map(with_issuer).collect::<Vec<_>>() })
    }
}
