//! The façade: clients get Entra's tokens by way of us, without what stands between them and Entra.

use std::sync::Arc;

use entra_emulator::{Emulator, Endpoint, Fault, FaultBody, RetryAfter, ids};
use serde_json::{Value, json};
use valet_suite::browser::Browser;
use valet_suite::config::{Config, ENDPOINT, REDIRECT_URI};
use valet_suite::oauth::{self, Authorize, ISSUER, code_form, token};
use valet_suite::rig::emulator;
use valet_suite::surroundings::Surroundings;
use valet_suite::{Answer, Ask, Rig, log, run};

use crate::faults::{faults, slow_faults, time_passes};

/// A server in this mode, for an application that knows where the client is.
pub(crate) async fn rig() -> Rig {
    Rig::start_with(emulator_that_knows_the_client().await, facade).await
}

async fn emulator_that_knows_the_client() -> Arc<Emulator> {
    let emulator = emulator().await;
    emulator.change_registrations(|all| {
        all.app_mut(ids::VALET).unwrap().redirect_uris.web.push(REDIRECT_URI.to_owned());
    });
    emulator
}

fn facade(config: Config) -> Config {
    config.set("oauth.mode", "facade")
}

fn request() -> Authorize {
    Authorize::default().set("client_id", &ids::VALET.to_string())
}

pub(crate) fn form(code: &str) -> Vec<(&'static str, String)> {
    let mut form = code_form(code);
    form[1].1 = ids::VALET.to_string();
    form
}

/// The form by which a client comes with a refresh token of Entra's.
fn again(refresh: &str) -> [(&'static str, String); 3] {
    [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", ids::VALET.to_string()),
        ("refresh_token", refresh.to_owned()),
    ]
}

/// Entra's tokens for a person who signs in.
pub(crate) async fn sign_in(rig: &Rig) -> (String, String) {
    sign_in_at(rig, &mut Browser::new(rig, ids::ADELE_UPN), None).await
}

/// The same in a browser, and with the claims that a challenge wanted.
pub(crate) async fn sign_in_at(rig: &Rig, browser: &mut Browser, claims: Option<&str>) -> (String, String) {
    let request = claims.iter().fold(request(), |request, claims| request.set("claims", claims));
    let page = browser.go(&request.url()).await;
    let code = page.parameter("code").unwrap_or_else(|| panic!("{page:?}"));
    rig.keep_secret(&code);
    tokens(rig, &token(rig, &form(&code)).await)
}

pub(crate) fn tokens(rig: &Rig, answer: &Answer) -> (String, String) {
    assert_eq!((answer.status, answer.field("cache-control")), (200, "no-store"), "{answer:?}");
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    rig.keep_secret(&text("refresh_token"));
    (rig.keep(text("access_token")), text("refresh_token"))
}

#[test]
fn a_client_that_sends_resource_gets_tokens_of_entra() {
    run(async {
        let rig = rig().await;
        let resource = rig.send(Ask::get("/.well-known/oauth-protected-resource/mcp")).await.json();
        assert_eq!(
            (&resource["resource"], &resource["authorization_servers"]),
            (&json!(ENDPOINT), &json!([ISSUER]))
        );
        let server = rig.send(Ask::get("/.well-known/oauth-authorization-server")).await.json();
        assert_eq!(server["token_endpoint"], format!("{ISSUER}/oauth/token"));
        assert_eq!(server["scopes_supported"], json!([format!("api://{}/mcp.access", ids::VALET)]));
        assert!(server["revocation_endpoint"].is_null() && server["jwks_uri"].is_null(), "Entra has these");

        let (access, refresh) = sign_in(&rig).await;
        assert_eq!(rig.call("whoami", &access).await.result()["structuredContent"]["name"], "Adele Vance");
        let profile = rig.call("GetUserDetailsFromGraph", &access).await.result();
        assert_eq!(profile["structuredContent"]["mail"], "adele.vance@contoso.example");
        let again = [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", ids::VALET.to_string()),
            ("refresh_token", refresh),
            ("resource", ENDPOINT.to_owned()),
        ];
        let (access, _) = tokens(&rig, &token(&rig, &again).await);
        assert_eq!(rig.call("whoami", &access).await.status, 200);
    });
}

#[test]
fn our_credential_is_added_to_two_grants_of_one_client() {
    run(async {
        let rig = rig().await;
        let set = |name: &str, value: &str| {
            let mut form = form("never-given");
            form.iter_mut().find(|(known, _)| *known == name).unwrap().1 = value.to_owned();
            form
        };
        for (name, value, expected) in [
            ("grant_type", "client_credentials", (400, "unsupported_grant_type")),
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", (400, "unsupported_grant_type")),
            ("client_id", "another", (401, "invalid_client")),
            ("resource", "https://graph.microsoft.com", (400, "invalid_target")),
        ] {
            let (status, error) = oauth::error(&token(&rig, &set(name, value)).await);
            assert_eq!((status, error.as_str()), expected, "{name}: {value}");
        }
        let mut scope = form("never-given");
        scope.push(("scope", "https://graph.microsoft.com/.default".to_owned()));
        assert_eq!(oauth::error(&token(&rig, &scope).await).1, "invalid_scope");
        // What Entra says of a code that it never gave reaches the client as it is.
        let answer = token(&rig, &form("never-given")).await;
        assert_eq!(oauth::error(&answer), (400, "invalid_grant".to_owned()));
        assert!(answer.body.contains("AADSTS"), "{answer:?}");
        sign_in(&rig).await;
    });
}

#[test]
fn what_is_not_for_entra_is_refused_before_it() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        for (request, audit) in [
            (
                request().set("client_id", "another"),
                "denied unauthorized_client: no client `another` is configured in `oauth_clients` or registered",
            ),
            (
                request().set("resource", "https://other.example/mcp"),
                "denied invalid_target: the `resource` is `https://other.example/mcp`, not `https://valet.example/mcp`",
            ),
            (
                request().set("scope", "mcp.admin"),
                "denied invalid_scope: the scope `mcp.admin` is not offered",
            ),
            (
                request().set("scope", "https://graph.microsoft.com/Mail.Read"),
                "denied invalid_scope: the scope `https://graph.microsoft.com/Mail.Read` is not offered",
            ),
            (
                request().set("response_type", "token"),
                "denied unsupported_response_type: the `response_type` is `token`, not `code`",
            ),
            (
                request().without("code_challenge"),
                "denied invalid_request: the request has no `code_challenge`",
            ),
            (
                request().set("code_challenge_method", "plain"),
                "denied invalid_request: the `code_challenge_method` is `plain`, not `S256`",
            ),
        ] {
            let mark = rig.log().mark();
            let page = browser.step(&request.url()).await;
            assert_eq!(page.status, 400, "{request:?}: {page:?}");
            assert!(!page.headers.contains_key("location"));
            let event = rig.log().wait(mark, "audit event", log::is_refusal).await;
            assert_eq!(log::audit_line(&event), audit, "{request:?}");
        }
        for path in ["/oauth/revoke", "/oauth/consent"] {
            assert_eq!(rig.send(Ask::get(path).verb("POST")).await.status, 404, "{path}");
        }
        sign_in(&rig).await;
    });
}

#[test]
fn what_entra_fails_at_can_be_tried_again() {
    run(async {
        let rig = rig().await;
        let (access, refresh) = sign_in(&rig).await;
        let again = again(&refresh);
        for (name, fault) in faults() {
            rig.emulator.faults().set_times(Endpoint::Token, fault, 1);
            let answer = token(&rig, &again).await;
            // An error of Entra's goes back as it is; what is neither that nor tokens is 503.
            assert_eq!(answer.field("content-type"), "application/json", "{name}: {answer:?}");
            if let "503" | "500" | "429" = name {
                assert!(!oauth::error(&answer).1.is_empty(), "{name}: {answer:?}");
            } else {
                assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()), "{name}");
            }
            assert_eq!(rig.call("whoami", &access).await.status, 200, "{name}");
        }
        tokens(&rig, &token(&rig, &again).await);
    });
}

/// RFC 9110 section 10.2.3. How long to wait is Entra's to say: the client hears it as it was said, also what is no such value, and nothing is made up.
#[test]
fn when_to_come_back_is_told_as_entra_says_it() {
    run(async {
        let rig = rig().await;
        let (_, mut refresh) = sign_in(&rig).await;
        let fails = |code, retry_after, body| {
            let fault = Fault::Answer { code, retry_after, body };
            rig.emulator.faults().set_times(Endpoint::Token, fault, 1);
        };
        let date = "Fri, 31 Dec 2027 23:59:59 GMT";
        for said in ["7", "0", date, "1.5", "-1", "99999999999999999999999", "soon; <b>\"now\"</b>", ""] {
            for (code, body, status) in [
                (429, FaultBody::Service, 429),
                (503, FaultBody::Service, 503),
                // What is no error of Entra's is told in our words.
                (429, FaultBody::Html, 503),
                (503, FaultBody::Html, 503),
            ] {
                let retry_after = Some(said).filter(|said| !said.is_empty());
                fails(code, retry_after.map(|said| RetryAfter::Text(said.to_owned())), body);
                let mark = rig.log().mark();
                let answer = token(&rig, &again(&refresh)).await;
                let name = format!("{code} {body:?} {said}");
                let error = (status, "temporarily_unavailable".to_owned());
                assert_eq!(oauth::error(&answer), error, "{name}");
                let told = answer.headers.get("retry-after").map(|value| value.to_str().unwrap());
                assert_eq!((told, answer.field("cache-control")), (retry_after, "no-store"), "{name}");
                let of_entra = body == FaultBody::Service;
                assert_eq!(answer.body.contains("AADSTS"), of_entra, "{name}: {answer:?}");
                let audit = if of_entra {
                    format!("denied entra_refused: HTTP {code} temporarily_unavailable AADSTS900")
                } else {
                    let why = format!("no answer of Entra's: HTTP {code} without an OAuth error");
                    format!("failed temporarily_unavailable: not available: {why}")
                };
                let found = log::audit_line(&rig.log().wait(mark, "audit event", log::is_refusal).await);
                assert!(found.starts_with(&audit), "{name}: {found}");
                (_, refresh) = tokens(&rig, &token(&rig, &again(&refresh)).await);
            }
        }
        // A code is as good as before.
        let page = Browser::new(&rig, ids::ADELE_UPN).go(&request().url()).await;
        let code = page.parameter("code").unwrap();
        rig.keep_secret(&code);
        fails(429, Some(RetryAfter::Seconds(7)), FaultBody::Service);
        let answer = token(&rig, &form(&code)).await;
        assert_eq!((answer.status, answer.field("retry-after")), (429, "7"), "{answer:?}");
        tokens(&rig, &token(&rig, &form(&code)).await);
    });
}

#[test]
fn an_entra_that_takes_too_long_is_not_waited_for() {
    run(async {
        let Some(surroundings) = Surroundings::new() else { return };
        let rig = Rig::within(surroundings.variables(), emulator_that_knows_the_client().await, facade).await;
        let (access, mut refresh) = sign_in(&rig).await;
        let mut until = 0;
        for (name, fault, limit) in slow_faults() {
            until += limit;
            let again = again(&refresh);
            rig.emulator.faults().set_times(Endpoint::Token, fault, 1);
            let passing = time_passes(&rig, &surroundings, until);
            let (answer, ()) = tokio::join!(token(&rig, &again), passing);
            assert_eq!(oauth::error(&answer), (503, "temporarily_unavailable".to_owned()), "{name}");
            assert_eq!(rig.call("whoami", &access).await.status, 200, "{name}");
            (_, refresh) = tokens(&rig, &token(&rig, &again).await);
        }
    });
}

#[test]
fn each_decision_is_audited_and_what_entra_says_of_our_secret_stays_here() {
    run(async {
        let rig = rig().await;
        let audited = async |mark: usize, decision: &str, reason: &str| {
            let wanted = |event: &Value| {
                log::is_audit(event) && event["decision"] == decision && event["reason"] == reason
            };
            rig.log().wait(mark, reason, wanted).await
        };
        let mark = rig.log().mark();
        sign_in(&rig).await;
        for reason in ["sent_to_entra", "token_issued"] {
            let event = audited(mark, "allowed", reason).await;
            assert_eq!(event["client"], ids::VALET.to_string(), "{event}");
        }
        let mark = rig.log().mark();
        token(&rig, &form("never-given")).await;
        let event = audited(mark, "denied", "entra_refused").await;
        assert!(event["detail"].as_str().unwrap().contains("invalid_grant bad_token AADSTS70000"), "{event}");

        // AADSTS7000215: whoever operates this has to know, and nobody else.
        let secrets = |secret: &str| {
            rig.emulator.change_registrations(|all| {
                all.app_mut(ids::VALET).unwrap().secrets = vec![secret.to_owned()];
            });
        };
        let page = Browser::new(&rig, ids::ADELE_UPN).go(&request().url()).await;
        let code = page.parameter("code").unwrap();
        rig.keep_secret(&code);
        secrets("another");
        let mark = rig.log().mark();
        let answer = token(&rig, &form(&code)).await;
        assert_eq!(oauth::error(&answer), (500, "server_error".to_owned()));
        assert!(!answer.body.contains("AADSTS") && !answer.body.contains("secret"), "{}", answer.body);
        let event = audited(mark, "failed", "server_error").await;
        assert!(event["detail"].as_str().unwrap().contains("invalid_client AADSTS7000215"), "{event}");
        secrets(ids::VALET_SECRET);
        sign_in(&rig).await;
    });
}
