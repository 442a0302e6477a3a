//! Requests that are refused: by a page where no client can be told, else at the client's redirect URI, or by the token endpoint.

use entra_emulator::ids;
use serde_json::Value;
use valet_suite::Rig;
use valet_suite::browser::Browser;
use valet_suite::config::CLIENT;
use valet_suite::oauth::{self, Authorize, VERIFIER, code, code_form, refresh_form, sign_in, token};
use valet_suite::{log, run};

use crate::rig;

/// The audit event after `mark`, in one line.
async fn audited(rig: &Rig, mark: usize) -> String {
    let event: Value = rig.log().wait(mark, "audit event", log::is_refusal).await;
    log::audit_line(&event)
}

#[test]
fn what_is_wrong_with_the_client_is_shown_and_sent_nowhere() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let perfect = Authorize::default;
        for (request, audit) in [
            (
                perfect().set("client_id", "nobody"),
                "denied unauthorized_client: no client `nobody` is configured",
            ),
            (perfect().without("client_id"), "denied unauthorized_client: the request names no `client_id`"),
            (
                perfect().set("client_id", "https://evil.example/client.json"),
                "denied unauthorized_client: the `client_id` is a URL, and",
            ),
            (
                perfect().without("redirect_uri"),
                "denied unauthorized_client: the request names no `redirect_uri`",
            ),
            (
                perfect().set("redirect_uri", "https://client.example/other"),
                "denied unauthorized_client: the `redirect_uri` is",
            ),
            (
                perfect().set("redirect_uri", "https://client.example/callback/"),
                "denied unauthorized_client: the `redirect_uri` is",
            ),
            (
                perfect().set("redirect_uri", "https://client.example.evil/callback"),
                "denied unauthorized_client: the `redirect_uri` is",
            ),
            (
                perfect().set("redirect_uri", "https://client.example/callback?x=1"),
                "denied unauthorized_client: the `redirect_uri` is",
            ),
            (
                perfect().set("redirect_uri", "http://client.example/callback"),
                "denied unauthorized_client: a redirect URI is http at `client.example`, which is not loopback",
            ),
            (
                perfect().set("redirect_uri", "javascript:alert(1)"),
                "denied unauthorized_client: a redirect URI has the scheme `javascript`",
            ),
            (
                perfect().and("client_id", CLIENT),
                "denied invalid_request: the parameter `client_id` is there twice",
            ),
            (
                perfect().and("redirect_uri", "https://evil.example/"),
                "denied invalid_request: the parameter `redirect_uri` is there twice",
            ),
        ] {
            let mark = rig.log().mark();
            let page = browser.step(&request.url()).await;
            assert!(
                matches!(page.status, 400 | 403) && !page.headers.contains_key("location"),
                "{request:?}: {page:?}"
            );
            assert!(page.text.contains("<code>"), "a number to quote: {}", page.text);
            assert!(!page.text.contains("evil"), "nothing that a stranger wrote: {}", page.text);
            let found = audited(&rig, mark).await;
            assert!(found.starts_with(audit), "{request:?}: {found}");
        }
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn what_is_wrong_with_the_rest_is_told_to_the_client() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let perfect = Authorize::default;
        let method = "the `code_challenge_method` is `plain`, not `S256`";
        for (request, error, why) in [
            (
                perfect().set("response_type", "token"),
                "unsupported_response_type",
                "the `response_type` is `token`, not `code`",
            ),
            (
                perfect().without("response_type"),
                "unsupported_response_type",
                "the `response_type` is ``, not `code`",
            ),
            (
                perfect().set("response_mode", "fragment"),
                "invalid_request",
                "the `response_mode` is `fragment`, not `query`",
            ),
            (perfect().without("code_challenge"), "invalid_request", "the request has no `code_challenge`"),
            (perfect().set("code_challenge_method", "plain"), "invalid_request", method),
            (perfect().without("code_challenge_method"), "invalid_request", method),
            (
                perfect().set("code_challenge", "short"),
                "invalid_request",
                "the `code_challenge` is not 43 characters of base64url",
            ),
            (
                perfect().set("resource", "https://other.example/mcp"),
                "invalid_target",
                "the `resource` is `https://other.example/mcp`, not `https://valet.example/mcp`",
            ),
            (
                perfect().set("resource", "https://valet.example/mcp/"),
                "invalid_target",
                "the `resource` is `https://valet.example/mcp/`, not `https://valet.example/mcp`",
            ),
            (perfect().set("scope", "mcp.admin"), "invalid_scope", "the scope `mcp.admin` is not offered"),
            (
                perfect().set("scope", "mcp.access Mcp.access"),
                "invalid_scope",
                "the scope `Mcp.access` is not offered",
            ),
            (
                perfect().set("request_uri", "https://evil.example/"),
                "invalid_request",
                "the request has a request object",
            ),
            (
                perfect().set("prompt", "none"),
                "login_required",
                "the request has `prompt=none`, and a person has to be asked",
            ),
        ] {
            let mark = rig.log().mark();
            let page = browser.go(&request.url()).await;
            assert_eq!(page.url.host_str(), Some("client.example"), "{request:?}: {page:?}");
            assert_eq!(page.parameter("error").as_deref(), Some(error), "{request:?}");
            assert_eq!(page.parameter("state").as_deref(), Some("client-state"));
            assert_eq!(page.parameter("iss").as_deref(), Some(oauth::ISSUER));
            assert_eq!(page.parameter("code"), None);
            assert_eq!(audited(&rig, mark).await, format!("denied {error}: {why}"), "{request:?}");
        }
        sign_in(&rig, &mut browser).await;
    });
}

/// A form with one field set to something else, or left out.
fn with(form: &[(&'static str, String)], name: &str, value: Option<&str>) -> Vec<(&'static str, String)> {
    let mut form = form.to_vec();
    let at = form.iter().position(|(known, _)| *known == name).unwrap();
    match value {
        Some(value) => form[at].1 = value.to_owned(),
        None => drop(form.remove(at)),
    }
    form
}

#[test]
fn a_code_is_redeemed_by_its_client_with_its_verifier_alone() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let code = code(&rig, &mut browser).await;
        let perfect = code_form(&code);
        let longer = format!("{code}x");
        let unfit = "the `code_verifier` does not fit the `code_challenge`";
        for (name, value, expected, why) in [
            ("code", Some("never-given"), (400, "invalid_grant"), "there is no such code"),
            ("code", Some(longer.as_str()), (400, "invalid_grant"), "there is no such code"),
            ("code", None, (400, "invalid_request"), "the parameter `code` is missing or too long"),
            ("code_verifier", None, (400, "invalid_request"), "the request has no `code_verifier`"),
            ("code_verifier", Some(&*VERIFIER.to_uppercase()), (400, "invalid_grant"), unfit),
            ("code_verifier", Some(oauth::CHALLENGE), (400, "invalid_grant"), unfit),
            (
                "redirect_uri",
                Some("https://client.example/other"),
                (400, "invalid_grant"),
                "the `redirect_uri` is `https://client.example/other`, the code was sent to `https://client.example/callback`",
            ),
            (
                "client_id",
                Some("another"),
                (401, "invalid_client"),
                "no client `another` is configured in `oauth_clients` or registered",
            ),
            ("client_id", None, (401, "invalid_client"), "the request names no `client_id`"),
            (
                "grant_type",
                Some("password"),
                (400, "unsupported_grant_type"),
                "the `grant_type` is `password`",
            ),
            (
                "grant_type",
                Some("client_credentials"),
                (400, "unsupported_grant_type"),
                "the `grant_type` is `client_credentials`",
            ),
            (
                "grant_type",
                None,
                (400, "invalid_request"),
                "the parameter `grant_type` is missing or too long",
            ),
            (
                "resource",
                Some("https://other.example/mcp"),
                (400, "invalid_target"),
                "the `resource` is `https://other.example/mcp`, not `https://valet.example/mcp`",
            ),
        ] {
            let mark = rig.log().mark();
            let answer = token(&rig, &with(&perfect, name, value)).await;
            let (status, error) = oauth::error(&answer);
            assert_eq!((status, error.as_str()), expected, "{name}: {value:?}");
            assert_eq!(audited(&rig, mark).await, format!("denied {error}: {why}"), "{name}: {value:?}");
            assert_eq!(answer.field("cache-control"), "no-store");
        }
        let mut twice = perfect.clone();
        twice.push(("code", code.clone()));
        assert_eq!(oauth::error(&token(&rig, &twice).await).1, "invalid_request");
        let mut secret = perfect.clone();
        secret.push(("client_secret", "guess".to_owned()));
        assert_eq!(oauth::error(&token(&rig, &secret).await), (401, "invalid_client".to_owned()));
        let json = rig
            .http
            .post(format!("{}/oauth/token", oauth::ISSUER))
            .json(&serde_json::json!({}))
            .send()
            .await
            .unwrap();
        assert_eq!(json.status(), 415);
        // None of that has used the code up.
        oauth::Tokens::read(&rig, &token(&rig, &perfect).await);
    });
}

#[test]
fn a_code_that_is_used_twice_ends_what_it_began() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let code = code(&rig, &mut browser).await;
        let tokens = oauth::Tokens::read(&rig, &oauth::redeem(&rig, &code).await);
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        let mark = rig.log().mark();
        assert_eq!(oauth::error(&oauth::redeem(&rig, &code).await), (400, "invalid_grant".to_owned()));
        assert!(audited(&rig, mark).await.contains("the code was used before"));
        let dead = rig.call("whoami", &tokens.access).await;
        assert_eq!(dead.status, 401);
        assert!(dead.field("www-authenticate").contains("the session has ended"), "{dead:?}");
        let answer = token(&rig, &refresh_form(&tokens.refresh)).await;
        assert_eq!(oauth::error(&answer), (400, "invalid_grant".to_owned()));
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn tokens_of_entra_are_no_tokens_of_ours() {
    run(async {
        let rig = rig().await;
        let entra = rig.token(ids::ADELE_UPN);
        let mark = rig.log().mark();
        assert_eq!(rig.call("whoami", &entra).await.status, 401);
        assert!(audited(&rig, mark).await.starts_with("denied unsupported"));
        let tokens = sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
    });
}

#[test]
fn a_session_with_too_few_scopes_learns_which_it_needs() {
    run(async {
        let both = valet_suite::config::list(&["mcp.access", "mcp.admin"]);
        let rig = Rig::start_with(valet_suite::rig::shared_emulator().await, |config| {
            config.with_sessions().set("tools.GetUserDetailsFromGraph.scopes", both)
        })
        .await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        let tokens = sign_in(&rig, &mut browser).await;
        assert_eq!(rig.call("whoami", &tokens.access).await.status, 200);
        let mark = rig.log().mark();
        let answer = rig.call("GetUserDetailsFromGraph", &tokens.access).await;
        let challenge = answer.field("www-authenticate");
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains("scope=\"mcp.access mcp.admin\""), "all that it takes: {challenge}");
        assert!(!challenge.contains("offline_access"), "{challenge}");
        assert!(audited(&rig, mark).await.starts_with("denied insufficient_scope: "));

        // With what the challenge says it works, once the person has permitted more than before.
        let page = browser.go(&Authorize::default().set("scope", "mcp.access mcp.admin").url()).await;
        assert!(page.asks() && page.text.contains("mcp.admin"), "{page:?}");
        let page = browser.decide(&page, "allow").await;
        let tokens = oauth::finish(&rig, &page).await;
        assert_eq!(rig.call("GetUserDetailsFromGraph", &tokens.access).await.status, 200);
    });
}
