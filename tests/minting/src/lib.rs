//! Tokens for tests: perfect ones in each shape that is accepted, and the means to spoil them in one way.
//!
//! It shares no code with what is tested, down to the base64 encoder, or a bug would sign and accept its own mistake. Keys are made at run
//! time; nothing that it makes is worth anything outside of the process.

#[path = "../../suite/src/absent/mod.rs"]
mod absent;
mod claims;
pub mod dice;
#[cfg(feature = "keys")]
mod keys;
pub mod vectors;

use serde_json::Value;

pub use claims::{
    AT_JWT_AUDIENCE, AT_JWT_ISSUER, AUDIENCE, AUDIENCE_URI, AUTHORITY, CLIENT, CONSUMERS, FOREIGN_TENANT,
    KEY_ID, SECOND_TENANT, TENANT, USER, V1_AUTHORITY, app_claims, at_jwt_claims, at_jwt_header, claims,
    header, v1_claims,
};

#[cfg(feature = "keys")]
pub use keys::{KeyPair, jwk, key, mint, mint_text, sign_with};

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
