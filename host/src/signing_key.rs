//! The key that signs the tokens of our own authorization server: made when it is first needed, and kept sealed in the store, so that every process on one
//! store signs with the same key. Or the operator's: then the first of theirs signs, and what the others signed is still good, so that keys can be changed.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;
use tokio::sync::OnceCell;
use valet_store::Ranged;

use crate::seal::{Seal, SealingKeys};

/// What the record is sealed for.
const LABEL: &[u8] = b"valet signing-key 1";
/// Its name in its range, of which it is the only record.
const RECORD: &str = "rs256";

/// Modulus sizes in bytes that signatures are checked with, see `capabilities/signature.rs`.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// The operator's keys, the one that signs first.
pub struct OwnKeys(Vec<KeyPair>);

impl std::fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OwnKeys({})", self.0.len())
    }
}

/// Why a file has no keys to sign with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnKeysError {
    /// Nothing of the kind is in it.
    #[error(
        "has no `PRIVATE KEY` in it (PEM, PKCS #8; `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048` makes one)"
    )]
    None,
    /// One of them cannot be read, counted from 1.
    #[error("its key number {0} is no RSA key in PKCS #8")]
    Unreadable(usize),
    /// One of them has a size that is not taken, counted from 1.
    #[error("its key number {number} has {bits} bits; 2048 to 4096 are taken")]
    Size {
        /// Which.
        number: usize,
        /// Its size.
        bits: usize,
    },
    /// One is there twice, counted from 1.
    #[error("its key number {0} is there twice")]
    Twice(usize),
}

impl OwnKeys {
    /// Reads the private keys of a PEM file; what else is in it is left alone.
    ///
    /// # Errors
    /// See [`OwnKeysError`].
    pub fn parse(pem: &[u8]) -> Result<Self, OwnKeysError> {
        let mut pairs: Vec<KeyPair> = Vec::new();
        for (at, der) in PrivatePkcs8KeyDer::pem_slice_iter(pem).enumerate() {
            let number = at + 1;
            let der = der.map_err(|_| OwnKeysError::Unreadable(number))?;
            let pair =
                KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| OwnKeysError::Unreadable(number))?;
            let bytes = pair.public_modulus_len();
            if !MODULUS_BYTES.contains(&bytes) {
                return Err(OwnKeysError::Size { number, bits: bytes * 8 });
            }
            if pairs.iter().any(|known| known.public_key().as_ref() == pair.public_key().as_ref()) {
                return Err(OwnKeysError::Twice(number));
            }
            pairs.push(pair);
        }
        if pairs.is_empty() { Err(OwnKeysError::None) } else { Ok(Self(pairs)) }
    }
}

/// The key, once it is there.
pub struct SigningKey {
    range: Ranged,
    seal: Seal,
    loaded: OnceCell<Loaded>,
}

struct Loaded {
    pair: KeyPair,
    key_id: String,
    key_set: String,
}

impl SigningKey {
    /// The key that is kept in `range`, sealed with `keys`.
    #[must_use]
    pub fn new(range: Ranged, keys: &SealingKeys) -> Self {
        Self { range, seal: Seal::new(keys, LABEL), loaded: OnceCell::new() }
    }

    /// The operator's in its place: the first signs, the public halves of all are given out. What is kept in `range` stays there, and nothing is checked with it.
    #[must_use]
    pub fn given(own: OwnKeys, range: Ranged, keys: &SealingKeys) -> Self {
        Self { loaded: OnceCell::new_with(Loaded::of(own.0)), ..Self::new(range, keys) }
    }

    /// Its `kid`: the beginning of the digest of the public key.
    pub(crate) async fn key_id(&self) -> Result<String, String> {
        Ok(self.loaded().await?.key_id.clone())
    }

    /// Its public half, a JSON Web Key Set.
    pub(crate) async fn key_set(&self) -> Result<String, String> {
        Ok(self.loaded().await?.key_set.clone())
    }

    /// The RS256 signature of `message`.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let pair = &self.loaded().await?.pair;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| "the signature could not be made".to_owned())?;
        Ok(signature)
    }

    async fn loaded(&self) -> Result<&Loaded, String> {
        self.loaded.get_or_try_init(|| self.load()).await
    }

    async fn load(&self) -> Result<Loaded, String> {
        let fault = |error: valet_store::StoreError| format!("the signing key cannot be kept: {error}");
        if let Some(record) = self.range.get(RECORD).await.map_err(fault)? {
            let loaded = self.read(&record)?;
            if !self.seal.is_current(&record, RECORD.as_bytes()) {
                // Under the key that seals now, so that the one before can be taken away. If another process was faster, it has done the same.
                let der = loaded.pair.as_der().map_err(|_| "the signing key could not be written")?;
                let sealed = self.seal.seal(der.as_ref(), RECORD.as_bytes())?;
                self.range.swap(RECORD, Some(&record), &sealed, None).await.map_err(fault)?;
            }
            return Ok(loaded);
        }
        // Half a second of computing.
        let made = tokio::task::spawn_blocking(|| KeyPair::generate(KeySize::Rsa2048)).await;
        let pair = made.map_err(|_| "the signing key could not be made")?;
        let pair = pair.map_err(|_| "the signing key could not be made")?;
        let der = pair.as_der().map_err(|_| "the signing key could not be written")?;
        let record = self.seal.seal(der.as_ref(), RECORD.as_bytes())?;
        if self.range.swap(RECORD, None, &record, None).await.map_err(fault)? {
            return loaded(pair);
        }
        // Another process was faster.
        let record = self.range.get(RECORD).await.map_err(fault)?.ok_or("the signing key vanished")?;
        self.read(&record)
    }

    fn read(&self, record: &[u8]) -> Result<Loaded, String> {
        let der = self.seal.open(record, RECORD.as_bytes()).ok_or(
            "the signing key does not open with the sealing keys; add the one that it was made with to storage.sealing_key_file",
        )?;
        loaded(KeyPair::from_pkcs8(&der).map_err(|error| format!("the signing key is none: {error}"))?)
    }
}

fn loaded(pair: KeyPair) -> Result<Loaded, String> {
    Loaded::of(vec![pair]).ok_or_else(|| "there is no signing key".to_owned())
}

impl Loaded {
    /// The first key, with the public halves of all; none if there is none.
    fn of(pairs: Vec<KeyPair>) -> Option<Self> {
        let keys: Vec<_> = pairs.iter().map(public_half).collect();
        let key_set = json!({ "keys": keys }).to_string();
        let pair = pairs.into_iter().next()?;
        Some(Self { key_id: key_id(&pair), pair, key_set })
    }
}

/// A `kid`: the beginning of the digest of the public key.
fn key_id(pair: &KeyPair) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, pair.public_key().as_ref());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}

/// A JSON Web Key (RFC 7517 section 4).
fn public_half(pair: &KeyPair) -> serde_json::Value {
    let public = pair.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id(pair),
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    use secrecy::SecretBox;
    use valet_store::{Range, Store, SystemClock};

    use super::*;

    fn keys(bytes: &[u8]) -> SealingKeys {
        SealingKeys::new(bytes.iter().map(|&byte| SecretBox::new(Box::new([byte; 32]))).collect()).unwrap()
    }

    #[tokio::test]
    async fn processes_on_one_store_sign_with_one_key() {
        let store = Store::memory(SystemClock);
        let key = |bytes: &[u8]| SigningKey::new(store.range(Range::Own), &keys(bytes));
        let (first, second) = (key(&[1]), key(&[1]));
        let (set, other) = tokio::join!(first.key_set(), second.key_set());
        let set = set.unwrap();
        assert_eq!(set, other.unwrap());
        // After a restart, with a newer sealing key in front.
        let later = key(&[2, 1]);
        assert_eq!(later.key_set().await.unwrap(), set);
        // And once that has been seen, without the older one.
        let later = key(&[2]);
        assert_eq!(later.key_set().await.unwrap(), set);

        let signature = later.sign(b"message").await.unwrap();
        let set: serde_json::Value = serde_json::from_str(&set).unwrap();
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(set["keys"][0][name].as_str().unwrap()).unwrap();
        let public = RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, b"message", &signature).unwrap();
        assert_eq!(first.key_id().await.unwrap(), set["keys"][0]["kid"]);
        // Published for signatures alone, and nothing beside what verifies them.
        let (n, kid) = (&set["keys"][0]["n"], &set["keys"][0]["kid"]);
        let key = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": "AQAB" });
        assert_eq!(set, json!({ "keys": [key] }));
    }

    /// A key as an operator has it, in PEM.
    fn pem(size: KeySize) -> String {
        use base64::engine::general_purpose::STANDARD;
        let pair = KeyPair::generate(size).unwrap();
        let der = STANDARD.encode(pair.as_der().unwrap().as_ref());
        format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")
    }

    /// Whether a signature is good by a key of the set.
    fn verifies(set: &serde_json::Value, at: usize, signature: &[u8]) -> bool {
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(set["keys"][at][name].as_str().unwrap()).unwrap();
        let public = RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
        public.verify(&RSA_PKCS1_2048_8192_SHA256, b"message", signature).is_ok()
    }

    #[tokio::test]
    async fn the_operators_keys_are_changed_one_behind_the_other() {
        let store = Store::memory(SystemClock);
        let given = |pem: &str| {
            let own = OwnKeys::parse(pem.as_bytes()).unwrap();
            SigningKey::given(own, store.range(Range::Own), &keys(&[1]))
        };
        let set = async |key: &SigningKey| {
            serde_json::from_str::<serde_json::Value>(&key.key_set().await.unwrap()).unwrap()
        };
        let (old, new) = (pem(KeySize::Rsa2048), pem(KeySize::Rsa2048));
        let before = given(&old);
        let signed_before = before.sign(b"message").await.unwrap();
        let old_kid = before.key_id().await.unwrap();

        // The newest first: it signs, and both verify.
        let both = given(&format!("{new}{old}"));
        let (public, signed) = (set(&both).await, both.sign(b"message").await.unwrap());
        assert_eq!(public["keys"][0]["kid"], both.key_id().await.unwrap());
        assert_eq!(public["keys"][1]["kid"], old_kid);
        assert!(verifies(&public, 0, &signed) && verifies(&public, 1, &signed_before));
        assert!(!verifies(&public, 0, &signed_before) && !verifies(&public, 1, &signed));

        // Removed, the old one is not given out any more.
        let after = set(&given(&new)).await;
        assert_eq!(after["keys"].as_array().unwrap().len(), 1);
        assert_eq!(after["keys"][0], public["keys"][0]);
        assert!(!store.range(Range::Own).exists(RECORD).await.unwrap(), "none was made");
    }

    #[test]
    fn files_without_good_keys_are_refused() {
        let error = |pem: &str| OwnKeys::parse(pem.as_bytes()).map(drop).unwrap_err();
        let good = pem(KeySize::Rsa2048);
        assert_eq!(error(""), OwnKeysError::None);
        assert_eq!(error(&good.replace("PRIVATE", "PUBLIC")), OwnKeysError::None);
        assert_eq!(error(&format!("{good}{good}")), OwnKeysError::Twice(2));
        let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(error(&format!("{good}{broken}")), OwnKeysError::Unreadable(2));
        let large = error(&pem(KeySize::Rsa8192));
        assert_eq!(large, OwnKeysError::Size { number: 1, bits: 8192 });
        assert_eq!(format!("{:?}", OwnKeys::parse(good.as_bytes()).unwrap()), "OwnKeys(1)");
    }

    #[tokio::test]
    async fn a_key_that_was_sealed_with_another_key_is_not_replaced() {
        let store = Store::memory(SystemClock);
        SigningKey::new(store.range(Range::Own), &keys(&[1])).key_set().await.unwrap();
        let before = store.range(Range::Own).get(RECORD).await.unwrap();
        let error = SigningKey::new(store.range(Range::Own), &keys(&[2])).key_set().await.unwrap_err();
        assert!(error.contains("storage.sealing_key_file"), "{error}");
        assert_eq!(store.range(Range::Own).get(RECORD).await.unwrap(), before);
    }
}
