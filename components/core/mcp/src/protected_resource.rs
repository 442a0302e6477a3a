//! OAuth 2.0 protected resource metadata (RFC 9728): which authorization servers issue tokens for us. A client finds it
//! by the challenge or by a well-known path, before it has any token, so everything here is public.
//!
//! It does not know how the URLs are configured, and never takes one from a request.

use core::fmt;

use crate::json::{push_string, push_strings};

/// The well-known path (RFC 9728 section 3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The document's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The resource identifier: the public URL of the MCP endpoint, the same text as tokens are asked for with.
    pub resource: &'a str,
    /// Issuer identifiers of the authorization servers; at least one (MCP `basic/authorization`).
    pub authorization_servers: Vec<&'a str>,
    /// Scopes that a client may ask for. `offline_access` does not belong here (MCP `basic/authorization`) and is left
    /// out of the document.
    pub scopes_supported: Vec<&'a str>,
    /// A name for people.
    pub resource_name: Option<&'a str>,
    /// A page for developers.
    pub resource_documentation: Option<&'a str>,
}

/// Why a document cannot be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataError {
    /// No authorization server is given: a client would have nowhere to go.
    NoAuthorizationServer,
    /// Not an absolute `https` (or loopback `http`) URL without query and fragment (RFC 9728 section 1.2).
    InvalidResource(String),
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAuthorizationServer => f.write_str("the list of authorization servers is empty"),
            Self::InvalidResource(url) => {
                write!(f, "`{url}` is not an https URL without query and fragment")
            }
        }
    }
}

impl core::error::Error for MetadataError {}

impl Metadata<'_> {
    /// The document (RFC 9728 section 2), as JSON.
    ///
    /// # Errors
    ///
    /// [`MetadataError`], so that a start-up check can refuse the configuration.
    pub fn to_json(&self) -> Result<String, MetadataError> {
        if self.authorization_servers.is_empty() {
            return Err(MetadataError::NoAuthorizationServer);
        }
        split_resource(self.resource)?;
        let mut out = String::with_capacity(512);
        out.push_str(r#"{"resource":"#);
        push_string(&mut out, self.resource);
        out.push_str(r#","authorization_servers":"#);
        push_strings(&mut out, self.authorization_servers.iter().copied());
        out.push_str(r#","scopes_supported":"#);
        push_strings(
            &mut out,
            self.scopes_supported.iter().copied().filter(|scope| *scope != "offline_access"),
        );
        out.push_str(r#","bearer_methods_supported":["header"]"#);
        for (name, value) in
            [("resource_name", self.resource_name), ("resource_documentation", self.resource_documentation)]
        {
            if let Some(value) = value {
                out.push(',');
                push_string(&mut out, name);
                out.push(':');
                push_string(&mut out, value);
            }
        }
        out.push('}');
        Ok(out)
    }
}

/// Whether `path` (without query) is a place of the document: the well-known path alone, or followed by the path of the
/// MCP endpoint, for example `/mcp` (RFC 9728 section 3.1). Clients try both.
#[must_use]
pub fn is_well_known(path: &str, endpoint: &str) -> bool {
    match path.strip_prefix(WELL_KNOWN) {
        Some("") => true,
        Some(rest) => rest == endpoint,
        None => false,
    }
}

/// The URL of the document for a resource, with the well-known path between host and path (RFC 9728 section 3.1):
/// `https://h/mcp` gives `https://h/.well-known/oauth-protected-resource/mcp`.
///
/// # Errors
///
/// [`MetadataError::InvalidResource`].
pub fn metadata_url(resource: &str) -> Result<String, MetadataError> {
    let (origin, path) = split_resource(resource)?;
    // A lone slash is no path (RFC 9728 section 3.1).
    let path = if path == "/" { "" } else { path };
    Ok(format!("{origin}{WELL_KNOWN}{path}"))
}

/// Origin and path of a resource identifier.
fn split_resource(resource: &str) -> Result<(&str, &str), MetadataError> {
    let parts = || {
        let start = resource.find("://")? + 3;
        let end = resource.get(start..)?.find('/').map_or(resource.len(), |slash| start + slash);
        let (origin, path) = resource.split_at_checked(end)?;
        let parsed = crate::authority::Origin::parse(origin).ok()?;
        let secure = parsed.text.starts_with("https://") || parsed.loopback;
        let plain = path
            .bytes()
            .all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'?' | b'#' | b'"' | b'\\'));
        (secure && plain).then_some((origin, path))
    };
    parts().ok_or_else(|| MetadataError::InvalidResource(resource.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata<'static> {
        Metadata {
            resource: "https://mcp.example.com/mcp",
            authorization_servers: vec!["https://login.example.com/tid/v2.0"],
            scopes_supported: vec!["api://x/mcp.access", "offline_access"],
            resource_name: Some("Valet \"test\""),
            resource_documentation: None,
        }
    }

    #[test]
    fn the_document_has_what_clients_need() {
        let expected = concat!(
            r#"{"resource":"https://mcp.example.com/mcp","#,
            r#""authorization_servers":["https://login.example.com/tid/v2.0"],"#,
            r#""scopes_supported":["api://x/mcp.access"],"bearer_methods_supported":["header"],"#,
            r#""resource_name":"Valet \"test\""}"#
        );
        assert_eq!(metadata().to_json().unwrap(), expected);
    }

    #[test]
    fn a_document_that_leads_nowhere_is_refused() {
        let nobody = Metadata { authorization_servers: vec![], ..metadata() };
        assert_eq!(nobody.to_json(), Err(MetadataError::NoAuthorizationServer));
        for resource in [
            "",
            "mcp.example.com/mcp",
            "http://mcp.example.com/mcp",
            "https://mcp.example.com/mcp?x",
            "https://mcp.example.com/mcp#x",
            "https://u@mcp.example.com/mcp",
            "https:///mcp",
            "ftp://mcp.example.com",
            "https://mcp.example.com/a b",
            "https://é/",
        ] {
            let found = Metadata { resource, ..metadata() }.to_json();
            assert_eq!(found, Err(MetadataError::InvalidResource(resource.to_owned())));
        }
    }

    #[test]
    fn the_well_known_path_goes_between_host_and_path() {
        let check = |resource, expected: &str| assert_eq!(metadata_url(resource).unwrap(), expected);
        check("https://h/mcp", "https://h/.well-known/oauth-protected-resource/mcp");
        check("https://h", "https://h/.well-known/oauth-protected-resource");
        check("https://h/", "https://h/.well-known/oauth-protected-resource");
        check("http://localhost:3000/a/b", "http://localhost:3000/.well-known/oauth-protected-resource/a/b");
    }

    #[test]
    fn both_well_known_paths_are_recognised_and_no_other() {
        for (path, expected) in [
            (WELL_KNOWN, true),
            ("/.well-known/oauth-protected-resource/mcp", true),
            ("/.well-known/oauth-protected-resource/", false),
            ("/.well-known/oauth-protected-resource/other", false),
            ("/.well-known/oauth-protected-resource/mcp/", false),
            ("/.well-known/oauth-protected-resourcemcp", false),
            ("/mcp", false),
            ("", false),
        ] {
            assert_eq!(is_well_known(path, "/mcp"), expected, "{path}");
        }
    }
}
