//! The check against three libraries that know nothing of it: aws-lc (which our host checks with), `rsa` and `num-bigint`.
//!
//! `tests/signature` runs this module once more, with a `verify` and a `recover` that are inside WebAssembly.

mod forgeries;
mod inputs;
mod keys;
mod powers;
mod signatures;
mod wycheproof;

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _, Verifier as _};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey};

use crate::{EXPONENT, Failure, PublicKey, verify};
use inputs::Random;

/// A private key and what it makes.
struct Key {
    n: Vec<u8>,
    private: RsaPrivateKey,
}

/// Keys of 2048, 3072 and 4096 bits made by aws-lc, and of 2056 and 2312, which `rsa` makes.
static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let usual = [KeySize::Rsa2048, KeySize::Rsa3072, KeySize::Rsa4096].map(|size| {
        let pair = KeyPair::generate(size).unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        RsaPrivateKey::from_pkcs8_der(der.as_ref()).unwrap()
    });
    let mut random = Random::new(1);
    let odd = [2056, 2312].map(|bits| RsaPrivateKey::new(&mut random, bits).unwrap());
    usual.into_iter().chain(odd).map(|private| Key { n: private.n().to_bytes_be(), private }).collect()
});

impl Key {
    fn public(&self) -> PublicKey<'_> {
        PublicKey { n: &self.n, e: &EXPONENT }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        SigningKey::<Sha256>::new(self.private.clone()).sign(message).to_vec()
    }

    /// RSASP1 (RFC 8017 section 5.2.1) of any encoding at all.
    fn sign_encoding(&self, encoding: &[u8]) -> Vec<u8> {
        let signature = BigUint::from_bytes_be(encoding).modpow(self.private.d(), self.private.n());
        padded(&signature.to_bytes_be(), self.n.len())
    }

    /// What this crate says, after aws-lc and `rsa` have said the same.
    #[track_caller]
    fn verdict(&self, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
        let ours = verify(&self.public(), message, signature);
        let components = RsaPublicKeyComponents { n: &self.n[..], e: &EXPONENT[..] };
        let aws_lc = components.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature);
        assert_eq!(ours.is_ok(), aws_lc.is_ok(), "aws-lc differs");
        let key = RsaPublicKey::new(self.private.n().clone(), BigUint::from(65537_u32)).unwrap();
        let library = Signature::try_from(signature)
            .and_then(|signature| VerifyingKey::<Sha256>::new(key).verify(message, &signature));
        // `rsa` takes a shorter signature for the number that it is; RFC 8017 section 8.2.2 step 1 asks for the exact length.
        if signature.len() == self.n.len() {
            assert_eq!(ours.is_ok(), library.is_ok(), "rsa differs");
        }
        ours
    }
}

/// A big-endian number in `length` bytes.
fn padded(number: &[u8], length: usize) -> Vec<u8> {
    [vec![0; length - number.len()], number.to_vec()].concat()
}

impl rsa::rand_core::RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        self.next() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.next()
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        to.copy_from_slice(&self.bytes(to.len()));
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

// Not random enough for a key that guards anything; these guard nothing.
impl rsa::rand_core::CryptoRng for Random {}
