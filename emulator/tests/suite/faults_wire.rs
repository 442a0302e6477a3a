//! What a client gets to see of each fault, and that the service is itself again afterwards.

use std::time::Duration;

use entra_emulator::{Endpoint, Fault, FaultBody, GRAPH_APP_ID, RetryAfter, ids};
use reqwest::Response;
use serde_json::Value;

use crate::bench::{Bench, redeem, valet_scope};

async fn keys(bench: &Bench) -> Response {
    bench.http.get(bench.login("discovery/v2.0/keys")).send().await.unwrap()
}

fn kind(response: &Response) -> String {
    response.headers().get("content-type").map_or(String::new(), |v| v.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn retry_after_in_every_spelling() {
    let bench = Bench::start().await;
    let told = async |retry_after| {
        bench.emulator.faults().set(Endpoint::Keys, Fault::Status { code: 503, retry_after });
        let response = keys(&bench).await;
        assert_eq!(response.status(), 503);
        response.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned())
    };
    assert_eq!(told(None).await, None);
    assert_eq!(told(Some(RetryAfter::Seconds(7))).await.as_deref(), Some("7"));
    assert_eq!(told(Some(RetryAfter::Decimal(Duration::from_millis(1500)))).await.as_deref(), Some("1.5"));
    assert_eq!(told(Some(RetryAfter::Decimal(Duration::from_secs(2)))).await.as_deref(), Some("2.0"));
    assert_eq!(told(Some(RetryAfter::Text("soon".into()))).await.as_deref(), Some("soon"));
    let date = told(Some(RetryAfter::DateIn(Duration::from_secs(60)))).await.unwrap();
    assert!(date.ends_with(" GMT") && date.contains(", "), "{date}");
}

#[tokio::test]
async fn each_service_fails_in_its_own_style() {
    let bench = Bench::start().await;
    let fails = async |endpoint, path: &str, code| {
        bench.emulator.faults().set(endpoint, Fault::Status { code, retry_after: None });
        let url = format!("{}{path}", bench.emulator.authority_url());
        let response = bench.http.get(url).send().await.unwrap();
        assert_eq!(response.status(), code, "{path}");
        response.json::<Value>().await.unwrap()
    };
    assert_eq!(fails(Endpoint::Graph, "/v1.0/me", 429).await["error"]["code"], "TooManyRequests");
    let graph = fails(Endpoint::Graph, "/v1.0/no/such/path", 503).await;
    assert_eq!(graph["error"]["code"], "serviceNotAvailable");
    assert!(graph["error"]["innerError"]["request-id"].is_string());
    let token = "/common/oauth2/v2.0/token";
    for (code, number, error) in [
        (429, 90055, "temporarily_unavailable"),
        (503, 90033, "temporarily_unavailable"),
        (504, 90033, "temporarily_unavailable"),
        (500, 50000, "server_error"),
    ] {
        let body = fails(Endpoint::Token, token, code).await;
        assert_eq!((&body["error"], &body["error_codes"][0]), (&error.into(), &number.into()), "{body}");
        assert!(body["correlation_id"].is_string());
    }
    assert_eq!(fails(Endpoint::Vault, "/secrets/any", 429).await["error"]["code"], "Throttled");
    let identity = fails(Endpoint::ManagedIdentity, "/metadata/identity/oauth2/token", 500).await;
    assert_eq!(identity["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn bodies_of_somebody_else() {
    let bench = Bench::start().await;
    let answer = async |code, body| {
        bench.emulator.faults().set_times(Endpoint::Keys, Fault::Answer { code, retry_after: None, body }, 1);
        let response = keys(&bench).await;
        assert_eq!(response.status(), code);
        (kind(&response), response.text().await.unwrap())
    };
    let (kind, page) = answer(502, FaultBody::Html).await;
    assert!(kind.starts_with("text/html") && page.contains("<html>"), "{kind} {page}");
    assert_eq!(answer(503, FaultBody::Empty).await, (String::new(), String::new()));
    let (kind, text) = answer(200, FaultBody::NotJson).await;
    assert!(kind.starts_with("application/json") && serde_json::from_str::<Value>(&text).is_err(), "{text}");
    assert_eq!(answer(200, FaultBody::EmptyKeys).await.1, "{\"keys\":[]}");
    assert!(answer(503, FaultBody::Service).await.1.contains("AADSTS90033"));
    assert_eq!(keys(&bench).await.json::<Value>().await.unwrap()["keys"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_cut_answer_has_had_its_effect() {
    let bench = Bench::start().await;
    bench.emulator.faults().set_times(Endpoint::Token, Fault::CutOff, 1);
    let code = bench.code(&valet_scope()).await;
    let request = bench.http.post(bench.login("oauth2/v2.0/token")).form(&redeem(&code));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let promised: u64 = response.headers()["content-length"].to_str().unwrap().parse().unwrap();
    assert!(promised > 100, "{promised}");
    assert!(response.bytes().await.is_err(), "the connection ends in the middle");
    let (_, again) = bench.redeem(&code).await;
    assert_eq!(again["error_codes"][0], 54005, "the code was redeemed before the answer was lost");
    assert_eq!(bench.redeem(&bench.code(&valet_scope()).await).await.0, 200);
}

#[tokio::test]
async fn a_dripping_answer_is_whole_in_the_end() {
    let bench = Bench::start().await;
    let token = bench.emulator.access_token(ids::ALEX_UPN, ids::VALET, GRAPH_APP_ID, &["User.Read"]).unwrap();
    let path = "/v1.0/me?$select=displayName";
    let whole = bench.graph(path, &token).await.text().await.unwrap();
    bench.emulator.faults().set(Endpoint::Graph, Fault::Drip(Duration::from_millis(1)));
    let mut response = bench.graph(path, &token).await;
    assert_eq!(response.content_length(), Some(whole.len() as u64));
    let mut pieces = Vec::new();
    while let Some(piece) = response.chunk().await.unwrap() {
        pieces.push(piece);
    }
    assert!(pieces.len() > 1, "not in one piece");
    assert_eq!(pieces.concat(), whole.as_bytes());
}

#[tokio::test]
async fn the_wrong_type_over_the_right_body() {
    let bench = Bench::start().await;
    bench.emulator.faults().set(Endpoint::Keys, Fault::WrongType);
    let response = keys(&bench).await;
    assert_eq!((response.status().as_u16(), kind(&response).as_str()), (200, "text/html; charset=utf-8"));
    assert_eq!(response.json::<Value>().await.unwrap()["keys"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_huge_body_is_json_of_that_size() {
    let bench = Bench::start().await;
    bench.emulator.faults().set(Endpoint::Metadata, Fault::Huge { megabytes: 3 });
    let url = bench.login("v2.0/.well-known/openid-configuration");
    let response = bench.http.get(url).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.content_length()), (200, None), "streamed");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["padding"].as_str().unwrap().len(), 3 * 1024 * 1024);
}
