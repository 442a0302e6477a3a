//! The token endpoint's requests and answers.

use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::testing::{client, secret, settings};

const FORM: &str = "application/x-www-form-urlencoded";
const CODE: &str = "grant_type=authorization_code&client_id=web&code=c&redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
    &code_verifier=v&resource=https%3A%2F%2Fvalet.example%2Fmcp";
const REFRESH: &str = "grant_type=refresh_token&client_id=web&refresh_token=r&scope=mcp.access";

fn read(body: &str) -> Result<Request, TokenError> {
    Request::read(Some(FORM), None, body.as_bytes(), &settings())
}

fn with_basic(credentials: &str, body: &str) -> Result<Request, TokenError> {
    let field = format!("Basic {}", STANDARD.encode(credentials));
    Request::read(Some(FORM), Some(&field), body.as_bytes(), &settings())
}

#[track_caller]
fn refused(found: Result<Request, TokenError>, expected: TokenError) {
    assert_eq!(found.map(drop), Err(expected));
}

#[test]
fn both_grants_are_read() {
    let Ok(Request { presented: Presented::Code { code, redirect_uri, verifier }, authentication }) =
        read(CODE)
    else {
        panic!()
    };
    assert_eq!((code.expose_secret(), redirect_uri.as_deref()), ("c", Some("https://app.example/cb")));
    assert_eq!((verifier.unwrap().expose_secret(), authentication.client_id.as_str()), ("v", "web"));
    assert_eq!(authentication.check(&client("web")), Ok(()));
    let Ok(Request { presented: Presented::Refresh { token, scope }, .. }) = read(REFRESH) else { panic!() };
    assert_eq!((token.expose_secret(), scope.as_deref()), ("r", Some("mcp.access")));
    assert!(!format!("{:?}", read(CODE).unwrap()).contains("\"c\""));
}

/// O-24.
#[test]
fn other_grants_are_refused() {
    for found in [
        "password",
        "client_credentials",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "Authorization_Code",
    ] {
        let body = CODE.replace("authorization_code", found);
        refused(read(&body), TokenError::GrantType { found: found.into() });
    }
    refused(read("client_id=web&code=c"), TokenError::Parameter("grant_type"));
}

#[test]
fn a_request_is_a_form_with_each_parameter_once() {
    for found in ["application/json", "text/plain", ""] {
        let request = Request::read(Some(found), None, CODE.as_bytes(), &settings());
        refused(request, TokenError::Form(FormError::MediaType { found: found.into() }));
    }
    let twice = format!("{CODE}&code=d");
    refused(read(&twice), TokenError::Form(FormError::Duplicate { name: "code".into() }));
    refused(read(&CODE.replace("code=c&", "")), TokenError::Parameter("code"));
    refused(read(&CODE.replace("code=c&", "code=&")), TokenError::Parameter("code"));
    let long = CODE.replace("code=c&", &format!("code={}&", "x".repeat(limits::SECRET + 1)));
    refused(read(&long), TokenError::Parameter("code"));
    refused(read(&REFRESH.replace("refresh_token=r", "x=y")), TokenError::Parameter("refresh_token"));
}

/// O-18.
#[test]
fn another_resource_is_refused() {
    for body in [CODE, REFRESH] {
        let own = "https://valet.example/mcp".to_owned();
        let other = body.replace("&resource=https%3A%2F%2Fvalet.example%2Fmcp", "")
            + "&resource=https%3A%2F%2Fevil.example";
        refused(read(&other), TokenError::Resource { found: "https://evil.example".into(), own });
    }
}

#[test]
fn a_client_authenticates_in_one_place() {
    let as_secret = |body: &str| body.replace("client_id=web", "client_id=secret");
    let check =
        |request: Result<Request, TokenError>| request.unwrap().authentication.check(&client("secret"));
    let post = format!("{}&client_secret=s3cret", as_secret(CODE));
    assert_eq!(check(read(&post)), Ok(()));
    assert_eq!(check(with_basic("secret:s3cret", &as_secret(CODE))), Ok(()));
    assert_eq!(check(with_basic("secret:s3cret", &CODE.replace("client_id=web&", ""))), Ok(()));
    let wrong = |error| Err(TokenError::Client(error));
    assert_eq!(check(read(&as_secret(CODE))), wrong(ClientError::SecretMissing));
    assert_eq!(check(with_basic("secret:", &as_secret(CODE))), wrong(ClientError::SecretMissing));
    assert_eq!(check(with_basic("secret:wrong", &as_secret(CODE))), wrong(ClientError::SecretWrong));
    refused(with_basic("secret:s3cret", &post), TokenError::Credentials);
    refused(with_basic("secret:s3cret", CODE), TokenError::Credentials);
    refused(read(&CODE.replace("client_id=web&", "")), TokenError::Client(ClientError::Missing));
    let assertion = format!("{CODE}&client_assertion=e30.e30.x");
    refused(read(&assertion), TokenError::Credentials);
    let public = with_basic("web:", CODE).unwrap().authentication;
    assert_eq!(public.check(&client("web")), Ok(()));
}

#[test]
fn basic_credentials_are_decoded_twice() {
    let found = |credentials: &str| {
        basic(&format!("basic {}", STANDARD.encode(credentials)))
            .map(|(id, secret)| (id, secret.expose_secret().to_owned()))
    };
    let some = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
    assert_eq!(found("a:b"), some("a", "b"));
    assert_eq!(found("https%3A%2F%2Fc.example%2Fx:p%3Aw+d"), some("https://c.example/x", "p:w d"));
    assert_eq!(found("a:b:c"), some("a", "b:c"));
    assert_eq!(found("a:b=&c=="), some("a", "b=&c=="));
    assert_eq!(found(":"), some("", ""));
    assert_eq!(found("a"), None);
    for field in ["", "Basic", "Basic !", "Bearer x", "Basic /w==", &format!("Basic {}", "QQ".repeat(4000))] {
        assert!(basic(field).is_none(), "{field}");
    }
}

#[test]
fn refusals_are_answered_by_their_kind() {
    use crate::code::CodeError;
    for (error, status, code) in [
        (TokenError::Client(ClientError::SecretWrong), 401, "invalid_client"),
        (TokenError::Code(CodeError::Unknown), 400, "invalid_grant"),
        (TokenError::Code(CodeError::Verifier(VerifierError::Mismatch)), 400, "invalid_grant"),
        (TokenError::Code(CodeError::Verifier(VerifierError::Missing)), 400, "invalid_request"),
        (TokenError::CodeReplayed, 400, "invalid_grant"),
        (TokenError::Refresh(RefreshError::Unknown), 400, "invalid_grant"),
        (TokenError::RefreshReused, 400, "invalid_grant"),
        (TokenError::SessionEnded("x".into()), 400, "invalid_grant"),
        (TokenError::InteractionRequired("x".into()), 400, "invalid_grant"),
        (TokenError::GrantType { found: "x".into() }, 400, "unsupported_grant_type"),
        (TokenError::Resource { found: "x".into(), own: "y".into() }, 400, "invalid_target"),
        (TokenError::Unavailable("x".into()), 503, "temporarily_unavailable"),
        (TokenError::Misconfigured("x".into()), 500, "server_error"),
        (TokenError::Form(FormError::MediaType { found: "x".into() }), 415, "invalid_request"),
    ] {
        let response = error.response();
        assert_eq!(response.status, status, "{error}");
        assert!(response.body.starts_with(&format!("{{\"error\":\"{code}\",")), "{}", response.body);
        assert_eq!(response.headers.iter().any(|(name, _)| *name == "www-authenticate"), status == 401);
        assert!(response.headers.contains(&("cache-control", "no-store".into())));
    }
    // R-7: unknown and foreign are one answer.
    let unknown = TokenError::Code(CodeError::Unknown).response();
    assert_eq!(unknown, TokenError::Code(CodeError::Client { found: "other".into() }).response());
    assert_eq!(unknown, TokenError::CodeReplayed.response());
}

#[test]
fn tokens_are_answered_as_the_rfc_has_it() {
    let response = response(&secret("at"), &secret("rt"), &["a".into(), "b".into()], &settings());
    assert_eq!(
        response.body,
        r#"{"access_token":"at","token_type":"Bearer","expires_in":600,"refresh_token":"rt","scope":"a b"}"#
    );
    assert_eq!(response.status, 200);
    assert!(response.headers.contains(&("cache-control", "no-store".into())));
    assert!(response.headers.contains(&("pragma", "no-cache".into())));
}
