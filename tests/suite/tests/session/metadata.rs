//! What clients find before they have anything.

use entra_emulator::ids;
use serde_json::json;
use valet_suite::browser::Browser;
use valet_suite::config::{ENDPOINT, list};
use valet_suite::oauth::{Authorize, ISSUER, sign_in};
use valet_suite::rig::shared_emulator;
use valet_suite::{Ask, Rig, log, run};

use crate::rig;

#[test]
fn a_client_finds_its_way_from_a_refusal_to_the_token_endpoint() {
    run(async {
        let rig = rig().await;
        let refused = rig.send(Ask::tool("whoami")).await;
        assert_eq!(refused.status, 401);
        let challenge = refused.field("www-authenticate");
        let place = format!("resource_metadata=\"{ISSUER}/.well-known/oauth-protected-resource/mcp\"");
        assert!(challenge.contains(&place), "{challenge}");

        let resource = rig.send(Ask::get("/.well-known/oauth-protected-resource/mcp")).await.json();
        assert_eq!(resource["resource"], ENDPOINT);
        assert_eq!(resource["authorization_servers"], json!([ISSUER]));
        assert_eq!(resource["scopes_supported"], json!(["mcp.access"]));

        for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
            let server = rig.send(Ask::get(path)).await;
            assert_eq!(server.field("content-type"), "application/json");
            let server = server.json();
            assert_eq!(server["issuer"], ISSUER, "{path}");
            assert_eq!(server["authorization_endpoint"], format!("{ISSUER}/oauth/authorize"));
            assert_eq!(server["token_endpoint"], format!("{ISSUER}/oauth/token"));
            assert_eq!(server["revocation_endpoint"], format!("{ISSUER}/oauth/revoke"));
            assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
            assert_eq!(server["authorization_response_iss_parameter_supported"], true);
            assert!(server["registration_endpoint"].is_null(), "off by default");
            assert_eq!(server["client_id_metadata_document_supported"], false, "off by default");
        }
        let keys = rig.send(Ask::get("/oauth/jwks.json")).await.json();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        assert!(keys["keys"][0]["d"].is_null() && keys["keys"][0]["n"].is_string(), "the public half alone");
    });
}

#[test]
fn methods_and_paths_that_are_not_there_are_refused() {
    run(async {
        let rig = rig().await;
        let answer = rig.send(Ask::get("/oauth/token")).await;
        assert_eq!((answer.status, answer.field("allow")), (405, "POST, OPTIONS"));
        for path in
            ["/oauth/", "/oauth/nothing", "/oauth/token/", "/.well-known/oauth-authorization-server/other"]
        {
            assert_eq!(rig.send(Ask::get(path)).await.status, 404, "{path}");
        }
        let preflight = rig.send(Ask::get("/oauth/token").verb("OPTIONS")).await;
        assert_eq!((preflight.status, preflight.field("access-control-allow-origin")), (204, "*"));
    });
}

#[test]
fn a_document_that_cannot_be_had_is_not_fetched_again_at_once() {
    run(async {
        let rig = Rig::start_with(shared_emulator().await, |config| {
            config.with_sessions().set("oauth.client_document_hosts", list(&["*"]))
        })
        .await;
        let mut browser = Browser::new(&rig, ids::ADELE_UPN);
        // RFC 6761: a name that there never is.
        let request = Authorize::default().set("client_id", "https://nobody.invalid/client.json");
        let mut details = Vec::new();
        for _ in 0..2 {
            let mark = rig.log().mark();
            assert_eq!(browser.step(&request.url()).await.status, 502);
            let event = rig.log().wait(mark, "a refusal", log::is_audit).await;
            details.push(log::audit_line(&event));
        }
        assert!(!details[0].contains("a moment ago"), "{details:?}");
        assert!(details[1].contains("a moment ago: "), "{details:?}");
        sign_in(&rig, &mut browser).await;
    });
}
