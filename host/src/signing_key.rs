//! The key that signs the tokens of our own authorization server: made when it is first needed, and kept sealed in the store, so that every process on one
//! store signs with the same key.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::sync::OnceCell;
use valet_store::Ranged;

use crate::seal::{Seal, SealingKeys};

/// What the record is sealed for.
const LABEL: &[u8] = b"valet signing-key 1";
/// Its name in its range, of which it is the only record.
const RECORD: &str = "rs256";

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
            return Ok(Loaded::new(pair));
        }
        // Another process was faster.
        let record = self.range.get(RECORD).await.map_err(fault)?.ok_or("the signing key vanished")?;
        self.read(&record)
    }

    fn read(&self, record: &[u8]) -> Result<Loaded, String> {
        let der = self.seal.open(record, RECORD.as_bytes()).ok_or(
            "the signing key does not open with the sealing keys; add the one that it was made with to storage.sealing_key_file",
        )?;
        KeyPair::from_pkcs8(&der)
            .map(Loaded::new)
            .map_err(|error| format!("the signing key is none: {error}"))
    }
}

impl Loaded {
    fn new(pair: KeyPair) -> Self {
        let public = pair.public_key();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public.as_ref());
        let key_id = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]);
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key_set = json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": key_id,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        }] })
        .to_string();
        Self { pair, key_id, key_set }
    }
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
