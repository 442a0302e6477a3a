//! Settings, each wrong in one way.

use super::*;
use crate::testing::{lookup, settings, settings_with};

#[track_caller]
fn refused(changes: &[(&str, &str)], expected: &str) {
    assert_eq!(Settings::read(lookup(changes)).map_err(|error| error.to_string()).unwrap_err(), expected);
}

#[test]
fn settings_have_defaults_where_they_let_nobody_in() {
    let settings = settings();
    assert_eq!(settings.issuer, "https://valet.example");
    assert_eq!(settings.url("/oauth/token"), "https://valet.example/oauth/token");
    assert_eq!(
        (settings.access_token_lifetime, settings.refresh_token_lifetime, settings.consent_lifetime),
        (600, 2_592_000, 7_776_000)
    );
    assert_eq!(settings.document_hosts, Some(Hosts::Any));
    let registration = settings.registration.unwrap();
    assert_eq!((registration.loopback, registration.most, registration.redirect_uris.len()), (true, 1000, 1));
    let changed = settings_with(&[
        ("oauth_access_token_lifetime", "60"),
        ("oauth_refresh_token_lifetime", "3600"),
        ("oauth_consent_lifetime", "0"),
        ("oauth_registrations", "1"),
        ("resource", "https://valet.example:8443/mcp"),
    ]);
    assert_eq!(
        (changed.access_token_lifetime, changed.refresh_token_lifetime, changed.consent_lifetime),
        (60, 3600, 0)
    );
    assert_eq!(changed.issuer, "https://valet.example:8443");
}

#[test]
fn what_is_required_is_named() {
    for setting in ["resource", "oauth_scopes"] {
        refused(&[(setting, " ")], &format!("setting `{setting}` is missing"));
    }
    let nobody =
        [("oauth_clients", ""), ("oauth_client_document_hosts", ""), ("oauth_registration_redirects", "")];
    assert_eq!(Settings::read(lookup(&nobody)), Err(SettingsError::NoClients));
    // An empty list of clients is nobody too.
    let nobody =
        [("oauth_clients", "[]"), ("oauth_client_document_hosts", ""), ("oauth_registration_redirects", "")];
    assert_eq!(Settings::read(lookup(&nobody)), Err(SettingsError::NoClients));
}

#[test]
fn a_public_url_is_https_and_written_one_way() {
    let expected = "setting `resource`: not an https URL without query and fragment, in lower case";
    for url in [
        "http://valet.example/mcp",
        "http://localhost:3000/mcp",
        "https:///mcp",
        "https://Valet.example/mcp",
        "https://valet.example/mcp?x",
        "https://valet.example/mcp#x",
        "https://u@valet.example/mcp",
        "valet.example",
        "https://valet.example/a b",
    ] {
        refused(&[("resource", url)], expected);
    }
    refused(&[("resource", "https://valet.example:443/mcp")], "setting `resource`: leave out the port 443");
}

#[test]
fn lists_are_checked_entry_by_entry() {
    let scope = |text, scope| {
        let expected = format!("setting `oauth_scopes`: `{scope}` is not a scope that can be offered");
        refused(&[("oauth_scopes", text)], &expected);
    };
    scope("mcp.access \"x", "\"x");
    scope("mcp.access offline_access", "offline_access");
    refused(&[("oauth_scopes", "a b a")], "setting `oauth_scopes`: `a` is there twice");
    let many: String = (0..=limits::SCOPES).map(|at| format!("s{at} ")).collect();
    refused(&[("oauth_scopes", &many)], "setting `oauth_scopes`: more than 32 scopes");
    for host in ["*.example", "https://a.example", "10.0.0.1", "a.example:443", "A.example", "* a.example"] {
        let first = host.split(' ').next().unwrap();
        let expected =
            format!("setting `oauth_client_document_hosts`: `{first}` is neither a host name nor `*` alone");
        refused(&[("oauth_client_document_hosts", host)], &expected);
    }
    refused(
        &[("oauth_registration_redirects", "loopback http://app.example/cb")],
        "setting `oauth_registration_redirects`: `http://app.example/cb`: a redirect URI is http at `app.example`, which \
         is not loopback",
    );
}

#[test]
fn numbers_stay_within_their_ranges() {
    for (setting, range, values) in [
        ("oauth_access_token_lifetime", "60 to 3600", ["59", "3601"]),
        ("oauth_refresh_token_lifetime", "3600 to 7776000", ["3599", "7776001"]),
        ("oauth_consent_lifetime", "0 to 31622400", ["-1", "31622401"]),
        ("oauth_registrations", "1 to 10000", ["0", "10001"]),
    ] {
        for value in values.into_iter().chain(["10m", "1e3", "+-1"]) {
            let expected = format!("setting `{setting}`: `{value}` is not a number from {range}");
            refused(&[(setting, value)], &expected);
        }
    }
}

#[test]
fn an_entry_about_a_client_is_complete_or_refused() {
    let client = |json: &str, expected: &str| {
        refused(&[("oauth_clients", json)], &format!("setting `oauth_clients`: {expected}"));
    };
    client(r#"[{"client_id":"a b","redirect_uris":["https://a/"]}]"#, "`a b` is not a client id");
    client(r#"[{"client_id":"","redirect_uris":["https://a/"]}]"#, "`` is not a client id");
    client(r#"[{"client_id":"a","redirect_uris":[]}]"#, "client `a` needs 1 to 16 `redirect_uris`");
    client(
        r#"[{"client_id":"a","redirect_uris":["javascript:alert(1)"]}]"#,
        "client `a`, `javascript:alert(1)`: a redirect URI has the scheme `javascript`",
    );
    client(
        r#"[{"client_id":"a","redirect_uris":["https://a/"],"client_secret_sha256":"abc"}]"#,
        "`client_secret_sha256` of client `a` is not 64 hexadecimal digits",
    );
    let twice = r#"[{"client_id":"a","redirect_uris":["https://a/"]},{"client_id":"a","redirect_uris":["https://b/"]}]"#;
    client(twice, "client `a` is there twice");
    // A misspelled member, and a secret where its digest belongs.
    for member in ["redirect_uri", "client_secret"] {
        let json = format!(r#"[{{"client_id":"a","redirect_uris":["https://a/"],"{member}":"x"}}]"#);
        let error = Settings::read(lookup(&[("oauth_clients", &json)])).unwrap_err().to_string();
        assert!(error.starts_with(&format!("setting `oauth_clients`: unknown field `{member}`")), "{error}");
    }
}
