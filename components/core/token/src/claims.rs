//! The claims that decide something, typed. Reads them once, after the signature has been verified.
//!
//! Names and mail addresses are never read for a decision: `name` is for showing, the caller is `tid` + `oid`
//! (Microsoft identity platform, access token claims reference).

use crate::error::{TokenError, shown};
use crate::json::Object;
use crate::rules::is_guid;

/// Whether the token speaks for a user or for an application itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user through an application: the token has `scp`.
    User,
    /// An application on its own behalf: `roles` without `scp`.
    Application,
}

/// Who a verified token speaks for. All strings are as the token has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `tid`, a GUID in lower case.
    pub tenant_id: String,
    /// `oid`, a GUID in lower case.
    pub object_id: String,
    /// User or application.
    pub kind: Kind,
    /// `azp` (v2) or `appid` (v1), a GUID in lower case; in a token of an authorization server of ours `client_id`, which may be a URL.
    pub client_id: String,
    /// `name`, for showing only.
    pub display_name: Option<String>,
    /// `scp`, in a token of ours `scope`, split at spaces.
    pub scopes: Vec<String>,
    /// `roles`.
    pub roles: Vec<String>,
    /// `uti`, in a token of ours `jti`.
    pub token_id: Option<String>,
    /// The sign-in session that an authorization server of ours issued the token for (`sid`). None for a token of Entra, whose `sid` is not ours.
    pub session_id: Option<String>,
    /// `exp`, in seconds since the Unix epoch.
    pub expires_at: u64,
}

/// Token versions of Entra, each with its own issuer and client-id claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// All that the rules compare.
pub(crate) struct Claims {
    pub(crate) version: Version,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) not_before: u64,
    pub(crate) issued_at: u64,
    pub(crate) caller: Caller,
}

impl Claims {
    /// Reads the payload of a token whose signature is good.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, TokenError> {
        let object = Object::parse(payload, "payload is not one JSON object")?;
        let reader = Reader(&object);
        // RFC 7800 section 3 and RFC 9449 section 6: such a token is worth nothing without proof of the key.
        if object.has("cnf") {
            return Err(TokenError::BoundToken);
        }
        // Not compared with anything. RFC 7519 sections 4.1.2 and 4.1.7: of another type, this is no set of claims.
        for claim in ["sub", "jti"] {
            reader.optional::<String>(claim)?;
        }
        let version = match reader.required::<String>("ver")?.as_str() {
            "1.0" => Version::V1,
            "2.0" => Version::V2,
            other => return Err(TokenError::Version { version: shown(other) }),
        };
        let (kind, scopes, roles) = reader.permissions()?;
        let client_claim = if version == Version::V1 { "appid" } else { "azp" };
        Ok(Self {
            version,
            issuer: reader.required("iss")?,
            // RFC 7519 section 4.1.3 allows a list; Entra writes one string, and a list that contains us would make the
            // token good for others too.
            audience: reader.required("aud")?,
            not_before: reader.required("nbf")?,
            issued_at: reader.required("iat")?,
            caller: Caller {
                tenant_id: reader.guid("tid")?,
                object_id: reader.guid("oid")?,
                kind,
                client_id: reader.guid(client_claim)?,
                display_name: reader.optional("name")?,
                scopes,
                roles,
                token_id: reader.optional("uti")?,
                session_id: None,
                expires_at: reader.required("exp")?,
            },
        })
    }
}

impl Claims {
    pub(crate) fn lifetime(&self) -> Lifetime {
        let expires_at = self.caller.expires_at;
        Lifetime { not_before: self.not_before, issued_at: self.issued_at, expires_at }
    }
}

/// When a token is good, in seconds since the Unix epoch.
pub(crate) struct Lifetime {
    pub(crate) not_before: u64,
    pub(crate) issued_at: u64,
    pub(crate) expires_at: u64,
}

/// Members of a claims object by their type.
pub(crate) struct Reader<'o, 'a>(pub(crate) &'o Object<'a>);

impl<'a> Reader<'_, 'a> {
    pub(crate) fn optional<T: serde::Deserialize<'a>>(
        &self,
        claim: &'static str,
    ) -> Result<Option<T>, TokenError> {
        self.0.optional(claim).map_err(|_| self.refused(claim))
    }

    pub(crate) fn required<T: serde::Deserialize<'a>>(&self, claim: &'static str) -> Result<T, TokenError> {
        self.optional(claim)?.ok_or_else(|| self.refused(claim))
    }

    pub(crate) fn guid(&self, claim: &'static str) -> Result<String, TokenError> {
        self.required::<String>(claim)
            .and_then(|text| is_guid(&text).then_some(text).ok_or_else(|| self.refused(claim)))
    }

    /// That `claim` is not what it has to be, with what was found.
    pub(crate) fn refused(&self, claim: &'static str) -> TokenError {
        TokenError::Claim { claim, found: self.0.shown(claim) }
    }

    /// `scp` makes a user, `roles` alone an application; neither is no access token for an API (IDW10201 in
    /// Microsoft.Identity.Web), and `idtyp` may confirm but not contradict.
    fn permissions(&self) -> Result<(Kind, Vec<String>, Vec<String>), TokenError> {
        let (scopes, roles) = (self.scopes("scp")?, self.roles()?);
        let stated: Option<String> = self.optional("idtyp")?;
        match (scopes.is_empty(), roles.is_empty(), stated.as_deref()) {
            (false, _, None | Some("user")) => Ok((Kind::User, scopes, roles)),
            (true, false, None | Some("app")) => Ok((Kind::Application, scopes, roles)),
            (_, _, stated) => Err(TokenError::NotAnAccessToken {
                scopes: scopes.len(),
                roles: roles.len(),
                kind: stated.map(shown),
            }),
        }
    }

    /// RFC 6749 section 3.3: printable ASCII but `"` and `\`, with spaces between. A tab is no scope, and no separator either.
    pub(crate) fn scopes(&self, claim: &'static str) -> Result<Vec<String>, TokenError> {
        let text: String = self.optional(claim)?.unwrap_or_default();
        if !text.chars().all(|c| c == ' ' || (c.is_ascii_graphic() && c != '"' && c != '\\')) {
            return Err(self.refused(claim));
        }
        Ok(text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
    }

    /// A role without a name permits nothing, so it must not make an application either.
    pub(crate) fn roles(&self) -> Result<Vec<String>, TokenError> {
        let mut roles: Vec<String> = self.optional("roles")?.unwrap_or_default();
        roles.retain(|role| !role.trim().is_empty());
        Ok(roles)
    }
}
