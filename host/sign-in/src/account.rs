//! Who is signed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A person in a tenant. Both parts are GUIDs in lower case; names change, and somebody else may have them later.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountId {
    /// The tenant where they sign in (`tid`).
    pub tenant_id: String,
    /// Who they are in that tenant (`oid`).
    pub object_id: String,
}

impl AccountId {
    /// The account of these ids, in whatever case they are written.
    #[must_use]
    pub fn new(tenant_id: &str, object_id: &str) -> Self {
        Self { tenant_id: tenant_id.to_ascii_lowercase(), object_id: object_id.to_ascii_lowercase() }
    }
}

/// `OBJECT-ID@TENANT-ID`.
impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.object_id, self.tenant_id)
    }
}

impl FromStr for AccountId {
    type Err = String;

    /// Reads `OBJECT-ID@TENANT-ID`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('@') {
            Some((object, tenant)) if is_guid(object) && is_guid(tenant) => Ok(Self::new(tenant, object)),
            _ => Err(format!("`{text}` is not OBJECT-ID@TENANT-ID")),
        }
    }
}

/// A signed-in account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub id: AccountId,
    /// Their user name, for showing, and as a hint at the next sign-in.
    pub username: Option<String>,
    /// Their name, for showing.
    pub name: Option<String>,
    /// The account at home, `uid.utid`: the name under which MSAL keeps tokens. For a guest this is not `id`.
    pub(crate) home_account_id: String,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.username {
            Some(username) => write!(f, "{username} ({})", self.id),
            None => self.id.fmt(f),
        }
    }
}

/// Whether `text` has the form of a GUID (RFC 9562 section 4).
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_reads_as_it_is_written() {
        let id =
            AccountId::new("7E57A000-0000-4000-8000-000000000001", "7e57b000-0000-4000-8000-000000000001");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "a@b", "7e57b000-0000-4000-8000-000000000001"] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
