//! The cases of `cases.toml` on each layout.

use crate::application::Sent;
use crate::bench::{Bench, Layout, SEALING_KEY, Token};
use crate::cases;
use entra_emulator::ids;
use hyper::Method;

async fn check(layout: Layout) -> Bench {
    let bench = Bench::start(layout).await;
    let cases = cases::all();
    let good = &cases[0];
    let mut differences = Vec::new();
    for case in &cases {
        differences.extend(cases::check(&bench, case).await.err());
        if let Err(difference) = cases::check(&bench, good).await {
            differences.push(format!("after {}: {difference}", case.name));
        }
    }
    let log = bench.application.log();
    assert!(differences.is_empty(), "{layout:?}:\n{}\nlog:\n{log}", differences.join("\n"));
    // The log is an audit trail, and no place for tokens and secrets.
    for word in [
        r#""reason":"expired""#,
        "the verifier's setting `leeway` is unusable",
        "AADSTS7000215",
        "the runtime's list of allowed hosts does not cover this URL",
    ] {
        assert!(log.contains(word), "{word} in {log}");
    }
    for secret in [ids::VALET_SECRET, SEALING_KEY, "a-wrong-secret", "eyJ"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn single_serves_the_cases() {
    check(Layout::Single).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn split_serves_the_cases() {
    let bench = check(Layout::Split).await;
    let sent = bench.application.sent.lock().unwrap().clone();
    for request in sent.iter().filter(|request| request.from == "server") {
        assert!(request.url.starts_with("http://custodian.spin.internal/"), "{request:?}");
    }
    // One case has a setting that the grants do not cover, and is refused; cases.toml says which.
    let covered = |request: &&Sent| !request.url.starts_with("https://graph.microsoft.com/");
    for request in sent.iter().filter(|request| request.from == "custodian").filter(covered) {
        let allowed = [&bench.given["authority"], &bench.given["graph_url"]];
        assert!(allowed.iter().any(|origin| request.url.starts_with(&format!("{origin}/"))), "{request:?}");
    }
    // Neither chunked without need, nor a body where there is none.
    for request in &sent {
        assert_eq!(request.content_length.is_some(), request.method == Method::POST, "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_tokens_are_kept_between_requests() {
    use entra_emulator::Operation::{Graph, Keys, Metadata, OnBehalfOf};
    for layout in [Layout::Single, Layout::Split] {
        let bench = Bench::start(layout).await;
        let token = bench.token(Token::Adele).unwrap();
        let counts = bench.emulator.faults();
        for calls in 1..=3 {
            let answer = cases::call(&bench, "GetUserDetailsFromGraph", &token).await;
            assert_eq!(answer.status(), 200);
            let counted = [Metadata, Keys, OnBehalfOf, Graph].map(|operation| counts.count(operation));
            assert_eq!(counted, [1, 1, 1, calls], "{layout:?}");
        }
    }
}
