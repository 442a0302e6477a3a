//! Nothing secret leaks. Every rig searches its log and every body for tokens; here the search itself is tried, and a server logs all it can.

use std::panic::AssertUnwindSafe;

use entra_emulator::{Endpoint, Fault, Signer, TokenVersion, ids};
use serde_json::json;
use valet_suite::rig::emulator;
use valet_suite::{Ask, Rig, run};

/// A life with everything that handles a token: good calls, refused tokens, failing upstreams.
async fn live(rig: &Rig) {
    let token = rig.token(ids::ADELE_UPN);
    for tool in ["whoami", "GetUserDetailsFromGraph", "GetUserDetailsFromGraph", "nope"] {
        rig.call(tool, &token).await;
    }
    let forged = rig.emulator.forge(
        rig.emulator.header(TokenVersion::V2, Signer::Stranger),
        rig.claims(),
        Signer::Stranger,
    );
    for bad in [forged, format!("{token}x"), token.replace('.', "_"), format!("{token}.{token}")] {
        rig.call("whoami", &rig.keep(bad)).await;
    }
    rig.send(Ask::tool("whoami").header("authorization", &token)).await;
    rig.send(Ask::tool("whoami").path(&format!("/mcp?access_token={token}"))).await;
    rig.send(Ask::tool("whoami").path(&format!("/nowhere?access_token={token}"))).await;
    rig.send(Ask::tool("whoami").bearer(&token).header("origin", "https://evil.example")).await;
    rig.send(Ask::legacy("2025-11-25", "nope", json!({ "_meta": { "token": "x" } })).bearer(&token)).await;
    let two = rig.client().http1_only().build().unwrap();
    rig.send_with(&two, Ask::tool("GetUserDetailsFromGraph").bearer(&token)).await;
    for (endpoint, fault) in [
        (Endpoint::Login, Fault::Status { code: 400, retry_after: None }),
        (Endpoint::Login, Fault::Reset),
        (Endpoint::Graph, Fault::Status { code: 401, retry_after: None }),
        (Endpoint::Graph, Fault::Reset),
    ] {
        rig.emulator.faults().set_times(endpoint, fault, 1);
        rig.call("GetUserDetailsFromGraph", &rig.token(ids::ALEX_UPN)).await;
    }
}

#[test]
fn no_token_and_no_secret_is_in_any_log() {
    run(async {
        for level in ["debug", "trace"] {
            let rig = Rig::logging(level, emulator().await, |config| config).await;
            live(&rig).await;
            let text = rig.log().text();
            assert!(
                text.contains(&level.to_uppercase()) && text.contains("bad_signature"),
                "the log has {level} in it"
            );
            rig.inspect();
        }
    });
}

#[test]
fn the_search_finds_what_is_there() {
    run(async {
        let rig = Rig::start().await;
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        rig.inspect();
        let known = ids::ADELE.to_string();
        let other = Rig::start().await;
        other.call("whoami", &other.token(ids::ADELE_UPN)).await.result();
        let names_her = |event: &serde_json::Value| event.to_string().contains(&known);
        other.log().wait(0, "event about Adele", names_her).await;
        // A search for something that is in the log, as a token would be.
        let found = std::panic::catch_unwind(AssertUnwindSafe(|| {
            valet_suite::rig::search(&[known], "the log", &other.log().text())
        }));
        assert!(found.is_err());
    });
}
