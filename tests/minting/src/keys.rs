//! Keys, and what they sign.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding};
use serde_json::{Value, json};

pub use aws_lc_rs::rsa::KeyPair;

use crate::base64url;

/// A new key of 2048 bits.
#[must_use]
pub fn key() -> KeyPair {
    KeyPair::generate(KeySize::Rsa2048).expect("a key can be made")
}

/// A token of these parts, signed with RS256.
#[must_use]
pub fn mint(key: &KeyPair, header: &Value, claims: &Value) -> String {
    mint_text(key, header.to_string(), claims.to_string())
}

/// A token of exactly these texts, signed with RS256.
#[must_use]
pub fn mint_text(key: &KeyPair, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    sign_with(key, &RSA_PKCS1_SHA256, &format!("{}.{}", base64url(header), base64url(claims)))
}

/// `signing_input` and the signature over it.
#[must_use]
pub fn sign_with(key: &KeyPair, encoding: &'static dyn RsaEncoding, signing_input: &str) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), signing_input.as_bytes(), &mut signature)
        .expect("a key of this size signs");
    format!("{signing_input}.{}", base64url(signature))
}

/// The public half of `key` as Entra serves it.
#[must_use]
pub fn jwk(key: &KeyPair, kid: &str) -> Value {
    let public = key.public_key();
    let modulus = public.modulus().big_endian_without_leading_zero();
    let exponent = public.exponent().big_endian_without_leading_zero();
    json!({ "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "n": base64url(modulus), "e": base64url(exponent) })
}
