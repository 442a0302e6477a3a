//! What clients find before they have anything.

use serde_json::json;
use valet_suite::Ask;
use valet_suite::config::ENDPOINT;
use valet_suite::oauth::ISSUER;
use valet_suite::run;

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
