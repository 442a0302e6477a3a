//! Our access token: a JWT of the profile of RFC 9068, so that the one validator (`core/token`) serves Entra's tokens and ours.
//!
//! It is made in three steps, since the key is not here: [`signing_input`], a signature over it (RS256), [`token`].

use secrecy::SecretString;
use serde::Serialize;

use crate::secret::{self, RandomId};
use crate::settings::Settings;
use crate::user::Grant;

#[derive(Serialize)]
struct Header<'a> {
    typ: &'static str,
    alg: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    client_id: &'a str,
    scope: String,
    tid: &'a str,
    oid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
    sid: &'a str,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
}

/// What is signed: header and payload. `jti` is random, `now` in seconds since the Unix epoch.
#[must_use]
pub fn signing_input(grant: &Grant, key_id: &str, jti: &RandomId, settings: &Settings, now: u64) -> String {
    let user = &grant.session.user;
    let header = Header { typ: "at+jwt", alg: "RS256", kid: key_id };
    let claims = Claims {
        iss: &settings.issuer,
        aud: &settings.resource,
        sub: user.subject(),
        client_id: &grant.client_id,
        scope: grant.scopes.join(" "),
        tid: &user.tenant_id,
        oid: &user.object_id,
        name: user.name.as_deref(),
        roles: &grant.session.roles,
        sid: &grant.session.id,
        jti: secret::id(jti),
        iat: now,
        nbf: now,
        exp: now + settings.access_token_lifetime,
    };
    format!("{}.{}", encode(&header), encode(&claims))
}

/// The token: what was signed, and the signature.
#[must_use]
pub fn token(signing_input: &str, signature: &[u8]) -> SecretString {
    format!("{signing_input}.{}", secret::base64url(signature)).into()
}

fn encode(part: &impl Serialize) -> String {
    secret::base64url(&serde_json::to_vec(part).expect("texts and numbers serialise"))
}

/// A public key (RFC 7517 section 4, RFC 7518 section 6.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `kid`.
    pub key_id: String,
    /// Modulus, big-endian without leading zeros.
    pub n: Vec<u8>,
    /// Exponent, likewise.
    pub e: Vec<u8>,
}

/// The key set: the key in use, and those before it whose tokens still live.
#[must_use]
pub fn key_set(keys: &[PublicKey]) -> crate::http::Response {
    #[derive(Serialize)]
    struct Key<'a> {
        kty: &'static str,
        r#use: &'static str,
        alg: &'static str,
        kid: &'a str,
        n: String,
        e: String,
    }
    #[derive(Serialize)]
    struct Keys<'a> {
        keys: Vec<Key<'a>>,
    }
    let keys = keys.iter().map(|key| Key {
        kty: "RSA",
        r#use: "sig",
        alg: "RS256",
        kid: &key.key_id,
        n: secret::base64url(&key.n),
        e: secret::base64url(&key.e),
    });
    let keys = Keys { keys: keys.collect() };
    crate::http::Response::document(serde_json::to_string(&keys).expect("texts serialise"))
}

#[cfg(test)]
#[path = "at_jwt_tests.rs"]
mod tests;
