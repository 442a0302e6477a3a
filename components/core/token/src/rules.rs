//! What a token has to satisfy, and the issuer forms that follow from it.

use crate::error::TokenError;
use crate::limits::MAX_LEEWAY;

/// The configuration of a verifier. No field has a permissive default: empty lists are an error, not "anything".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules<'a> {
    /// Base URL of the authority without trailing slash, for example `https://login.microsoftonline.com`.
    pub authority: &'a str,
    /// Base URL of v1 issuers without trailing slash, for example `https://sts.windows.net`.
    pub v1_authority: &'a str,
    /// Tenants that may call: GUIDs in lower case.
    pub tenants: &'a [&'a str],
    /// Accepted `aud` values, compared whole.
    pub audiences: &'a [&'a str],
    /// Client applications (`azp`, in v1 tokens `appid`) that may call: GUIDs in lower case. None for any that the tenant lets have a token
    /// for one of the audiences; an empty list is refused.
    pub clients: Option<&'a [&'a str]>,
    /// Clock difference tolerated in `exp`, `nbf` and `iat`, in seconds, at most [`MAX_LEEWAY`].
    pub leeway: u32,
}

impl Rules<'_> {
    /// Refuses rules under which a check would be empty.
    pub(crate) fn check(&self) -> Result<(), TokenError> {
        let unusable = |setting| Err(TokenError::UnusableRules { setting });
        match self {
            Self { authority, .. } if !is_base_url(authority) => unusable("authority"),
            Self { v1_authority, .. } if !is_base_url(v1_authority) => unusable("v1-authority"),
            Self { tenants, .. } if tenants.is_empty() || !tenants.iter().all(|id| is_guid(id)) => {
                unusable("tenants")
            }
            Self { audiences, .. }
                if audiences.is_empty() || audiences.iter().any(|a| a.trim().is_empty()) =>
            {
                unusable("audiences")
            }
            Self { clients: Some(clients), .. }
                if clients.is_empty() || !clients.iter().all(|id| is_guid(id)) =>
            {
                unusable("clients")
            }
            Self { leeway, .. } if *leeway > MAX_LEEWAY => unusable("leeway"),
            _ => Ok(()),
        }
    }

    /// The issuer of v2 tokens of `tenant`, which is also what the `issuer` of a signing key is compared with.
    pub(crate) fn v2_issuer(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.authority)
    }

    /// The issuer of v1 tokens of `tenant`, with its trailing slash.
    pub(crate) fn v1_issuer(&self, tenant: &str) -> String {
        format!("{}/{tenant}/", self.v1_authority)
    }
}

pub(crate) fn is_base_url(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) && !text.ends_with('/')
}

/// Whether `text` is a GUID in the one form that Entra writes: lower case, with hyphens, without braces.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}
