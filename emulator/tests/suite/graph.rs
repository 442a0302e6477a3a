//! Graph: profiles, refusals in Graph's shape, and the fault plan.

use std::time::{Duration, Instant};

use entra_emulator::{Endpoint, Fault, GRAPH_APP_ID, Operation, RetryAfter, Signer, ids};
use serde_json::Value;

use crate::bench::Bench;

fn token(bench: &Bench, upn: &str, scope: &str) -> String {
    bench.emulator.access_token(upn, ids::VALET, GRAPH_APP_ID, &[scope]).unwrap()
}

#[tokio::test]
async fn me_with_and_without_select() {
    let bench = Bench::start().await;
    let alex = token(&bench, ids::ALEX_UPN, "User.Read");
    let response = bench.graph("/v1.0/me", &alex).await;
    assert!(response.headers().contains_key("request-id"));
    let me: Value = response.json().await.unwrap();
    assert_eq!(me["displayName"], "Alex Wilber");
    assert_eq!(me["mobilePhone"], Value::Null);
    assert_eq!(me.as_object().unwrap().len(), 12);
    let some: Value = bench.graph("/v1.0//me?$select=displayName,mail", &alex).await.json().await.unwrap();
    assert_eq!(some.as_object().unwrap().len(), 3, "{some}");
    let bad = bench.graph("/v1.0/me?%24select=shoeSize", &alex).await;
    assert_eq!(bad.status(), 400);
    let sdk = bench.graph("/v1.0/users/me-token-to-replace", &alex).await;
    assert_eq!(sdk.status(), 200);
}

#[tokio::test]
async fn refusals() {
    let bench = Bench::start().await;
    let id = "11111111-2222-4333-8444-555555555555";
    let url = format!("{}/v1.0/me", bench.emulator.graph_url());
    let none = bench.http.get(&url).header("client-request-id", id).send().await.unwrap();
    assert_eq!(none.status(), 401);
    assert!(none.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
    assert_eq!(none.headers()["client-request-id"], id);
    let body: Value = none.json().await.unwrap();
    assert_eq!(body["error"]["code"], "InvalidAuthenticationToken");
    assert_eq!(body["error"]["innerError"]["client-request-id"], id);

    let ours =
        bench.emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &["mcp.access"]).unwrap();
    assert_eq!(bench.graph("/v1.0/me", &ours).await.status(), 401, "a token for Valet is none for Graph");
    let mail = bench.graph("/v1.0/me", &token(&bench, ids::ADELE_UPN, "Mail.Read")).await;
    assert_eq!(mail.status(), 403);
    let body: Value = mail.json().await.unwrap();
    assert_eq!(body["error"]["code"], "Authorization_RequestDenied");
    let read = token(&bench, ids::ADELE_UPN, "User.Read");
    assert_eq!(bench.graph("/v1.0/planets", &read).await.status(), 404);
    bench.emulator.advance_clock(Duration::from_secs(5401));
    assert_eq!(bench.graph("/v1.0/me", &read).await.status(), 401);
}

#[tokio::test]
async fn graphs_signature_does_not_make_up_for_a_wrong_claim() {
    let bench = Bench::start().await;
    let good = token(&bench, ids::ADELE_UPN, "User.Read");
    let (header, claims) = (crate::bench::header(&good), crate::bench::claims(&good));
    let status = async |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        let token = bench.emulator.forge_for_graph(&header, &claims, Signer::Live);
        bench.graph("/v1.0/me", &token).await.status().as_u16()
    };
    assert_eq!(status("aud", claims["aud"].clone()).await, 200);
    assert_eq!(status("aud", ids::VALET.to_string().into()).await, 401);
    assert_eq!(status("exp", 1.into()).await, 401);
    assert_eq!(status("exp", "soon".into()).await, 401);
    assert_eq!(status("scp", "User.Reader".into()).await, 403, "scopes are whole words");
    let stranger = bench.emulator.forge_for_graph(&header, &claims, Signer::Stranger);
    assert_eq!(bench.graph("/v1.0/me", &stranger).await.status(), 401);
}

#[tokio::test]
async fn users_of_the_same_tenant() {
    let bench = Bench::start().await;
    let token = token(&bench, ids::ADELE_UPN, "User.ReadBasic.All");
    assert_eq!(bench.graph(&format!("/v1.0/users/{}", ids::ALEX), &token).await.status(), 200);
    assert_eq!(bench.graph(&format!("/v1.0/users/{}", ids::FARAH), &token).await.status(), 404);
}

#[tokio::test]
async fn the_fault_plan() {
    let bench = Bench::start().await;
    let (faults, token) = (bench.emulator.faults(), token(&bench, ids::ADELE_UPN, "User.Read"));
    let status = |code, retry_after| Fault::Status { code, retry_after };
    faults.set_times(Endpoint::Graph, status(429, Some(RetryAfter::Seconds(7))), 1);
    let throttled = bench.graph("/v1.0/me", &token).await;
    assert_eq!(
        (throttled.status().as_u16(), throttled.headers()["retry-after"].to_str().unwrap()),
        (429, "7")
    );
    assert_eq!(bench.graph("/v1.0/me", &token).await.status(), 200);

    faults.set(Endpoint::Graph, status(503, Some(RetryAfter::DateIn(Duration::from_secs(5)))));
    let busy = bench.graph("/v1.0/me", &token).await;
    assert!(busy.headers()["retry-after"].to_str().unwrap().ends_with(" GMT"));

    faults.set(Endpoint::Graph, Fault::Reset);
    let url = format!("{}/v1.0/me", bench.emulator.graph_url());
    assert!(bench.http.get(url).send().await.is_err());

    faults.set(Endpoint::Graph, Fault::Delay(Duration::from_millis(80)));
    let before = Instant::now();
    assert_eq!(bench.graph("/v1.0/me", &token).await.status(), 200);
    assert!(before.elapsed() >= Duration::from_millis(80));

    faults.clear_all();
    faults.set(Endpoint::Keys, status(500, None));
    let keys = bench.http.get(bench.login("discovery/v2.0/keys")).send().await.unwrap();
    assert_eq!(keys.status(), 500);
    assert!(faults.count(Operation::Graph) >= 5);
    assert_eq!(faults.count(Operation::Keys), 1);
}

#[tokio::test]
async fn two_host_names() {
    let options = entra_emulator::Options { graph_host: "127.0.0.1".into(), ..Default::default() };
    let bench = Bench::start_with(options).await;
    let token = token(&bench, ids::ADELE_UPN, "User.Read");
    assert_eq!(bench.graph("/v1.0/me", &token).await.status(), 200);
    let wrong = format!("{}/v1.0/me", bench.emulator.authority_url());
    assert_eq!(bench.http.get(wrong).bearer_auth(&token).send().await.unwrap().status(), 421);
}
