//! Who signed in, as Entra's ID token said, and the cookie by which a browser is known again.
//!
//! The cookie proves nothing but that this browser came back from Entra as that user before. It lets a permission be looked up before Entra is asked, and the
//! sign-out page know whose sessions to end. Nobody is signed in by it.

use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// Name of the cookie. Its value is sealed, bound to this name, and lives as long as permissions are remembered or sessions can last, a day at least.
pub const COOKIE: &str = "__Host-valet-user";

/// How long the cookie is kept, in seconds.
#[must_use]
pub fn cookie_lifetime(settings: &Settings) -> u64 {
    settings.consent_lifetime.max(settings.refresh_token_lifetime).max(24 * 3600)
}

/// A user. Not by name or address: those change hands (OWASP ASVS 10.3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Tenant, a GUID in lower case.
    #[serde(rename = "t")]
    pub tenant_id: String,
    /// Object id, a GUID in lower case.
    #[serde(rename = "o")]
    pub object_id: String,
    /// Display name, for showing only.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl User {
    /// Whether both are one user, whatever they are called.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (&self.tenant_id, &self.object_id) == (&other.tenant_id, &other.object_id)
    }

    /// What the cookie holds, before it is sealed.
    #[must_use]
    pub fn to_plain(&self) -> String {
        serde_json::to_string(self).expect("texts serialise")
    }

    /// Reads what was sealed; none for anything else.
    #[must_use]
    pub fn from_plain(plain: &str) -> Option<Self> {
        serde_json::from_str(plain).ok()
    }

    /// The `sub` of access tokens: unique among all tenants and never given to somebody else.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}.{}", self.tenant_id, self.object_id)
    }
}

/// A sign-in: who, and by which id Entra's tokens are found. What the port `sessions` gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user: User,
    /// App roles that the ID token had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// What a client was permitted, for whom and in which session: what codes and refresh tokens stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The client.
    pub client_id: String,
    /// The scopes.
    pub scopes: Vec<String>,
    /// The session.
    pub session: Session,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::alice;

    #[test]
    fn a_cookie_is_read_back() {
        assert_eq!(User::from_plain(&alice().to_plain()), Some(alice()));
        for text in ["", "{}", "null", r#"{"t":"x"}"#] {
            assert_eq!(User::from_plain(text), None, "{text}");
        }
    }

    #[test]
    fn a_user_is_tenant_and_object() {
        let renamed = User { name: None, ..alice() };
        assert!(renamed.is(&alice()));
        assert!(!User { tenant_id: "other".into(), ..alice() }.is(&alice()));
        assert!(!User { object_id: "other".into(), ..alice() }.is(&alice()));
    }
}
