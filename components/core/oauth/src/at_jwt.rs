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

#[cfg(test)]
#[path = "at_jwt_tests.rs"]
mod tests;
