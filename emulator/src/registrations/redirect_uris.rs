//! Redirect URIs of an app registration, by platform, and how an asked one is matched.

use serde::Deserialize;
use url::Url;

/// Redirect URIs by platform.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectUris {
    /// Confidential web applications: redeeming needs a secret.
    #[serde(default)]
    pub web: Vec<String>,
    /// Browser applications: redeeming needs an `Origin` header.
    #[serde(default)]
    pub spa: Vec<String>,
    /// Native applications: redeeming must not carry a secret.
    #[serde(default)]
    pub public_client: Vec<String>,
}

/// Platform of a redirect URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// Confidential.
    Web,
    /// Browser.
    Spa,
    /// Native.
    Public,
}

impl RedirectUris {
    /// The platform of a redirect URI, if registered. Exact and case-sensitive, except that the port of
    /// `http://localhost` and `http://127.0.0.1` is ignored (Entra documentation, "Redirect URI restrictions").
    /// `[::1]` is not supported, registered or not.
    pub(crate) fn platform(&self, uri: &str) -> Option<Platform> {
        if Url::parse(uri).is_ok_and(|u| u.host_str() == Some("[::1]")) {
            return None;
        }
        let among = |registered: &[String]| registered.iter().any(|r| r == uri || same_but_port(r, uri));
        match () {
            () if among(&self.web) => Some(Platform::Web),
            () if among(&self.spa) => Some(Platform::Spa),
            () if among(&self.public_client) => Some(Platform::Public),
            () => None,
        }
    }
}

fn same_but_port(registered: &str, asked: &str) -> bool {
    let (Ok(mut registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    let loopback = |u: &Url| u.scheme() == "http" && matches!(u.host_str(), Some("localhost" | "127.0.0.1"));
    if !loopback(&registered) || !loopback(&asked) {
        return false;
    }
    registered.set_port(None).is_ok() && asked.set_port(None).is_ok() && registered == asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_loopback_port_is_ignored() {
        let uris = RedirectUris {
            web: vec!["https://localhost:8443/cb".into()],
            spa: vec![],
            public_client: vec!["http://localhost".into(), "http://[::1]:5000/cb".into()],
        };
        let check = |uri: &str| uris.platform(uri);
        assert_eq!(check("http://localhost:49152"), Some(Platform::Public));
        assert_eq!(check("http://localhost:49152/"), Some(Platform::Public));
        assert_eq!(check("http://localhost:49152/other"), None);
        assert_eq!(check("http://127.0.0.1:49152"), None);
        assert_eq!(check("http://[::1]:5000/cb"), None, "not supported");
        assert_eq!(check("https://localhost:8443/cb"), Some(Platform::Web));
        assert_eq!(check("https://localhost:9999/cb"), None);
        assert_eq!(check("https://localhost:8443/CB"), None);
    }
}
