//! Who a client is, and where it may be answered.

use super::*;
use crate::redirect::Kind;
use crate::testing::{client, secret, settings, settings_with};
use crate::uri::UriError;

#[track_caller]
fn unknown(client_id: Option<&str>, settings: &Settings, expected: ClientError) {
    assert_eq!(look_up(client_id, settings), Err(expected), "{client_id:?}");
}

#[test]
fn an_id_says_where_a_client_is_known_from() {
    let settings = settings();
    let found = |id| look_up(Some(id), &settings).unwrap();
    assert!(
        matches!(found("web"), Lookup::Known(client) if client.id == "web" && client.origin == Origin::Configured)
    );
    let url = "https://client.example/oauth.json";
    assert_eq!(found(url), Lookup::Document(DocumentUrl::parse(url).unwrap()));
    let id = "registered-AAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(found(id), Lookup::Registered { record: format!("client/{id}"), client_id: id.into() });
}

#[test]
fn an_id_that_nobody_can_have_is_refused() {
    let settings = settings();
    unknown(None, &settings, ClientError::Missing);
    for id in ["a b", "\u{e9}", "a\n", &"x".repeat(limits::CLIENT_ID + 1)] {
        unknown(Some(id), &settings, ClientError::Malformed);
    }
    for id in [
        "other",
        "WEB",
        "web2",
        "registered-",
        "registered-AAAAAAAAAAAAAAAAAAAAA",
        "registered-AAAAAAAAAAAAAAAAAAAA/.",
    ] {
        unknown(Some(id), &settings, ClientError::Unknown { client_id: id.into() });
    }
    let url = "http://client.example/oauth.json";
    unknown(Some(url), &settings, ClientError::DocumentUrl(DocumentUrlError::Scheme));
}

#[test]
fn what_is_off_is_off() {
    let off = settings_with(&[("oauth_client_document_hosts", ""), ("oauth_registration_redirects", "")]);
    unknown(Some("https://client.example/oauth.json"), &off, ClientError::DocumentsOff);
    let id = "registered-AAAAAAAAAAAAAAAAAAAAAA";
    unknown(Some(id), &off, ClientError::Unknown { client_id: id.into() });
    let listed = settings_with(&[("oauth_client_document_hosts", "client.example other.example")]);
    assert!(look_up(Some("https://client.example/oauth.json"), &listed).is_ok());
    for host in ["evil.example", "client.example.evil.example", "sub.client.example"] {
        let expected = ClientError::DocumentHost { host: host.into() };
        unknown(Some(&format!("https://{host}/oauth.json")), &listed, expected);
    }
}

/// O-26, C7: exactly what is registered, and of loopback URIs any port.
#[test]
fn a_request_is_answered_where_the_client_said() {
    assert_eq!(
        client("web").redirect(Some("https://app.example/cb")).unwrap().as_str(),
        "https://app.example/cb"
    );
    assert_eq!(
        client("cli").redirect(Some("http://127.0.0.1:49152/cb")).unwrap().as_str(),
        "http://127.0.0.1:49152/cb"
    );
    assert_eq!(client("cli").redirect(Some("com.example.app:/cb")).unwrap().kind(), Kind::PrivateScheme);
    assert_eq!(client("web").redirect(None), Err(ClientError::RedirectMissing));
    for asked in [
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example.evil/cb",
        "https://s.example/cb",
        "http://127.0.0.1/cb",
        "com.example.app:/cb",
    ] {
        let known = vec!["https://app.example/cb".to_owned()];
        let expected = ClientError::RedirectUnknown { asked: asked.into(), known };
        assert_eq!(client("web").redirect(Some(asked)), Err(expected));
    }
    for (asked, error) in [
        ("https://app.example/cb#", UriError::Fragment),
        ("//evil", UriError::Scheme),
        ("/\\evil", UriError::Character),
        ("https:evil", UriError::Host),
        ("https://app.example/cb/%2e%2e/x", UriError::DotSegment),
    ] {
        let expected = ClientError::Redirect(RedirectError::Uri(error));
        assert_eq!(client("web").redirect(Some(asked)), Err(expected), "{asked}");
    }
}

#[test]
fn a_secret_is_checked_in_both_directions() {
    let check = |id, given: Option<&str>| client(id).authenticate(given.map(secret).as_ref());
    assert_eq!(check("web", None), Ok(()));
    assert_eq!(check("secret", Some("s3cret")), Ok(()));
    assert_eq!(check("web", Some("s3cret")), Err(ClientError::SecretUnexpected));
    assert_eq!(check("secret", None), Err(ClientError::SecretMissing));
    for wrong in ["", "S3cret", "s3cret ", "1ec1c26b50d5d3c58d9583181af8076655fe00756bf7285940ba3670f99fcba0"]
    {
        assert_eq!(check("secret", Some(wrong)), Err(ClientError::SecretWrong), "{wrong}");
    }
    assert_eq!(format!("{:?}", client("secret").secret), "Some(SecretDigest)");
}

#[test]
fn a_digest_is_64_digits() {
    let digits = "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdef0123";
    assert!(SecretDigest::parse(digits).is_some());
    for text in
        ["", &digits[1..], &format!("{digits}0"), &digits.replace('a', "g"), &digits.replace('a', "\u{e9}")]
    {
        assert_eq!(SecretDigest::parse(text), None, "{text}");
    }
}

/// O-15.
#[test]
fn a_name_is_one_line_that_turns_nothing_around() {
    let check =
        |claimed: &str, expected: Option<&str>| assert_eq!(display_name(claimed).as_deref(), expected);
    check("Example App", Some("Example App"));
    check("  two\n\n lines\t", Some("two lines"));
    check("a\u{202e}b\u{200b}c\u{feff}d\u{0}e\u{2066}", Some("abcde"));
    check("\u{202e}\u{2066} \n", None);
    check("", None);
    check("名前", Some("名前"));
    check(&"x".repeat(10_000), Some(&"x".repeat(limits::CLIENT_NAME)));
    check("<b>bold</b>", Some("<b>bold</b>"));
}
