//! Tokens of every shape that Entra issues, against both portable layouts: accepted or refused as Entra's documentation says. `native/shapes.rs` has the same with
//! the reason of each.

use entra_emulator::{GRAPH_APP_ID, GroupClaims, Signer, TokenVersion, ids};
use serde_json::{Value, json};

use crate::bench::{Bench, Layout};
use crate::cases;

/// Adele's token with changes, signed by the key in use.
fn changed(bench: &Bench, version: TokenVersion, changes: Value) -> String {
    let scopes = [ids::VALET_SCOPE];
    let mut claims = bench.emulator.claims_of(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &scopes).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    bench.emulator.forge(bench.emulator.header(version, Signer::Live), claims, Signer::Live)
}

async fn check(layout: Layout) {
    let bench = Bench::start(layout).await;
    let emulator = &bench.emulator;
    let user = |upn| emulator.access_token(upn, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap();
    let v1 = emulator.issuer(TokenVersion::V1, ids::TENANT);
    emulator.change_registrations(|all| {
        all.app_mut(ids::VALET).unwrap().group_membership_claims = GroupClaims::All;
    });
    let good = user(ids::ADELE_UPN);
    for (name, token, status) in [
        ("a member", good.clone(), 200),
        ("in more groups than a token holds", user(ids::GERDA_UPN), 200),
        ("a guest", user(ids::FARAH_GUEST_UPN), 200),
        (
            "v1",
            changed(
                &bench,
                TokenVersion::V1,
                json!({ "ver": "1.0", "iss": v1, "appid": ids::DEMO_CLIENT.to_string() }),
            ),
            200,
        ),
        (
            "of a client that understands challenges",
            changed(&bench, TokenVersion::V2, json!({ "xms_cc": ["cp1"] })),
            200,
        ),
        ("with roles", changed(&bench, TokenVersion::V2, json!({ "roles": ["Operator"] })), 200),
        ("marked as a user's", changed(&bench, TokenVersion::V2, json!({ "idtyp": "user" })), 200),
        // The policy lets no application call.
        (
            "an application's own",
            emulator.app_token(ids::DAEMON, ids::VALET, &[ids::VALET_APP_ROLE]).unwrap(),
            403,
        ),
        ("a user of another tenant", user(ids::FARAH_UPN), 401),
        ("an ID token", emulator.id_token(ids::ADELE_UPN, ids::VALET, None).unwrap(), 401),
        (
            "a token for Graph",
            emulator.access_token(ids::ADELE_UPN, ids::VALET, GRAPH_APP_ID, &["User.Read"]).unwrap(),
            401,
        ),
        (
            "v1 for another API",
            emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::LEDGER, &["entries.read"]).unwrap(),
            401,
        ),
        (
            "v1 with the issuer of v2",
            changed(&bench, TokenVersion::V1, json!({ "ver": "1.0", "appid": ids::DEMO_CLIENT.to_string() })),
            401,
        ),
        ("bound to a key", changed(&bench, TokenVersion::V2, json!({ "cnf": { "jkt": "x" } })), 401),
        (
            "neither scopes nor roles",
            changed(&bench, TokenVersion::V2, json!({ "scp": null, "roles": null })),
            401,
        ),
        ("without an object id", changed(&bench, TokenVersion::V2, json!({ "oid": null })), 401),
    ] {
        let answer = cases::call(&bench, "whoami", &token).await;
        assert_eq!(answer.status(), status, "{layout:?}: {name}: {}", answer.text().await.unwrap());
        assert_eq!(cases::call(&bench, "whoami", &good).await.status(), 200, "after {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn single_tells_every_shape_apart() {
    check(Layout::Single).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn split_tells_every_shape_apart() {
    check(Layout::Split).await;
}
