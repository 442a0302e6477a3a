//! Which part of the service a request is for, by its path alone: a planned fault must hit even what nobody serves.

use axum::http::{HeaderMap, header};

use super::{Endpoint, Operation};
use crate::graph;

/// What a request asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) endpoint: Endpoint,
    /// What it is counted as.
    pub(crate) operation: Option<Operation>,
}

/// The part of the service that `path` belongs to.
pub(crate) fn classify(path: &str) -> Option<Asked> {
    let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    let (endpoint, operation) = match () {
        () if graph::owns(path) => (Endpoint::Graph, Some(Operation::Graph)),
        () if below("/metadata/identity") || below("/msi/token") => {
            (Endpoint::ManagedIdentity, Some(Operation::ManagedIdentity))
        }
        () if below("/secrets") || below("/deletedsecrets") => (Endpoint::Vault, Some(Operation::Vault)),
        () if path.ends_with("/.well-known/openid-configuration") => {
            (Endpoint::Metadata, Some(Operation::Metadata))
        }
        () if path.ends_with("/discovery/v2.0/keys") || path.ends_with("/discovery/keys") => {
            (Endpoint::Keys, Some(Operation::Keys))
        }
        () => login(path)?,
    };
    Some(Asked { endpoint, operation })
}

/// Below `/{tenant}/oauth2/`, with and without `v2.0`.
fn login(path: &str) -> Option<(Endpoint, Option<Operation>)> {
    let (_, rest) = path.split_once("/oauth2/")?;
    Some(match rest.strip_prefix("v2.0/").unwrap_or(rest) {
        "authorize" => (Endpoint::Authorize, Some(Operation::Authorize)),
        "token" => (Endpoint::Token, Some(Operation::Token)),
        "devicecode" => (Endpoint::DeviceCode, Some(Operation::DeviceCode)),
        _ => (Endpoint::Login, None),
    })
}

/// The grant type of a token request, if its form is a form.
pub(crate) fn grant_type(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let form = kind.split(';').next()?.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let found = form_urlencoded::parse(body).find(|(name, _)| name == "grant_type").filter(|_| form);
    found.map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let endpoint = |path: &str| classify(path).map(|a| a.endpoint);
        for (path, expected) in [
            ("/v1.0/me", Some(Endpoint::Graph)),
            ("/v1.0", Some(Endpoint::Graph)),
            ("/v1.0x", None),
            ("/contoso.example/v2.0/.well-known/openid-configuration", Some(Endpoint::Metadata)),
            ("/common/discovery/v2.0/keys", Some(Endpoint::Keys)),
            ("/common/oauth2/v2.0/token", Some(Endpoint::Token)),
            ("/common/oauth2/token", Some(Endpoint::Token)),
            ("/common/oauth2/v2.0/authorize", Some(Endpoint::Authorize)),
            ("/common/oauth2/v2.0/authorize/continue", Some(Endpoint::Login)),
            ("/common/oauth2/v2.0/devicecode", Some(Endpoint::DeviceCode)),
            ("/metadata/identity/oauth2/token", Some(Endpoint::ManagedIdentity)),
            ("/secrets/name", Some(Endpoint::Vault)),
            ("/common/discovery/instance", None),
            ("/emulator/faults", None),
        ] {
            assert_eq!(endpoint(path), expected, "{path}");
        }
    }
}
