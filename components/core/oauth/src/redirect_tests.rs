//! Redirect URIs: what a client may have, and what is one of its own.

use super::*;

fn uri(text: &str) -> RedirectUri {
    RedirectUri::parse(text).unwrap()
}

#[track_caller]
fn refused(text: &str, expected: RedirectError) {
    assert_eq!(RedirectUri::parse(text), Err(expected.clone()), "{text}");
    if !matches!(expected, RedirectError::PrivateScheme { .. }) {
        assert_eq!(RedirectUri::parse_configured(text), Err(expected), "{text}");
    }
}

#[test]
fn dangerous_redirects_are_refused() {
    for scheme in ["javascript", "data", "vbscript", "file", "blob", "intent", "view-source"] {
        refused(&format!("{scheme}:alert(1)"), RedirectError::DangerousScheme { scheme: scheme.into() });
    }
    refused("http://app.example/cb", RedirectError::NotSecure { host: "app.example".into() });
    refused("http://localhost.evil/cb", RedirectError::NotSecure { host: "localhost.evil".into() });
    for (text, error) in [
        ("https://app.example/cb#f", UriError::Fragment),
        ("https://user@app.example/cb", UriError::Userinfo),
        ("https://*.app.example/cb", UriError::Wildcard),
        ("https://app.example/../cb", UriError::DotSegment),
        ("https:cb", UriError::Host),
        ("https:///cb", UriError::Host),
        ("/cb", UriError::Scheme),
        ("//evil/cb", UriError::Scheme),
        ("/\\evil", UriError::Character),
        ("Javascript:alert(1)", UriError::Scheme),
    ] {
        refused(text, RedirectError::Uri(error));
    }
    let length = limits::REDIRECT_URI + 1;
    refused(&format!("https://h/{}", "x".repeat(length - 10)), RedirectError::TooLong { length });
}

#[test]
fn a_private_scheme_is_for_configured_clients() {
    for (text, scheme) in [("cursor://anysphere/cb", "cursor"), ("com.example.app:/cb", "com.example.app")] {
        refused(text, RedirectError::PrivateScheme { scheme: scheme.into() });
        assert_eq!(RedirectUri::parse_configured(text).unwrap().kind(), Kind::PrivateScheme);
    }
}

#[test]
fn a_request_names_the_same_uri_or_another_loopback_port() {
    let admits = |own: &str, asked: &str| uri(own).admits(&uri(asked));
    assert!(admits("https://app.example/cb", "https://app.example/cb"));
    for other in [
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example:8443/cb",
        "https://app.example/cb?a=b",
        "https://app.example",
        "http://localhost/cb",
    ] {
        assert!(!admits("https://app.example/cb", other), "{other}");
    }
    assert!(admits("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"));
    assert!(admits("http://localhost:3000/cb?a=b", "http://localhost:1/cb?a=b"));
    assert!(admits("http://[::1]:1/cb", "http://[::1]/cb"));
    for other in [
        "http://localhost:49152/cb",
        "http://[::1]/cb",
        "http://127.0.0.1:49152/cb2",
        "http://127.0.0.1/cb?x",
        "https://127.0.0.1/cb",
    ] {
        assert!(!admits("http://127.0.0.1/cb", other), "{other}");
    }
    assert!(!admits("https://127.0.0.1/cb", "https://127.0.0.1:1/cb"), "only http has a free port");
}

#[test]
fn parameters_are_added_to_what_is_there() {
    let with = |text: &str| uri(text).with(&[("state", "a b&c=d"), ("iss", "https://v")]);
    let added = "state=a+b%26c%3Dd&iss=https%3A%2F%2Fv";
    assert_eq!(with("https://h/cb"), format!("https://h/cb?{added}"));
    assert_eq!(with("https://h/cb?"), format!("https://h/cb?{added}"));
    assert_eq!(with("https://h?x=1"), format!("https://h?x=1&{added}"));
    assert_eq!(with("https://h/cb?x=1&"), format!("https://h/cb?x=1&{added}"));
}

#[test]
fn a_permission_is_for_an_origin() {
    assert_eq!(uri("https://app.example:8443/cb").audience(), "https://app.example:8443");
    assert_eq!(uri("http://127.0.0.1:5000/cb").audience(), "http://127.0.0.1");
    assert_eq!(uri("http://127.0.0.1:5000/cb").origin(), "http://127.0.0.1:5000");
}

/// One character more, less or other is another URI, but for digits of a loopback port.
#[test]
fn nothing_near_a_uri_is_that_uri() {
    for own in ["https://app.example/cb?x=1", "http://127.0.0.1:5000/cb", "com.example.app:/cb"] {
        let registered = RedirectUri::parse_configured(own).unwrap();
        for at in 0..=own.len() {
            for byte in b"/.:@?#%&a0A*\\ \t" {
                let insert = format!("{}{}{}", &own[..at], char::from(*byte), &own[at..]);
                let replace =
                    format!("{}{}{}", &own[..at], char::from(*byte), own.get(at + 1..).unwrap_or_default());
                for near in [insert, replace] {
                    let Ok(asked) = RedirectUri::parse_configured(&near) else { continue };
                    let port = asked.origin().rsplit_once(':').map_or("", |(_, port)| port);
                    let same_but_port =
                        near == format!("http://127.0.0.1:{port}/cb") && own.starts_with("http:");
                    let expected = near == own || same_but_port;
                    assert_eq!(registered.admits(&asked), expected, "{own} {near}");
                }
            }
        }
    }
}

#[test]
fn only_what_no_other_program_can_claim_is_remembered() {
    assert!(uri("https://app.example/cb").may_be_remembered());
    assert!(!uri("http://127.0.0.1/cb").may_be_remembered());
}
