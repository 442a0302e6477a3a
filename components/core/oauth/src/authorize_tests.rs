//! Authorization requests: one that is good, and each with one thing wrong.

use super::*;
use crate::client::{ClientError, Lookup, look_up};
use crate::pkce::ChallengeError;
use crate::redirect::RedirectError;
use crate::scope::ScopeError;
use crate::testing::{QUERY, client, settings, settings_with};
use crate::uri::UriError;

/// [`QUERY`] with a parameter changed, or left out.
fn query(name: &str, value: Option<&str>) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (known, old) in form_urlencoded::parse(QUERY.as_bytes()).filter(|(known, _)| known != name) {
        out.append_pair(&known, &old);
    }
    if let Some(value) = value {
        out.append_pair(name, value);
    }
    out.finish()
}

fn read(query: &str) -> Result<Request, Refusal> {
    let form = Form::parse(query.as_bytes()).unwrap();
    let Ok(Lookup::Known(client)) = look_up(form.get("client_id"), &settings()) else { panic!("{query}") };
    Request::read(&form, &client, &settings())
}

/// Refused at the client's redirect URI, with the issuer and the client's state.
#[track_caller]
fn redirected(name: &str, value: Option<&str>, expected: AuthorizeError) {
    let Err(Refusal::Redirect { error, location }) = read(&query(name, value)) else {
        panic!("{name}={value:?}")
    };
    assert_eq!(error, expected);
    let (uri, query) = location.split_once('?').unwrap();
    assert_eq!(uri, "https://app.example/cb");
    let form = Form::parse(query.as_bytes()).unwrap();
    let state = if name == "state" { value } else { Some("s-1") };
    assert_eq!(
        (form.get("error"), form.get("state"), form.get("iss"), form.get("code")),
        (Some(error.code().as_str()), state, Some("https://valet.example"), None)
    );
}

/// Refused on a page, whatever else is wrong.
#[track_caller]
fn shown_on_a_page(name: &str, value: Option<&str>, expected: ClientError) {
    for query in [query(name, value), format!("{}&prompt=none", query(name, value).replace("S256", "plain"))]
    {
        assert_eq!(read(&query), Err(Refusal::Page(AuthorizeError::Client(expected.clone()))), "{query}");
    }
}

#[test]
fn a_good_request_is_taken() {
    let request = read(QUERY).unwrap();
    assert_eq!((request.client_id.as_str(), request.redirect.as_str()), ("web", "https://app.example/cb"));
    assert_eq!(
        (request.scopes, request.state.as_deref(), request.ask_again),
        (vec!["mcp.access".into()], Some("s-1"), false)
    );
    // What is optional: the scope, the state, the resource of older clients.
    assert_eq!(read(&query("scope", None)).unwrap().scopes, ["mcp.access", "mcp.write"]);
    assert_eq!(read(&query("state", None)).unwrap().state, None);
    assert!(read(&query("resource", None)).is_ok());
    assert!(read(&query("response_mode", Some("query"))).is_ok());
    assert!(read(&query("unknown", Some("x"))).is_ok());
    assert!(read(&query("prompt", Some("login consent"))).unwrap().ask_again);
}

/// C7, O-25, O-26.
#[test]
fn what_is_wrong_with_the_redirect_is_sent_nowhere() {
    shown_on_a_page("redirect_uri", None, ClientError::RedirectMissing);
    for asked in [
        "https://evil.example/cb",
        "https://app.example/cb?x",
        "http://localhost/cb",
        "https://app.example:444/cb",
    ] {
        let known = vec!["https://app.example/cb".into()];
        shown_on_a_page(
            "redirect_uri",
            Some(asked),
            ClientError::RedirectUnknown { asked: asked.into(), known },
        );
    }
    for (asked, error) in [
        ("//evil", UriError::Scheme),
        ("/\\evil", UriError::Character),
        ("https:evil", UriError::Host),
        ("\t//evil", UriError::Character),
    ] {
        shown_on_a_page("redirect_uri", Some(asked), ClientError::Redirect(RedirectError::Uri(error)));
    }
}

#[test]
fn a_refusal_on_a_page_says_what_to_do_and_echoes_nothing() {
    let asked = "https://evil.example/<script>";
    let Err(refusal) = read(&query("redirect_uri", Some(asked))) else { panic!() };
    let page = refusal.response("request-7");
    assert_eq!(page.status, 400);
    assert!(page.body.contains("request-7"));
    assert!(!page.body.contains("evil") && !page.body.contains("<script"));
    assert!(!page.headers.iter().any(|(name, _)| *name == "location"));
}

/// O-24.
#[test]
fn only_codes_are_given() {
    for found in ["token", "id_token", "code token", "code id_token", "none", "CODE"] {
        redirected("response_type", Some(found), AuthorizeError::ResponseType { found: found.into() });
    }
    redirected("response_type", None, AuthorizeError::ResponseType { found: String::new() });
    for found in ["fragment", "form_post", "web_message"] {
        redirected("response_mode", Some(found), AuthorizeError::ResponseMode { found: found.into() });
    }
    redirected("request", Some("e30.e30."), AuthorizeError::RequestObject);
    redirected("request_uri", Some("urn:x"), AuthorizeError::RequestObject);
}

/// O-22, P5.
#[test]
fn a_challenge_of_s256_is_required() {
    redirected("code_challenge", None, AuthorizeError::Challenge(ChallengeError::Missing));
    let method = |found: &str| AuthorizeError::Challenge(ChallengeError::Method { found: found.into() });
    redirected("code_challenge_method", None, method("plain"));
    redirected("code_challenge_method", Some("plain"), method("plain"));
    redirected("code_challenge", Some("short"), AuthorizeError::Challenge(ChallengeError::Malformed));
}

/// O-3.
#[test]
fn another_resource_is_refused() {
    for found in [
        "https://valet.example/mcp/",
        "https://valet.example",
        "https://valet.example/other",
        "https://graph.microsoft.com",
        "https://valet.example/MCP",
        "https://valet.example/mcp?x",
        "https://valet.example/mcp#x",
    ] {
        let own = "https://valet.example/mcp".to_owned();
        redirected("resource", Some(found), AuthorizeError::Resource { found: found.into(), own });
    }
}

/// RFC 8707 allows several resources; a token for several is none of ours, and RFC 6749 section 3.1 has each parameter once.
#[test]
fn two_resources_are_refused_on_a_page() {
    let twice = format!("{QUERY}&resource=https%3A%2F%2Fevil.example");
    let error = Form::parse(twice.as_bytes()).unwrap_err();
    assert_eq!(error, crate::form::FormError::Duplicate { name: "resource".into() });
    let page = Refusal::Page(AuthorizeError::Form(error)).response("request-7");
    assert_eq!(page.status, 400);
    assert!(page.body.contains("cannot be read"));
}

#[test]
fn a_scope_that_is_not_offered_is_refused() {
    redirected(
        "scope",
        Some("mcp.access admin"),
        AuthorizeError::Scope(ScopeError::Unknown { scope: "admin".into() }),
    );
    redirected("scope", Some("a\u{e9}"), AuthorizeError::Scope(ScopeError::Malformed));
}

#[test]
fn a_state_is_printable_and_bounded() {
    let most = "x".repeat(limits::STATE);
    assert_eq!(read(&query("state", Some(&most))).unwrap().state, Some(most.clone()));
    redirected("state", Some(&format!("{most}x")), AuthorizeError::State { length: limits::STATE + 1 });
    redirected("state", Some("a\r\nSet-Cookie: x"), AuthorizeError::State { length: 16 });
    redirected("state", Some("\u{e9}"), AuthorizeError::State { length: 2 });
}

#[test]
fn nobody_is_signed_in_without_a_page() {
    redirected("prompt", Some("none"), AuthorizeError::PromptNone);
}

/// RFC 9700 section 4.11.2: whoever may be a client by a document of their own gets no redirector.
#[test]
fn errors_of_anybodys_client_are_a_link() {
    let document = Client { origin: Origin::Document, ..client("web") };
    let form = Form::parse(query("scope", Some("admin")).as_bytes()).unwrap();
    let refusal = |client: &Client, settings: &Settings| Request::read(&form, client, settings).unwrap_err();
    let link = refusal(&document, &settings());
    assert!(
        matches!(&link, Refusal::Link { location, .. } if location.starts_with("https://app.example/cb?error=invalid_scope"))
    );
    let page = link.response("request-7");
    assert_eq!(page.status, 400);
    assert!(page.body.contains("href=\"https://app.example/cb?error=invalid_scope&amp;error_description="));
    // Where the operator chose the hosts, or only the user's own machine is reached, it is a redirection.
    let listed = settings_with(&[("oauth_client_document_hosts", "app.example")]);
    assert!(matches!(refusal(&document, &listed), Refusal::Redirect { .. }));
    let registered = Client { origin: Origin::Registered, ..client("web") };
    assert!(matches!(refusal(&registered, &settings()), Refusal::Redirect { .. }));
    let loopback = query("redirect_uri", Some("http://127.0.0.1:1/cb"));
    let form = Form::parse(format!("{loopback}&prompt=none").as_bytes()).unwrap();
    let document = Client { origin: Origin::Document, ..client("cli") };
    assert!(matches!(Request::read(&form, &document, &settings()), Err(Refusal::Redirect { .. })));
}

#[test]
fn a_request_that_fits_no_cookie_is_refused_at_the_client() {
    let request = read(QUERY).unwrap();
    let refusal = request.too_large(5000, &client("web"), &settings());
    let Refusal::Redirect { error, location } = refusal else { panic!() };
    assert_eq!(error, AuthorizeError::TooLarge { size: 5000 });
    assert!(location.starts_with("https://app.example/cb?error=invalid_request"));
}

#[test]
fn a_redirection_is_303_and_leaves_no_trace() {
    let Err(refusal) = read(&query("scope", Some("admin"))) else { panic!() };
    let response = refusal.response("request-7");
    assert_eq!((response.status, response.body.as_str()), (303, ""));
    assert!(response.headers.contains(&("referrer-policy", "no-referrer".into())));
    assert!(response.headers.contains(&("cache-control", "no-store".into())));
}

/// Whatever is changed in a good request, nothing is sent anywhere but to the client's own redirect URI.
#[test]
fn no_change_of_a_request_moves_its_answer() {
    let mut numbers = crate::testing::Numbers(5);
    let alphabet = b"&=%#@:/\\?.;+*0aA\x00\xff ";
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..3000 {
        let mut text = QUERY.as_bytes().to_vec();
        for _ in 0..=numbers.below(3) {
            let (at, byte) = (numbers.below(text.len()), alphabet[numbers.below(alphabet.len())]);
            match numbers.below(3) {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                _ => drop(text.remove(at)),
            }
        }
        let Ok(form) = Form::parse(&text) else { continue };
        let Ok(Lookup::Known(client)) = look_up(form.get("client_id"), &settings()) else { continue };
        let shown = String::from_utf8_lossy(&text).into_owned();
        match Request::read(&form, &client, &settings()) {
            Ok(request) => {
                assert_eq!(request.redirect.as_str(), "https://app.example/cb", "{shown}");
                taken += 1;
            }
            Err(Refusal::Page(_)) => {}
            Err(Refusal::Redirect { location, .. } | Refusal::Link { location, .. }) => {
                assert!(location.starts_with("https://app.example/cb?error="), "{shown}");
                assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
                refused += 1;
            }
        }
    }
    assert!(taken > 100 && refused > 100, "{taken} {refused}");
}
