//! The façade: what reaches Entra, and what does not.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::registration::RegistrationError;
use crate::testing::{NOW, lookup};

const FORM: &str = "application/x-www-form-urlencoded";
const ENDPOINT: &str = "https://login.example/t/oauth2/v2.0/authorize";
const QUERY: &str = "client_id=app&redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcb&response_type=code&state=s\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&scope=mcp.access\
    &resource=https%3A%2F%2Fvalet.example%2Fmcp";

fn facade() -> Facade {
    Facade::read(lookup(&[("client_id", "app")])).unwrap()
}

fn authorize(query: &str) -> Result<Vec<(String, String)>, AuthorizeError> {
    let location = facade().authorize(&Form::parse(query.as_bytes()).unwrap(), ENDPOINT)?;
    let (endpoint, query) = location.split_once('?').unwrap();
    assert_eq!(endpoint, ENDPOINT);
    Ok(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

fn token(body: &str) -> Result<String, TokenError> {
    facade().token(Some(FORM), body.as_bytes()).map(|body| body.expose_secret().to_owned())
}

#[test]
fn a_request_goes_on_without_resource_and_with_qualified_scopes() {
    let pairs =
        authorize(&format!("{QUERY}&prompt=select_account&response_mode=fragment&client_secret=x&foo=bar"))
            .unwrap();
    let expected = [
        ("client_id", "app"),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("scope", "https://valet.example/mcp/mcp.access offline_access"),
        ("redirect_uri", "http://127.0.0.1:5000/cb"),
        ("state", "s"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // A scope that is qualified already, as another reading of the documents has it, is not qualified twice.
    let qualified = QUERY.replace("mcp.access", "https%3A%2F%2Fvalet.example%2Fmcp%2Fmcp.write");
    assert_eq!(authorize(&qualified).unwrap()[3].1, "https://valet.example/mcp/mcp.write offline_access");
}

#[test]
fn a_request_of_another_client_or_resource_is_refused() {
    let with = |from: &str, to: &str| authorize(&QUERY.replace(from, to)).map(drop);
    let unknown = ClientError::Unknown { client_id: "other".into() };
    assert_eq!(with("client_id=app", "client_id=other"), Err(AuthorizeError::Client(unknown)));
    assert_eq!(with("client_id=app&", ""), Err(AuthorizeError::Client(ClientError::Missing)));
    let own = "https://valet.example/mcp".to_owned();
    let found = "https://graph.microsoft.com".to_owned();
    let resource = "https%3A%2F%2Fvalet.example%2Fmcp";
    assert_eq!(
        with(resource, "https%3A%2F%2Fgraph.microsoft.com"),
        Err(AuthorizeError::Resource { found, own })
    );
    let scope = "https://graph.microsoft.com/Mail.Read".to_owned();
    let expected = AuthorizeError::Scope(ScopeError::Unknown { scope });
    assert_eq!(with("mcp.access", "https%3A%2F%2Fgraph.microsoft.com%2FMail.Read"), Err(expected));
    let plain = crate::pkce::ChallengeError::Method { found: "plain".into() };
    assert_eq!(with("S256", "plain"), Err(AuthorizeError::Challenge(plain)));
    let expected = AuthorizeError::ResponseType { found: "token".into() };
    assert_eq!(with("response_type=code", "response_type=token"), Err(expected));
    assert!(authorize(QUERY).is_ok());
}

/// The credential is lent for nothing but the two grants of the one client.
#[test]
fn a_token_request_is_made_anew() {
    let body = "grant_type=authorization_code&client_id=app&code=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcb&code_verifier=v\
        &resource=https%3A%2F%2Fvalet.example%2Fmcp&scope=mcp.access&client_secret=x&client_assertion=y&requested_token_use=on_behalf_of";
    assert_eq!(
        token(body).unwrap(),
        "grant_type=authorization_code&client_id=app&scope=https%3A%2F%2Fvalet.example%2Fmcp%2Fmcp.access+offline_access\
         &code=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcb&code_verifier=v"
    );
    assert_eq!(
        token("grant_type=refresh_token&client_id=app&refresh_token=r&scope=mcp.write").unwrap(),
        "grant_type=refresh_token&client_id=app&scope=https%3A%2F%2Fvalet.example%2Fmcp%2Fmcp.write+offline_access\
         &refresh_token=r"
    );
    for found in ["client_credentials", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        let other = body.replace("authorization_code", found);
        assert_eq!(token(&other), Err(TokenError::GrantType { found: found.into() }));
    }
    let unknown = TokenError::Client(ClientError::Unknown { client_id: "other".into() });
    assert_eq!(token(&body.replace("client_id=app", "client_id=other")), Err(unknown));
    assert_eq!(token(&body.replace("&code_verifier=v", "")), Err(TokenError::Parameter("code_verifier")));
    assert_eq!(token(&body.replace("&code=c", "")), Err(TokenError::Parameter("code")));
}

#[test]
fn every_client_is_the_one_application() {
    let body = r#"{"redirect_uris":["http://127.0.0.1/cb"]}"#;
    let response = facade().register(Some("application/json"), body.as_bytes(), NOW).unwrap();
    let answer: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!(
        (&answer["client_id"], &answer["token_endpoint_auth_method"]),
        (&json!("app"), &json!("none"))
    );
    let evil = r#"{"redirect_uris":["https://evil.example/cb"]}"#;
    let expected = RegistrationError::NotListed { uri: "https://evil.example/cb".into() };
    assert_eq!(facade().register(Some("application/json"), evil.as_bytes(), NOW), Err(expected));
}

#[test]
fn the_document_promises_what_entra_keeps() {
    let document: Value = serde_json::from_str(&facade().metadata().body).unwrap();
    assert_eq!(document["issuer"], "https://valet.example");
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(
        document["scopes_supported"],
        json!(["https://valet.example/mcp/mcp.access", "https://valet.example/mcp/mcp.write"])
    );
    for absent in ["authorization_response_iss_parameter_supported", "revocation_endpoint", "jwks_uri"] {
        assert_eq!(document.get(absent), None, "{absent}");
    }
}

#[test]
fn settings_that_leave_something_open_are_refused() {
    assert_eq!(Facade::read(lookup(&[])), Err(SettingsError::Missing("client_id")));
    let nothing = lookup(&[("client_id", "app"), ("scope_prefix", "")]);
    assert_eq!(Facade::read(nothing), Err(SettingsError::Missing("scope_prefix")));
    // No client of our own is needed.
    let changes = [
        ("client_id", "app"),
        ("oauth_clients", ""),
        ("oauth_client_document_hosts", ""),
        ("oauth_registration_redirects", ""),
    ];
    assert!(Facade::read(lookup(&changes)).is_ok());
}
