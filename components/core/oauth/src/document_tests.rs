//! Documents of clients: at which URLs, and with what in them.

use super::*;

const URL: &str = "https://client.example/oauth.json";

fn url() -> DocumentUrl {
    DocumentUrl::parse(URL).unwrap()
}

/// A document with nothing wrong in it, and `more` members.
fn document(more: &str) -> String {
    format!(
        r#"{{"client_id":"{URL}","client_name":"Client","redirect_uris":["https://client.example/cb"]{more}}}"#
    )
}

#[track_caller]
fn refused(body: &str, expected: DocumentError) {
    assert_eq!(read(&url(), body.as_bytes()), Err(expected), "{body}");
}

#[test]
fn a_url_of_a_document_has_one_reading() {
    for text in [URL, "https://a.b.example/x/y.json", "https://xn--bcher-kva.example/x"] {
        assert_eq!(DocumentUrl::parse(text).unwrap().as_str(), text);
    }
    for (text, expected) in [
        ("http://client.example/x", DocumentUrlError::Scheme),
        ("https://client.example", DocumentUrlError::Path),
        ("https://client.example/", DocumentUrlError::Path),
        ("https://client.example/x?y", DocumentUrlError::Query),
        ("https://client.example:8443/x", DocumentUrlError::Port),
        ("https://client.example:443/x", DocumentUrlError::Port),
        ("https://client.example/x#y", DocumentUrlError::Uri(UriError::Fragment)),
        ("https://u:p@client.example/x", DocumentUrlError::Uri(UriError::Userinfo)),
        ("https://client.example/a/../x", DocumentUrlError::Uri(UriError::DotSegment)),
        ("https://client.example/%2E%2e/x", DocumentUrlError::Uri(UriError::DotSegment)),
        ("https://Client.example/x", DocumentUrlError::Uri(UriError::Host)),
        ("https://client.example./x", DocumentUrlError::Uri(UriError::Host)),
        ("https://graph.microsoft.com.\u{e9}vil/x", DocumentUrlError::Uri(UriError::Character)),
        ("javascript://client.example/x", DocumentUrlError::Scheme),
    ] {
        assert_eq!(DocumentUrl::parse(text), Err(expected), "{text}");
    }
}

/// E-1 to E-4, as far as the text of a URL shows it: no address in any form, no name that is local by its form.
#[test]
fn a_url_of_an_address_is_refused() {
    for host in [
        "169.254.169.254",
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "8.8.8.8",
        "[::1]",
        "[fd00::1]",
        "[fe80::1]",
        "[64:ff9b::a9fe:a9fe]",
        "localhost",
        "metadata",
    ] {
        assert_eq!(DocumentUrl::parse(&format!("https://{host}/x")), Err(DocumentUrlError::Host), "{host}");
    }
    for host in [
        "2852039166",
        "0xA9FEA9FE",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:a9fe:a9fe]",
        "localhost.",
        "127.0.0.1.",
        "a.1",
    ] {
        let expected = Err(DocumentUrlError::Uri(UriError::Host));
        assert_eq!(DocumentUrl::parse(&format!("https://{host}/x")), expected, "{host}");
    }
}

#[test]
fn a_document_makes_a_public_client() {
    let more = r#","token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],
        "response_types":["code"],"logo_uri":"https://client.example/logo","x":{"y":[]}"#;
    let client = read(&url(), document(more).as_bytes()).unwrap();
    assert_eq!(
        (client.id.as_str(), client.name.as_deref(), client.origin),
        (URL, Some("Client"), Origin::Document)
    );
    assert_eq!((client.redirect_uris.len(), client.secret), (1, None));
    assert!(read(&url(), document("").as_bytes()).is_ok());
    assert_eq!(url().public_client().authenticate(None), Ok(()));
}

/// O-14.
#[test]
fn a_document_about_another_client_is_refused() {
    for id in [
        "https://client.example/oauth.json2",
        "https://client.example/OAuth.json",
        "https://evil.example/oauth.json",
        "",
    ] {
        let body = document("").replace(URL, id);
        refused(&body, DocumentError::ClientId { found: id.into() });
    }
}

#[test]
fn a_document_that_is_none_is_refused() {
    for body in [
        "",
        "[]",
        "null",
        "<html>",
        r#"{"client_id":1,"redirect_uris":[]}"#,
        r#"{"redirect_uris":["https://client.example/cb"]}"#,
        &format!(r#"{{"client_id":"{URL}"}}"#),
        &format!("{}{}", document(""), document("")),
        &document(r#","client_id":"x""#),
        &document(r#","redirect_uris":["https://evil.example/"]"#),
    ] {
        refused(body, DocumentError::Json);
    }
    let length = limits::DOCUMENT + 1;
    refused(&" ".repeat(length), DocumentError::TooLong { length });
    let padded = format!("{}{}", document(""), " ".repeat(limits::DOCUMENT - document("").len()));
    assert!(read(&url(), padded.as_bytes()).is_ok());
}

#[test]
fn a_document_has_no_secret_and_no_other_method() {
    refused(&document(r#","client_secret":"x""#), DocumentError::Secret);
    refused(&document(r#","client_secret_expires_at":0"#), DocumentError::Secret);
    for method in ["client_secret_basic", "private_key_jwt", ""] {
        let body = document(&format!(r#","token_endpoint_auth_method":"{method}""#));
        refused(&body, DocumentError::AuthMethod(method.into()));
    }
    let list = |methods: &str| {
        document(&format!(
            r#","token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":{methods}"#
        ))
    };
    refused(&list(r#"["private_key_jwt"]"#), DocumentError::AuthMethod("private_key_jwt".into()));
    let able = list(r#"["none","private_key_jwt"]"#);
    assert!(read(&url(), able.as_bytes()).is_ok(), "it can do without");
    refused(&document(r#","grant_types":["implicit"]"#), DocumentError::Grants);
    refused(&document(r#","response_types":["token"]"#), DocumentError::Grants);
}

/// O-13.
#[test]
fn a_document_lists_redirects_that_it_may_have() {
    let with = |uris: &str| document("").replace(r#"["https://client.example/cb"]"#, uris);
    refused(&with("[]"), DocumentError::RedirectUris(0));
    // An editor's own scheme is left out, so that the rest works.
    let client = read(&url(), with(r#"["vscode://x/cb","http://127.0.0.1/cb"]"#).as_bytes()).unwrap();
    assert_eq!(
        client.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        ["http://127.0.0.1/cb"]
    );
    refused(&with(r#"["vscode://x/cb"]"#), DocumentError::RedirectUris(0));
    let scheme = "javascript".to_owned();
    let dangerous = with(r#"["https://client.example/cb","javascript:alert(1)"]"#);
    refused(&dangerous, DocumentError::Redirect(RedirectError::DangerousScheme { scheme }));
    for (uri, error) in [
        ("https://client.example/cb#x", UriError::Fragment),
        ("https://u@client.example/cb", UriError::Userinfo),
        ("https://*.client.example/cb", UriError::Wildcard),
        ("https://client.example/../cb", UriError::DotSegment),
    ] {
        refused(&with(&format!(r#"["{uri}"]"#)), DocumentError::Redirect(RedirectError::Uri(error)));
    }
    let host = "client.example".to_owned();
    refused(
        &with(r#"["http://client.example/cb"]"#),
        DocumentError::Redirect(RedirectError::NotSecure { host }),
    );
    let many: Vec<String> =
        (0..=limits::REDIRECT_URIS).map(|at| format!("\"https://client.example/{at}\"")).collect();
    refused(&with(&format!("[{}]", many.join(","))), DocumentError::RedirectUris(limits::REDIRECT_URIS + 1));
}

#[test]
fn an_answer_is_json_with_status_200() {
    for media_type in ["application/json", "Application/JSON; charset=utf-8", "application/cimd+json"] {
        assert_eq!(check_answer(200, Some(media_type)), Ok(()), "{media_type}");
    }
    // E-9: a redirection is an answer like any other that is none.
    for status in [201, 204, 301, 302, 307, 404, 500] {
        assert_eq!(check_answer(status, Some("application/json")), Err(DocumentError::Status(status)));
    }
    for media_type in ["text/html", "text/json", "application/jsonx", ""] {
        assert_eq!(check_answer(200, Some(media_type)), Err(DocumentError::MediaType(media_type.into())));
    }
    assert_eq!(check_answer(200, None), Err(DocumentError::MediaType(String::new())));
}

#[test]
fn a_document_is_kept_between_five_minutes_and_a_day() {
    for (field, expected) in [
        (None, 300),
        (Some(""), 300),
        (Some("no-store"), 300),
        (Some("max-age=0"), 300),
        (Some("public, max-age=3600"), 3600),
        (Some("Max-Age=\"7200\", must-revalidate"), 7200),
        (Some("max-age=999999999"), 86_400),
        (Some("max-age=99999999999999999999999"), 300),
        (Some("max-age=-1"), 300),
        (Some("max-age=3600, no-store"), 300),
    ] {
        assert_eq!(lifetime(field), expected, "{field:?}");
    }
}

#[test]
fn records_are_named_by_the_url() {
    let other = DocumentUrl::parse("https://client.example/oauth.json2").unwrap();
    assert_eq!(url().record_name(), url().record_name());
    assert_ne!(url().record_name(), other.record_name());
    assert_eq!(url().record_name().len(), "document/".len() + 43);
}
