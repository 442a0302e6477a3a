//! What is in tokens and documents: v1 and v2, Graph's signature, exact metadata.

use entra_emulator::{GRAPH_APP_ID, KID_PREFIX, TokenVersion, ids};
use serde_json::Value;

use crate::bench::{Bench, claims, header, valet_scope};

fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_v2_access_token() {
    let bench = Bench::start().await;
    let token =
        bench.emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &["mcp.access"]).unwrap();
    assert!(bench.verifies(&token).await);
    assert_eq!(names(&header(&token)), ["alg", "kid", "typ"]);
    let got = claims(&token);
    let expected =
        "aio aud azp azpacr exp iat iss name nbf oid preferred_username rh roles scp sub tid uti ver";
    assert_eq!(names(&got).join(" "), expected);
    assert_eq!(got["iss"], bench.emulator.issuer(TokenVersion::V2, ids::TENANT));
    assert_eq!((got["azpacr"].as_str(), got["ver"].as_str()), (Some("0"), Some("2.0")));
    assert_eq!(got["roles"], serde_json::json!([ids::VALET_ROLE]));
    let life = got["exp"].as_i64().unwrap() - got["iat"].as_i64().unwrap();
    assert!((3600..5400).contains(&life), "{life}");
}

#[tokio::test]
async fn a_v1_access_token() {
    let bench = Bench::start().await;
    let token = bench
        .emulator
        .access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::LEDGER, &["entries.read"])
        .unwrap();
    assert!(bench.verifies(&token).await);
    assert_eq!(names(&header(&token)), ["alg", "kid", "typ", "x5t"]);
    let got = claims(&token);
    let expected = "acr aio amr appid appidacr aud exp family_name given_name iat idp iss name nbf oid rh scp sub tid \
         unique_name upn uti ver";
    assert_eq!(names(&got).join(" "), expected);
    assert_eq!(got["iss"], format!("{}/sts/{}/", bench.emulator.authority_url(), ids::TENANT));
    assert_eq!((got["aud"].as_str(), got["ver"].as_str()), (Some(ids::LEDGER_URI), Some("1.0")));
}

#[tokio::test]
async fn a_graph_token_does_not_verify_by_ordinary_means() {
    let bench = Bench::start().await;
    let token =
        bench.emulator.access_token(ids::ADELE_UPN, ids::VALET, GRAPH_APP_ID, &["User.Read"]).unwrap();
    assert!(header(&token)["nonce"].is_string());
    assert!(!bench.verifies(&token).await);
    assert_eq!(bench.graph("/v1.0/me", &token).await.status(), 200);
}

#[tokio::test]
async fn metadata_has_what_entra_has_and_no_more() {
    let bench = Bench::start().await;
    let base = bench.emulator.authority_url();
    let v2 = bench.json(&bench.login("v2.0/.well-known/openid-configuration")).await;
    for absent in ["code_challenge_methods_supported", "registration_endpoint", "grant_types_supported"] {
        assert!(v2.get(absent).is_none(), "{absent}");
    }
    assert_eq!(v2["x-emulator"], true);
    assert_eq!(v2["issuer"], format!("{base}/{}/v2.0", ids::TENANT));
    assert_eq!(v2["token_endpoint"], bench.login("oauth2/v2.0/token"));
    let by_domain =
        bench.json(&format!("{base}/{}/v2.0/.well-known/openid-configuration", ids::DOMAIN)).await;
    assert_eq!(by_domain, v2, "a domain resolves to the id");
    let common = bench.json(&format!("{base}/common/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(common["issuer"], format!("{base}/{{tenantid}}/v2.0"));
    assert_eq!(common["jwks_uri"], format!("{base}/common/discovery/v2.0/keys"));
    let v1 = bench.json(&bench.login(".well-known/openid-configuration")).await;
    assert_eq!(v1["issuer"], bench.emulator.issuer(TokenVersion::V1, ids::TENANT));
    let unknown = bench.json(&format!("{base}/nobody.example/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(unknown["error_codes"], serde_json::json!([90002]));
}

#[tokio::test]
async fn key_documents() {
    let bench = Bench::start().await;
    let base = bench.emulator.authority_url();
    let v2 = bench.json(&bench.login("discovery/v2.0/keys")).await;
    let keys = v2["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    for key in keys {
        assert_eq!(names(key).join(" "), "e issuer kid kty n use x5c x5t");
        assert!(key["kid"].as_str().unwrap().starts_with(KID_PREFIX));
        assert_eq!(key["kid"], key["x5t"]);
    }
    let templated = format!("{base}/{{tenantid}}/v2.0");
    assert_eq!(keys.iter().filter(|k| k["issuer"] == templated).count(), 2);
    let v1 = bench.json(&bench.login("discovery/keys")).await;
    assert_eq!(names(&v1["keys"][0]).join(" "), "e kid kty n use x5c x5t");
}

#[tokio::test]
async fn client_info_names_the_home_account() {
    use base64::Engine as _;
    let bench = Bench::start().await;
    let code = bench.code(&valet_scope()).await;
    let mut redeem = crate::bench::redeem(&code);
    redeem.push(("client_info", "1"));
    let (_, body) = bench.token(&redeem).await;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let info: Value =
        serde_json::from_slice(&engine.decode(body["client_info"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(info, serde_json::json!({ "uid": ids::ADELE, "utid": ids::TENANT }));
    assert_eq!(body["scope"], format!("{}/mcp.access", ids::VALET_URI));
}
