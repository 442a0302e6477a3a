//! What the split layout promises beyond the cases: the public part holds nothing, and the private part believes nobody.

use entra_emulator::ids;
use http_body_util::BodyExt as _;
use hyper::{Request, Response};
use serde_json::{Value, json};
use wasmtime_wasi_http::{Error, WasiBody, WasiHttpHooks as _};

use crate::application::body;
use crate::bench::{Bench, Layout, SEALING_KEY, Token};
use crate::cases;

/// What the public part would send for a tool that asks for the caller's profile.
fn profile() -> String {
    let scopes = ["https://graph.microsoft.com/User.Read"];
    json!({ "method": "GET", "path": "/v1.0/me", "query": [], "scopes": scopes }).to_string()
}

/// A request straight to the custodian, as the public part would send one.
async fn ask(bench: &Bench, method: &str, path: &str, token: Option<&str>, text: String) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(format!("http://custodian.spin.internal{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let answer: Response<WasiBody> =
        bench.application.run("custodian", request.body(body(text)).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.into()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_custodian_acts_only_for_a_token_that_it_verified_itself() {
    let bench = Bench::start(Layout::Split).await;
    let good = bench.token(Token::Adele);
    let (status, answer) = ask(&bench, "POST", "/requests", good.as_deref(), profile()).await;
    assert_eq!(status, 200, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["response"]["status"], 200, "{answer}");

    let graph_calls = || bench.emulator.faults().count(entra_emulator::Operation::Graph);
    let (before, exchanges) =
        (graph_calls(), bench.emulator.faults().count(entra_emulator::Operation::Token));
    use Token::{BadSignature, Expired, ForeignTenant, Garbage, None, WrongAudience};
    for token in [None, Garbage, BadSignature, Expired, ForeignTenant, WrongAudience] {
        let answer = ask(&bench, "POST", "/requests", bench.token(token).as_deref(), profile()).await;
        assert_eq!(answer, (401, String::new()), "{token:?}");
    }
    // A good token for a request that is none of ours, and one that tries another host.
    for text in
        ["", "{}", r#"{"method":"GET","path":"/v1.0/me","query":[],"scopes":[],"host":"evil.example"}"#]
    {
        let answer = ask(&bench, "POST", "/requests", good.as_deref(), text.to_owned()).await;
        assert_eq!(answer, (400, String::new()), "{text}");
    }
    let evil = profile().replace("/v1.0/me", "@evil.example/");
    let (status, answer) = ask(&bench, "POST", "/requests", good.as_deref(), evil).await;
    assert!(status == 200 && answer.contains(r#""refused""#), "{answer}");
    assert_eq!(graph_calls(), before, "nothing was sent to Graph");
    let after = bench.emulator.faults().count(entra_emulator::Operation::Token);
    assert_eq!(after, exchanges, "no token was exchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_custodian_has_three_routes() {
    let bench = Bench::start(Layout::Split).await;
    let good = bench.token(Token::Adele);
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/requests"),
        ("POST", "/keys"),
        ("POST", "/mcp"),
        ("GET", "/keys/"),
        ("GET", "/keys?x"),
        ("GET", "//keys"),
        ("GET", "/.well-known/oauth-protected-resource"),
    ] {
        let answer = ask(&bench, method, path, good.as_deref(), String::new()).await;
        assert_eq!(answer, (404, String::new()), "{method} {path}");
    }
    for path in ["/keys/current/", "/keys/newer/"].map(|path| format!("{path}{}", ids::TENANT)) {
        let (status, keys) = ask(&bench, "GET", &path, None, String::new()).await;
        assert_eq!(status, 200, "{keys}");
        assert!(keys.contains(&bench.emulator.signing_kid()) && !keys.contains(ids::VALET_SECRET), "{keys}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_outside_reaches_the_custodian() {
    let bench = Bench::start(Layout::Split).await;
    let token = bench.token(Token::Adele).unwrap();
    for host in ["custodian.spin.internal", "custodian.spin.internal:80", "localhost"] {
        for path in ["/requests", "/keys"] {
            let request =
                bench.http.post(bench.url(path)).header("host", host).bearer_auth(&token).body(profile());
            assert_eq!(request.send().await.unwrap().status(), 404, "{host} {path}");
        }
    }
}

/// The public part taken over whole: whatever code runs there, this is all that it is lent.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_lent_no_secret_no_store_and_no_network() {
    let bench = Bench::start(Layout::Split).await;
    let mut state = bench.application.instance("server");

    let names: Vec<&str> = state.variables.names().collect();
    assert!(names.contains(&"policy") && names.contains(&"resource"), "{names:?}");
    assert!(!names.contains(&"client_secret") && !names.contains(&"sealing_key"), "{names:?}");
    let settings = bench.manifest.settings(&bench.manifest.component["server"], &bench.given);
    for (name, value) in &settings {
        assert!(!value.contains(ids::VALET_SECRET) && !value.contains(SEALING_KEY), "{name}");
    }
    assert_eq!(state.keyvalue.granted().count(), 0);

    for url in [
        &bench.given["authority"],
        &bench.given["graph_url"],
        "https://evil.example",
        "http://server.spin.internal",
    ] {
        let request = Request::get(format!("{url}/")).body(body("")).unwrap();
        let sent = Box::into_pin(state.hooks.send_request(request, None, Box::new(async { Ok(()) }))).await;
        assert!(matches!(sent, Err(Error::HttpRequestDenied)), "{url}");
    }
}

/// The same by experiment: the whole of Valet in the public part's place, with the public part's grants.
#[tokio::test(flavor = "multi_thread")]
async fn code_that_needs_more_than_the_grants_of_the_server_fails_there() {
    let single = crate::manifest::root().join("deploy/spin/artifacts/single.wasm");
    let bench = Bench::start_with(Layout::Split, &[("server", &single)]).await;
    let token = bench.token(Token::Adele).unwrap();
    let answer = cases::call(&bench, "GetUserDetailsFromGraph", &token).await;
    assert_eq!(answer.status(), 503);
    let log = bench.application.log();
    assert!(log.contains("does not cover this URL"), "{log}");
    assert_eq!(bench.emulator.faults().count(entra_emulator::Operation::Keys), 0);
}
