//! Which requests a planned fault hits: by path, by grant type, by count; from code and from the registrations file.

use entra_emulator::{
    Endpoint, Fault, GRAPH_APP_ID, Operation, Options, PlannedFault, Registrations, RetryAfter, SAMPLE_TOML,
    ids,
};

use crate::bench::{Bench, valet_scope};

fn status(code: u16) -> Fault {
    Fault::Status { code, retry_after: None }
}

async fn graph(bench: &Bench, path: &str) -> u16 {
    let token = bench.emulator.access_token(
        ids::ADELE_UPN,
        ids::VALET,
        GRAPH_APP_ID,
        &["User.ReadBasic.All User.Read"],
    );
    bench.graph(path, &token.unwrap()).await.status().as_u16()
}

#[tokio::test]
async fn below_a_path_only() {
    let bench = Bench::start().await;
    bench
        .emulator
        .faults()
        .plan(PlannedFault::new(Endpoint::Graph, status(503)).path("/v1.0/users"))
        .unwrap();
    assert_eq!(graph(&bench, "/v1.0/me").await, 200);
    assert_eq!(graph(&bench, &format!("/v1.0/users/{}", ids::ALEX)).await, 503);
    bench.emulator.faults().clear(Endpoint::Graph);
    assert_eq!(graph(&bench, &format!("/v1.0/users/{}", ids::ALEX)).await, 200);
}

#[tokio::test]
async fn one_grant_type_only() {
    let bench = Bench::start().await;
    let planned = PlannedFault::new(Endpoint::Login, status(503)).grant_type("refresh_token").times(1);
    bench.emulator.faults().plan(planned).unwrap();
    let (given, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    assert_eq!(given, 200, "the code is another grant: {tokens}");
    let (client, token) = (ids::DEMO_CLIENT.to_string(), tokens["refresh_token"].as_str().unwrap());
    let refresh = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", token)];
    assert_eq!(bench.token(&refresh).await.0, 503);
    assert_eq!(bench.token(&refresh).await.0, 200);
    let faults = bench.emulator.faults();
    assert_eq!((faults.count(Operation::Token), faults.count(Operation::Refresh)), (3, 1));
}

#[tokio::test]
async fn every_third_and_in_order() {
    let bench = Bench::start().await;
    let faults = bench.emulator.faults();
    faults.plan(PlannedFault::new(Endpoint::Graph, status(500)).every(3)).unwrap();
    faults.plan(PlannedFault::new(Endpoint::Graph, status(429)).times(1)).unwrap();
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(graph(&bench, "/v1.0/me").await);
    }
    assert_eq!(seen, [429, 200, 500, 200, 200, 500], "what the first lets pass, the second may take");
}

#[tokio::test]
async fn parts_of_login() {
    let bench = Bench::start().await;
    let faults = bench.emulator.faults();
    let page = async || bench.approve(ids::ADELE_UPN, bench.authorize("openid")).await.0;
    let token = async || bench.token(&[("grant_type", "none")]).await.0;
    faults.set(Endpoint::Authorize, status(503));
    assert_eq!((page().await, token().await), (503, 400));
    faults.clear_all();
    faults.set(Endpoint::Token, status(503));
    assert_eq!((page().await, token().await), (302, 503));
    faults.clear_all();
    faults.set(Endpoint::Login, status(503));
    assert_eq!((page().await, token().await), (503, 503));
}

#[tokio::test]
async fn from_the_registrations_file() {
    let plan = "\n[[faults]]\nendpoint = \"graph\"\nstatus = 429\nretry_after = 1.5\ntimes = 1\npath = \"/v1.0/me\"\n";
    let registrations = Registrations::from_toml(&format!("{SAMPLE_TOML}{plan}")).unwrap();
    let expected = Fault::Status {
        code: 429,
        retry_after: Some(RetryAfter::Decimal(std::time::Duration::from_millis(1500))),
    };
    let planned = PlannedFault::new(Endpoint::Graph, expected).path("/v1.0/me").times(1);
    assert_eq!(registrations.faults, [planned]);
    let bench = Bench::start_with(Options { registrations, ..Options::default() }).await;
    assert_eq!((graph(&bench, "/v1.0/me").await, graph(&bench, "/v1.0/me").await), (429, 200));

    let wrong = plan.replace("429", "42");
    let error = Registrations::from_toml(&format!("{SAMPLE_TOML}{wrong}")).unwrap_err().to_string();
    assert!(error.contains("[[faults]]") && error.contains("status: must be 200 to 599"), "{error}");
}
