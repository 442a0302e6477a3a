//! Tokens for tests: perfect ones in each shape that is accepted, and the means to spoil them in one way.
//!
//! It shares no code with what is tested, down to the base64 encoder, or a bug would sign and accept its own mistake. Keys are made at run
//! time; nothing that it makes is worth anything outside of the process.

mod claims;
pub mod dice;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding};
use serde_json::{Value, json};

pub use aws_lc_rs::rsa::KeyPair;
pub use claims::{
    AT_JWT_AUDIENCE, AT_JWT_ISSUER, AUDIENCE, AUDIENCE_URI, AUTHORITY, CLIENT, CONSUMERS, FOREIGN_TENANT,
    KEY_ID, SECOND_TENANT, TENANT, USER, V1_AUTHORITY, app_claims, at_jwt_claims, at_jwt_header, claims,
    header, v1_claims,
};

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

/// RFC 4648 section 5, without padding.
#[must_use]
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |chunk: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        (0..=chunk.len()).map(move |at| char::from(ALPHABET[bits >> (18 - 6 * at) & 63])).collect::<String>()
    };
    bytes.as_ref().chunks(3).map(group).collect()
}

/// `object` with a member set.
#[must_use]
pub fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// `object` without a member, which has to be there.
#[must_use]
pub fn without(mut object: Value, name: &str) -> Value {
    let members = object.as_object_mut().expect("an object");
    members.remove(name).expect("the member was there");
    object
}

/// `json`, an object, with the text `member` put in front: the way to say what a [`Value`] cannot.
#[must_use]
pub fn with_text(json: &Value, member: &str) -> String {
    json.to_string().replacen('{', &format!("{{{member},"), 1)
}
