//! Registrations, each wrong in one way.

use serde_json::{Value, json};

use super::*;
use crate::testing::{NOW, settings};
use crate::uri::UriError;

fn rules() -> Registration {
    settings().registration.unwrap()
}

fn body(uri: &str, more: &str) -> String {
    format!(r#"{{"redirect_uris":["{uri}"]{more}}}"#)
}

fn register(
    rules: Option<&Registration>,
    content_type: Option<&str>,
    body: &[u8],
    count: u64,
    id: &RandomId,
    now: u64,
) -> Result<Registered, RegistrationError> {
    check(rules, content_type, body)?.register(count, id, now)
}

fn attempt(body: &str) -> Result<Registered, RegistrationError> {
    register(Some(&rules()), Some("application/json"), body.as_bytes(), 0, &[0; 16], NOW)
}

#[track_caller]
fn refused(body: &str, expected: RegistrationError) {
    assert_eq!(attempt(body).map(|it| it.record), Err(expected), "{body}");
}

#[test]
fn a_registration_is_answered_with_what_was_registered() {
    let asked = body(
        "http://127.0.0.1:3000/cb",
        r#","client_name":"Cli\u202e","token_endpoint_auth_method":"client_secret_basic","application_type":"native",
           "grant_types":["authorization_code"],"scope":"x","client_secret":"mine""#,
    );
    let registered = attempt(&asked).unwrap();
    assert_eq!(registered.record, "client/registered-AAAAAAAAAAAAAAAAAAAAAA");
    let value = registered.value.clone();
    let response = registered.answer(1).unwrap();
    assert_eq!(response.status, 201);
    assert!(response.headers.contains(&("cache-control", "no-store".into())));
    assert_eq!(
        serde_json::from_str::<Value>(&response.body).unwrap(),
        json!({
            "client_id": "registered-AAAAAAAAAAAAAAAAAAAAAA",
            "client_id_issued_at": NOW,
            "client_name": "Cli",
            "redirect_uris": ["http://127.0.0.1:3000/cb"],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"]
        })
    );
    let id = "registered-AAAAAAAAAAAAAAAAAAAAAA";
    let client = client(id, &value, &rules()).unwrap();
    assert_eq!(
        (client.id.as_str(), client.name.as_deref(), client.origin),
        (id, Some("Cli"), Origin::Registered)
    );
    assert!(client.redirect(Some("http://127.0.0.1:9/cb")).is_ok());
    assert!(client.redirect(Some("http://127.0.0.1:9/other")).is_err());
}

/// P9, O-13.
#[test]
fn only_listed_redirects_are_registered() {
    for uri in ["https://listed.example/cb", "http://localhost/any", "http://[::1]:1/x"] {
        assert!(attempt(&body(uri, "")).is_ok(), "{uri}");
    }
    for uri in ["https://evil.example/cb", "https://listed.example/cb2", "https://listed.example.evil/cb"] {
        refused(&body(uri, ""), RegistrationError::NotListed { uri: uri.into() });
    }
    let error = |error| RegistrationError::Redirect(error);
    refused(
        &body("javascript:alert(1)", ""),
        error(RedirectError::DangerousScheme { scheme: "javascript".into() }),
    );
    refused(&body("cursor://x/cb", ""), error(RedirectError::PrivateScheme { scheme: "cursor".into() }));
    refused(
        &body("http://evil.example/", ""),
        error(RedirectError::NotSecure { host: "evil.example".into() }),
    );
    refused(&body("https://listed.example/cb#", ""), error(RedirectError::Uri(UriError::Fragment)));
    refused(r#"{"redirect_uris":[]}"#, RegistrationError::RedirectUris(0));
    refused("{}", RegistrationError::RedirectUris(0));
    let both = r#"{"redirect_uris":["http://127.0.0.1/cb","https://evil.example/cb"]}"#;
    refused(both, RegistrationError::NotListed { uri: "https://evil.example/cb".into() });
    let strict = Registration { loopback: false, ..rules() };
    let found = register(
        Some(&strict),
        Some("application/json"),
        body("http://127.0.0.1/", "").as_bytes(),
        0,
        &[0; 16],
        NOW,
    );
    assert_eq!(
        found.map(|it| it.record),
        Err(RegistrationError::NotListed { uri: "http://127.0.0.1/".into() })
    );
}

/// O-16.
#[test]
fn a_kind_of_application_fits_its_redirects() {
    let uri = "http://127.0.0.1/cb";
    refused(
        &body(uri, r#","application_type":"web""#),
        RegistrationError::ApplicationType { uri: uri.into() },
    );
    assert!(attempt(&body(uri, r#","application_type":"native""#)).is_ok());
    assert!(attempt(&body("https://listed.example/cb", r#","application_type":"web""#)).is_ok());
    assert!(attempt(&body("https://listed.example/cb", r#","application_type":"native""#)).is_ok());
}

/// O-17, C21.
#[test]
fn there_is_an_end_to_registrations() {
    let at = |count| {
        let body = body("http://127.0.0.1/cb", "");
        register(Some(&rules()), Some("application/json"), body.as_bytes(), count, &[0; 16], NOW)
            .map(|it| it.record)
    };
    assert!(at(999).is_ok());
    assert_eq!(at(1000), Err(RegistrationError::Full { most: 1000 }));
    assert_eq!(at(u64::MAX), Err(RegistrationError::Full { most: 1000 }));
}

/// Those who come at once, and were all told that there is room.
#[test]
fn who_finds_itself_one_too_many_is_not_registered() {
    let with = |count| attempt(&body("http://127.0.0.1/cb", "")).unwrap().answer(count);
    assert_eq!(with(1000).map(|response| response.status), Ok(201));
    for count in [1001, u64::MAX] {
        assert_eq!(with(count).map(|response| response.status), Err(RegistrationError::Full { most: 1000 }));
    }
    let rules = rules();
    let good = body("http://127.0.0.1/cb", "");
    let candidate = check(Some(&rules), Some("application/json"), good.as_bytes()).unwrap();
    assert_eq!(candidate.count_to(), 1001, "one too many has to be seen");
}

#[test]
fn what_is_no_registration_is_refused() {
    for text in
        ["", "[]", "null", r#"{"redirect_uris":"x"}"#, r#"{"redirect_uris":[],"redirect_uris":[]}"#, "{}{}"]
    {
        refused(text, RegistrationError::Json);
    }
    let long = format!("{}{}", body("http://127.0.0.1/cb", ""), " ".repeat(limits::REGISTRATION));
    refused(&long, RegistrationError::Json);
    refused(
        &body("http://127.0.0.1/cb", r#","grant_types":["client_credentials"]"#),
        RegistrationError::Grants,
    );
    refused(&body("http://127.0.0.1/cb", r#","response_types":["token"]"#), RegistrationError::Grants);
    let good = body("http://127.0.0.1/cb", "");
    let off = register(None, Some("application/json"), good.as_bytes(), 0, &[0; 16], NOW);
    assert_eq!(off.map(|it| it.record), Err(RegistrationError::Off));
    for media_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let found = register(Some(&rules()), media_type, good.as_bytes(), 0, &[0; 16], NOW);
        let expected = RegistrationError::MediaType(media_type.unwrap_or_default().into());
        assert_eq!(found.map(|it| it.record), Err(expected));
    }
}

#[test]
fn refusals_are_answered_by_their_kind() {
    for (error, status, code) in [
        (RegistrationError::Off, 404, "invalid_request"),
        (RegistrationError::Full { most: 1 }, 503, "temporarily_unavailable"),
        (RegistrationError::Json, 400, "invalid_client_metadata"),
        (RegistrationError::NotListed { uri: "https://evil.example/".into() }, 400, "invalid_redirect_uri"),
    ] {
        let response = error.response();
        assert_eq!(response.status, status);
        assert!(response.body.starts_with(&format!("{{\"error\":\"{code}\",")), "{}", response.body);
        assert!(!response.body.contains("evil"));
    }
}

#[test]
fn a_record_that_is_none_is_no_client() {
    for record in ["", "{}", "null", r#"{"r":["x"]}"#] {
        assert_eq!(
            client("registered-AAAAAAAAAAAAAAAAAAAAAA", record.as_bytes(), &rules()),
            None,
            "{record}"
        );
    }
}

#[test]
fn a_redirect_that_is_listed_no_more_is_gone() {
    let record =
        attempt(r#"{"redirect_uris":["http://127.0.0.1/cb","https://listed.example/cb"]}"#).unwrap().value;
    let uris = |rules: &Registration| {
        client("registered-AAAAAAAAAAAAAAAAAAAAAA", &record, rules).map(|client| client.redirect_uris.len())
    };
    assert_eq!(uris(&rules()), Some(2));
    assert_eq!(uris(&Registration { loopback: false, ..rules() }), Some(1));
    assert_eq!(uris(&Registration { redirect_uris: vec![], loopback: false, most: 1 }), None);
}
