//! What a proxy, a probe or a browser might add to a request, at the paths of the authorization server: nothing is derived from it, and nothing is let
//! through by it.

use entra_emulator::ids;
use valet_suite::browser::Browser;
use valet_suite::config::REDIRECT_URI;
use valet_suite::oauth::{self, Authorize, ISSUER, sign_in};
use valet_suite::wire::{Wire, request};
use valet_suite::{Answer, Ask, Rig, run};

use crate::rig;

/// Fields from which others have taken who somebody is, where they are, or what they asked for.
const FIELDS: [(&str, &str); 22] = [
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-port", "8443"),
    ("x-forwarded-prefix", "/evil"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-real-ip", "127.0.0.1"),
    ("forwarded", "host=evil.example;proto=http;for=127.0.0.1"),
    ("x-forwarded-uri", "/healthz"),
    ("x-original-uri", "/healthz"),
    ("x-original-url", "/healthz"),
    ("x-rewrite-url", "/healthz"),
    ("x-http-method-override", "GET"),
    ("x_forwarded_host", "evil.example"),
    ("x_forwarded_uri", "/healthz"),
    ("x-host", "evil.example"),
    ("x-forwarded-user", "admin@contoso.example"),
    ("x_forwarded_user", "admin@contoso.example"),
    ("x-auth-request-user", "admin@contoso.example"),
    ("x-forwarded-access-token", "eyJhbGciOiJub25lIn0.e30."),
    ("x-ms-client-principal-id", "7e57b000-0000-4000-8000-000000000001"),
    ("x-ms-client-principal", "e30="),
    ("user-agent", "kube-probe/1.30 GoogleHC/1.0 ELB-HealthChecker/2.0"),
];

/// The fields, all of them; then each alone.
fn sets() -> Vec<Vec<(&'static str, &'static str)>> {
    let mut sets = vec![FIELDS.to_vec()];
    sets.extend(FIELDS.map(|field| vec![field]));
    sets
}

async fn asked(rig: &Rig, ask: Ask, fields: &[(&'static str, &'static str)]) -> Answer {
    rig.send(fields.iter().fold(ask, |ask, (name, value)| ask.header(name, value))).await
}

#[test]
fn metadata_are_the_same_whatever_a_proxy_says() {
    run(async {
        let rig = rig().await;
        for path in [
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
            "/.well-known/oauth-protected-resource/mcp",
            "/oauth/jwks.json",
        ] {
            let plain = rig.send(Ask::get(path)).await;
            assert_eq!(plain.status, 200);
            for fields in sets() {
                let found = asked(&rig, Ask::get(path), &fields).await;
                assert_eq!((found.status, &found.body), (200, &plain.body), "{path} {fields:?}");
            }
        }
    });
}

#[test]
fn answers_go_where_they_would_go_without_a_proxy() {
    run(async {
        let rig = rig().await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        sign_in(&rig, &mut browser).await;
        let known = browser.cookie("valet.example", "__Host-valet-user").unwrap();
        let path = |request: Authorize| request.url().strip_prefix(ISSUER).unwrap().to_owned();
        for fields in sets() {
            // On to Entra, and back to us.
            let ask =
                Ask::get(&path(Authorize::default())).header("cookie", &format!("{}={}", known.0, known.1));
            let onward = asked(&rig, ask, &fields).await;
            let location = onward.field("location");
            assert!(location.starts_with(&rig.emulator.authority_url()), "{fields:?}: {onward:?}");
            assert!(
                location.contains("redirect_uri=https%3A%2F%2Fvalet.example%2Fauth%2Fcallback"),
                "{fields:?}: {location}"
            );
            assert!(!location.contains("evil"), "{location}");
            // To the client, which learns who we are.
            let refused =
                asked(&rig, Ask::get(&path(Authorize::default().set("scope", "mcp.admin"))), &fields).await;
            let location = reqwest::Url::parse(refused.field("location")).unwrap();
            let issuer = location.query_pairs().find(|(name, _)| name == "iss").unwrap().1.into_owned();
            assert!(location.as_str().starts_with(REDIRECT_URI), "{fields:?}: {location}");
            assert_eq!(issuer, ISSUER, "{fields:?}");
        }
        sign_in(&rig, &mut browser).await;
    });
}

#[test]
fn nobody_is_let_through_for_a_field() {
    run(async {
        let rig = rig().await;
        for fields in sets() {
            // No token, no client, no permission.
            let call = asked(&rig, Ask::tool("whoami"), &fields).await;
            assert_eq!(call.status, 401, "{fields:?}: {call:?}");
            for (path, form, expected) in [
                ("/oauth/token", "grant_type=authorization_code&code=x", (401, "invalid_client")),
                ("/oauth/revoke", "token=x", (401, "invalid_client")),
            ] {
                let ask = Ask::get(path)
                    .verb("POST")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(form);
                let (status, error) = oauth::error(&asked(&rig, ask, &fields).await);
                assert_eq!((status, error.as_str()), expected, "{path} {fields:?}");
            }
            let form = "transaction=x&csrf=x&decision=allow";
            let ask = Ask::get("/oauth/consent")
                .verb("POST")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form);
            assert_eq!(asked(&rig, ask, &fields).await.status, 403, "{fields:?}");
            let callback = asked(&rig, Ask::get("/auth/callback?code=x&state=x"), &fields).await;
            assert!((400..500).contains(&callback.status), "{fields:?}: {callback:?}");
            // What is off is off.
            let register =
                Ask::get("/oauth/register").verb("POST").header("content-type", "application/json");
            assert_eq!(asked(&rig, register.body("{}"), &fields).await.status, 404, "{fields:?}");
        }
        sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
    });
}

#[test]
fn paths_are_what_they_say() {
    run(async {
        let rig = rig().await;
        for target in [
            "/oauth/token/../../healthz",
            "/healthz/../oauth/authorize",
            "/oauth/%2e%2e/healthz",
            "//oauth/token",
            "/oauth//token",
            "/oauth/token%2f",
            "/oauth/token;x",
            "/OAUTH/token",
            "/oauth/authorize%00",
            "/mcp/../oauth/authorize",
        ] {
            let mut wire = Wire::open(rig.address).await;
            let first = format!("GET {target} HTTP/1.1");
            wire.send(request(&first, &[("host", "valet.example")], "")).await;
            let answer = wire.rest(std::time::Duration::from_secs(12)).await.unwrap();
            assert!(
                answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"),
                "{target}: {answer}"
            );
        }
        // A fragment and a further query are no way around either.
        for target in ["/oauth/token#/healthz", "/oauth/token?/healthz", "/oauth/token?x=/healthz"] {
            let mut wire = Wire::open(rig.address).await;
            let first = format!("POST {target} HTTP/1.1");
            let fields = [("host", "valet.example"), ("content-type", "application/x-www-form-urlencoded")];
            wire.send(request(&first, &fields, "grant_type=authorization_code&code=x")).await;
            let answer = wire.rest(std::time::Duration::from_secs(12)).await.unwrap();
            assert!(
                answer.starts_with("HTTP/1.1 401") || answer.starts_with("HTTP/1.1 400"),
                "{target}: {answer}"
            );
        }
        sign_in(&rig, &mut Browser::new(&rig, ids::ADELE_UPN)).await;
    });
}
