//! Packs that misbehave in our own host: each costs its own request only.

use std::time::{Duration, Instant};

use entra_emulator::{Emulator, Options, ids};
use serde_json::json;
use valet::config::{self, Config};
use valet::runtime::{Body, Request, Response, RunError, Runtime, SetUpError};

use super::guests::{compose, guest, target};
use crate::bench::Scratch;

/// The host with the native layout, and `pack` in the place of `graph-tools`.
async fn start(emulator: &Emulator, pack: &[u8]) -> Result<Runtime, SetUpError> {
    let (config, _folder) = configured(emulator, &compose("native/request", pack).unwrap());
    Runtime::new(config).await
}

/// The configuration of a host with the native layout and `request` as its request artifact, and the folder that it is in.
pub(super) fn configured(emulator: &Emulator, request: &[u8]) -> (Config, Scratch) {
    let folder = Scratch::new();
    for part in ["identity.wasm", "custodian.wasm"] {
        std::fs::copy(target().join("valet/native").join(part), folder.path().join(part)).unwrap();
    }
    folder.write("request.wasm", request);
    folder.write("ca.pem", emulator.ca_pem());
    let rule = "scopes = [\"mcp.access\"]\n";
    let tools: String =
        ["loop", "grow", "trap", "answer"].map(|tool| format!("[tools.{tool}]\n{rule}")).concat();
    let text = format!(
        "artifacts = \".\"\n\
         [server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://localhost:1/mcp\"\n\
         [entra]\ntenant = \"{}\"\nclient_id = \"{}\"\nauthority = \"{}\"\nv1_authority = \"{}/sts\"\nemulator = true\n\
         [graph]\nurl = \"{}\"\n\
         [egress]\nca_file = \"ca.pem\"\nallow_private_addresses = true\n\
         {tools}",
        ids::TENANT,
        ids::VALET,
        emulator.authority_url(),
        emulator.authority_url(),
        emulator.graph_url(),
    );
    let path = folder.write("valet.toml", text);
    let secret = ("VALET_CLIENT_SECRET".to_owned(), ids::VALET_SECRET.to_owned());
    (config::read(&path, [secret].into_iter()).unwrap(), folder)
}

pub(super) async fn emulator() -> Emulator {
    // Fails if another test was first, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Emulator::start(Options::default()).await.unwrap()
}

async fn call(runtime: &Runtime, token: &str, tool: &str) -> Result<Response, RunError> {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } });
    let headers = [
        ("host", "localhost:1".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("authorization", format!("Bearer {token}")),
    ];
    let request = Request {
        method: "POST".to_owned(),
        target: "/mcp".to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: message.to_string().into(),
        request_id: "test".to_owned(),
    };
    runtime.handle(request, std::net::Ipv4Addr::LOCALHOST.into()).await
}

#[track_caller]
fn well(answer: Result<Response, RunError>, after: &str) {
    let answer = answer.unwrap_or_else(|error| panic!("after {after}: {error}"));
    let Body::Whole(body) = answer.body else { panic!("after {after}: a stream") };
    let body = String::from_utf8(body).unwrap();
    assert!(answer.status == 200 && body.contains("I am well"), "after {after}: {} {body}", answer.status);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_that_misbehaves_costs_its_own_request() {
    let emulator = emulator().await;
    let runtime = start(&emulator, &guest("misbehaving.wat", "misbehaving")).await.unwrap();
    let token =
        emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap();
    well(call(&runtime, &token, "answer").await, "the start");
    for (tool, why) in [("trap", "unreachable"), ("grow", "unreachable"), ("loop", "interrupt")] {
        let begun = Instant::now();
        let fault = call(&runtime, &token, tool).await.err().expect(tool);
        let RunError::Trapped(error) = &fault else { panic!("{tool}: {fault}") };
        assert!(format!("{error:#}").contains(why), "{tool}: {error:#}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{tool} took {:?}", begun.elapsed());
        well(call(&runtime, &token, "answer").await, tool);
    }
    // One that loops leaves room for the others meanwhile.
    let (looped, others) = tokio::join!(call(&runtime, &token, "loop"), async {
        let begun = Instant::now();
        for _ in 0..5 {
            well(call(&runtime, &token, "answer").await, "a call beside a loop");
        }
        begun.elapsed()
    });
    assert!(looped.is_err() && others < Duration::from_millis(900), "{others:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_wants_tokens_is_not_started() {
    let refused = start(&emulator().await, &guest("thief.wat", "thief")).await.err();
    let Some(SetUpError::Link(error)) = refused else { panic!("{refused:?}") };
    assert!(format!("{error:#}").contains("valet:identity/assertion@0.1.0"), "{error:#}");
}
