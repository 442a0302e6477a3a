//! Where things are. The issuer is an origin, so all paths are at its root.

/// Authorization server metadata (RFC 8414 section 3).
pub const METADATA: &str = "/.well-known/oauth-authorization-server";
/// The same document where clients of OpenID Connect Discovery look for it.
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// Authorization endpoint.
pub const AUTHORIZE: &str = "/oauth/authorize";
/// Where the consent page posts to.
pub const CONSENT: &str = "/oauth/consent";
/// Our redirect URI at Entra.
pub const CALLBACK: &str = "/auth/callback";
/// Where a link leads a user of whom a policy wants more ([`crate::step_up`]).
pub const STEP_UP: &str = "/oauth/step-up";
/// Token endpoint.
pub const TOKEN: &str = "/oauth/token";
/// Revocation endpoint (RFC 7009).
pub const REVOKE: &str = "/oauth/revoke";
/// Registration endpoint (RFC 7591).
pub const REGISTER: &str = "/oauth/register";
/// Our public keys.
pub const JWKS: &str = "/oauth/jwks.json";
/// A page of ours to sign out.
pub const SIGN_OUT: &str = "/oauth/sign-out";

/// An endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the constant of the same name")]
pub enum Route {
    Metadata,
    Authorize,
    Consent,
    Callback,
    StepUp,
    Token,
    Revoke,
    Register,
    Jwks,
    SignOut,
}

impl Route {
    /// The endpoint at a path (without query); none for a path that is not ours.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        Some(match path {
            METADATA | OPENID_CONFIGURATION => Self::Metadata,
            AUTHORIZE => Self::Authorize,
            CONSENT => Self::Consent,
            CALLBACK => Self::Callback,
            STEP_UP => Self::StepUp,
            TOKEN => Self::Token,
            REVOKE => Self::Revoke,
            REGISTER => Self::Register,
            JWKS => Self::Jwks,
            SIGN_OUT => Self::SignOut,
            _ => return None,
        })
    }

    /// The methods that it has, as an `Allow` field.
    #[must_use]
    pub const fn allow(self) -> &'static str {
        match self {
            Self::Metadata | Self::Jwks => "GET, OPTIONS",
            Self::Token | Self::Revoke | Self::Register => "POST, OPTIONS",
            Self::Authorize | Self::Callback | Self::SignOut => "GET, POST",
            Self::Consent => "POST",
            Self::StepUp => "GET",
        }
    }

    /// Whether it has a method. `OPTIONS` is answered with [`crate::http::Response::preflight`].
    #[must_use]
    pub fn allows(self, method: &str) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_whole() {
        assert_eq!(Route::find("/oauth/token"), Some(Route::Token));
        assert_eq!(Route::find(OPENID_CONFIGURATION), Some(Route::Metadata));
        for path in
            ["/oauth/token/", "/OAuth/token", "//oauth/token", "/oauth/token%2f", "/mcp", "", "/oauth"]
        {
            assert_eq!(Route::find(path), None, "{path}");
        }
    }

    #[test]
    fn each_endpoint_has_its_methods() {
        assert!(Route::Token.allows("POST") && !Route::Token.allows("GET") && !Route::Consent.allows("GET"));
        assert!(
            Route::Authorize.allows("POST")
                && !Route::StepUp.allows("POST")
                && !Route::Authorize.allows("OPTIONS")
                && !Route::Jwks.allows("POST")
        );
    }
}
