//! ID tokens: who signed in (OpenID Connect Core section 3.1.3.7).
//!
//! Only for a token that came straight from the token endpoint over TLS: there the server's certificate stands for the signature, as item 6
//! of that section allows. A token that took any other way has to be verified with the authority's keys, which this module does not do.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::limits::{MAX_ID_TOKEN_BYTES, shown};

/// What an ID token is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Base URL of the authority without trailing slash.
    pub authority: &'a str,
    /// Our client id.
    pub client_id: &'a str,
    /// The tenants from which people may sign in, as GUIDs in lower case. An empty list admits nobody.
    pub tenants: &'a [&'a str],
    /// The nonce of the authorization request; none where there was no such request (refresh, device code), and then none is compared.
    pub nonce: Option<&'a SecretString>,
    /// Seconds by which the authority's clock may differ from ours.
    pub leeway: u64,
}

/// Who signed in. A person is `tenant_id` and `object_id`; everything else is for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `tid`, the tenant where they signed in.
    pub tenant_id: String,
    /// `oid`, who they are in that tenant.
    pub object_id: String,
    /// `name`.
    pub name: Option<String>,
    /// `preferred_username`. It changes, and somebody else may have it later: never compare it.
    pub username: Option<String>,
    /// `roles` that the application gave them.
    pub roles: Vec<String>,
    /// `login_hint`, an optional claim that spares them the question who they are.
    pub login_hint: Option<String>,
}

/// Why an ID token was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdTokenError {
    /// Longer than [`MAX_ID_TOKEN_BYTES`].
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
        /// The longest that is read.
        limit: usize,
    },
    /// Not a compact JWS whose payload is one JSON object with the claims in their types. An encrypted token arrives here.
    Malformed {
        /// Which rule was not met.
        what: &'static str,
    },
    /// A claim is missing or empty.
    Missing {
        /// Its name.
        claim: &'static str,
    },
    /// `iss` is not what the authority and the token's tenant give.
    Issuer {
        /// The token's `iss`, shortened.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// `tid` is not a tenant from which people may sign in.
    Tenant {
        /// The token's `tid`, shortened.
        found: String,
        /// The tenants that are admitted.
        expected: Vec<String>,
    },
    /// `aud`, or `azp` where there is one, is another application.
    Audience {
        /// The token's `aud` or `azp`, shortened.
        found: String,
        /// Our client id.
        expected: String,
    },
    /// `exp` has passed.
    Expired {
        /// `exp`.
        expires_at: u64,
        /// The time of the check.
        now: u64,
    },
    /// `iat` lies ahead. Usually the clock of this machine is slow.
    IssuedAhead {
        /// `iat`.
        issued_at: u64,
        /// The time of the check.
        now: u64,
    },
    /// `nonce` is missing or belongs to another request: the token was not issued for this sign-in. It is not shown.
    Nonce,
}

/// The claims that decide something. A member that is there twice is refused by the reader, so one token has one reading.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    /// OpenID Connect Core section 2 allows a list; Entra writes one string.
    aud: String,
    azp: Option<String>,
    exp: u64,
    iat: u64,
    nonce: Option<String>,
    #[serde(default)]
    tid: String,
    #[serde(default)]
    oid: String,
    name: Option<String>,
    preferred_username: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    login_hint: Option<String>,
}

/// Reads an ID token that came from the token endpoint. `now` is in seconds since the Unix epoch.
///
/// # Errors
/// An [`IdTokenError`] for the first rule that is not met.
pub fn read(token: &SecretString, rules: &Rules<'_>, now: u64) -> Result<Identity, IdTokenError> {
    let claims = claims(token.expose_secret())?;
    for (claim, value) in [("tid", &claims.tid), ("oid", &claims.oid)] {
        if value.is_empty() {
            return Err(IdTokenError::Missing { claim });
        }
    }
    let issuer = format!("{}/{}/v2.0", rules.authority, claims.tid);
    if claims.iss != issuer {
        return Err(IdTokenError::Issuer { found: shown(&claims.iss), expected: shown(&issuer) });
    }
    if !rules.tenants.contains(&claims.tid.as_str()) {
        let expected = rules.tenants.iter().map(|&tenant| tenant.to_owned()).collect();
        return Err(IdTokenError::Tenant { found: shown(&claims.tid), expected });
    }
    for party in [Some(&claims.aud), claims.azp.as_ref()].into_iter().flatten() {
        if party != rules.client_id {
            return Err(IdTokenError::Audience { found: shown(party), expected: rules.client_id.to_owned() });
        }
    }
    if claims.exp.saturating_add(rules.leeway) <= now {
        return Err(IdTokenError::Expired { expires_at: claims.exp, now });
    }
    if claims.iat > now.saturating_add(rules.leeway) {
        return Err(IdTokenError::IssuedAhead { issued_at: claims.iat, now });
    }
    if let Some(nonce) = rules.nonce
        && claims.nonce.as_deref() != Some(nonce.expose_secret())
    {
        return Err(IdTokenError::Nonce);
    }
    Ok(claims.identity())
}

fn claims(token: &str) -> Result<Claims, IdTokenError> {
    if token.len() > MAX_ID_TOKEN_BYTES {
        return Err(IdTokenError::TooLarge { bytes: token.len(), limit: MAX_ID_TOKEN_BYTES });
    }
    let mut segments = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(IdTokenError::Malformed { what: "not three segments" });
    };
    let payload = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| IdTokenError::Malformed { what: "its payload is not base64url" })?;
    serde_json::from_slice(&payload)
        .map_err(|_| IdTokenError::Malformed { what: "its payload is not a JSON object of claims" })
}

impl Claims {
    fn identity(self) -> Identity {
        Identity {
            tenant_id: self.tid,
            object_id: self.oid,
            name: self.name,
            username: self.preferred_username,
            roles: self.roles,
            login_hint: self.login_hint,
        }
    }
}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the ID token is refused: ")?;
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "it has {bytes} bytes, more than {limit}"),
            Self::Malformed { what } => write!(f, "{what}"),
            Self::Missing { claim } => write!(f, "`{claim}` is missing"),
            Self::Issuer { found, expected } => write!(f, "iss `{found}` is not `{expected}`"),
            Self::Tenant { found, expected } => {
                write!(f, "tid `{found}` is not among the tenants {expected:?}")
            }
            Self::Audience { found, expected } => write!(f, "aud or azp `{found}` is not `{expected}`"),
            Self::Expired { expires_at, now } => write!(f, "exp {expires_at} is not after {now}"),
            Self::IssuedAhead { issued_at, now } => write!(f, "iat {issued_at} is after {now}"),
            Self::Nonce => write!(f, "nonce is not that of this sign-in"),
        }
    }
}

impl std::error::Error for IdTokenError {}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
