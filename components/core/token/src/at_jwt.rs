//! Access tokens of an authorization server of ours: the JWT profile of RFC 9068, for users whom Entra signed in.
//!
//! The two kinds of token exclude each other: by `typ`, by issuer, and by key set, of which each kind has its own.

use crate::claims::{Caller, Kind, Lifetime, Reader};
use crate::error::TokenError;
use crate::json::Object;
use crate::limits::{MAX_CLIENT_ID_BYTES, MAX_LEEWAY, MAX_SESSION_ID_BYTES};
use crate::rules::is_base_url;

/// What a token of an authorization server of ours has to satisfy. Nothing here has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtJwtRules<'a> {
    /// The server's issuer identifier (RFC 8414 section 2), https and without trailing slash. Compared whole with `iss`.
    pub issuer: &'a str,
    /// The resource that tokens have to be for. Compared whole with `aud`.
    pub audience: &'a str,
    /// Clock difference tolerated in `exp`, `nbf` and `iat`, in seconds, at most [`MAX_LEEWAY`].
    pub leeway: u32,
}

impl AtJwtRules<'_> {
    /// Refuses rules under which a check would be empty.
    pub(crate) fn check(&self) -> Result<(), TokenError> {
        let unusable = |setting| Err(TokenError::UnusableRules { setting });
        match self {
            Self { issuer, .. } if !is_base_url(issuer) => unusable("issuer"),
            Self { audience, .. } if audience.trim().is_empty() => unusable("audience"),
            Self { leeway, .. } if *leeway > MAX_LEEWAY => unusable("leeway"),
            _ => Ok(()),
        }
    }
}

/// All that the rules compare.
pub(crate) struct AtJwtClaims {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    not_before: u64,
    issued_at: u64,
    pub(crate) caller: Caller,
}

impl AtJwtClaims {
    /// Reads the payload of a token whose signature is good.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, TokenError> {
        let object = Object::parse(payload, "payload is not one JSON object")?;
        let reader = Reader(&object);
        // RFC 7800 section 3 and RFC 9449 section 6: such a token is worth nothing without proof of the key.
        if object.has("cnf") {
            return Err(TokenError::BoundToken);
        }
        // RFC 9068 section 2.2: these are required, whether or not anything is compared with them.
        let issued_at: u64 = reader.required("iat")?;
        for claim in ["sub", "jti"] {
            if reader.required::<String>(claim)?.is_empty() {
                return Err(reader.refused(claim));
            }
        }
        let client_id: String = reader.required("client_id")?;
        // RFC 6749 appendix A.1, without the space, which no client of ours has.
        if !(1..=MAX_CLIENT_ID_BYTES).contains(&client_id.len())
            || !client_id.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(reader.refused("client_id"));
        }
        // Ours has a session that can be ended before the token ends, so one without is not ours.
        let session_id: String = reader.required("sid")?;
        if !(1..=MAX_SESSION_ID_BYTES).contains(&session_id.len())
            || !session_id.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(reader.refused("sid"));
        }
        let (scopes, roles) = (reader.scopes("scope")?, reader.roles()?);
        if scopes.is_empty() {
            return Err(TokenError::NotAnAccessToken { scopes: 0, roles: roles.len(), kind: None });
        }
        Ok(Self {
            issuer: reader.required("iss")?,
            audience: reader.required("aud")?,
            not_before: reader.optional("nbf")?.unwrap_or(issued_at),
            issued_at,
            caller: Caller {
                tenant_id: reader.guid("tid")?,
                object_id: reader.guid("oid")?,
                kind: Kind::User,
                client_id,
                display_name: reader.optional("name")?,
                scopes,
                roles,
                token_id: reader.optional("jti")?,
                session_id: Some(session_id),
                expires_at: reader.required("exp")?,
            },
        })
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        let expires_at = self.caller.expires_at;
        Lifetime { not_before: self.not_before, issued_at: self.issued_at, expires_at }
    }
}
