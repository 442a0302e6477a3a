//! Tokens of every shape that Entra issues, against both portable layouts: accepted or refused as Entra's documentation says, and why. `native/shapes.rs` has the same
//! for our host.

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
    for (name, token, status, reason) in [
        ("a member", good.clone(), 200, "permitted"),
        ("in more groups than a token holds", user(ids::GERDA_UPN), 200, "permitted"),
        ("a guest", user(ids::FARAH_GUEST_UPN), 200, "permitted"),
        (
            "v1",
            changed(
                &bench,
                TokenVersion::V1,
                json!({ "ver": "1.0", "iss": v1, "appid": ids::DEMO_CLIENT.to_string() }),
            ),
            200,
            "permitted",
        ),
        (
            "of a client that understands challenges",
            changed(&bench, TokenVersion::V2, json!({ "xms_cc": ["cp1"] })),
            200,
            "permitted",
        ),
        ("with roles", changed(&bench, TokenVersion::V2, json!({ "roles": ["Operator"] })), 200, "permitted"),
        (
            "marked as a user's",
            changed(&bench, TokenVersion::V2, json!({ "idtyp": "user" })),
            200,
            "permitted",
        ),
        // The policy lets no application call.
        (
            "an application's own",
            emulator.app_token(ids::DAEMON, ids::VALET, &[ids::VALET_APP_ROLE]).unwrap(),
            403,
            "missing_role",
        ),
        ("a user of another tenant", user(ids::FARAH_UPN), 401, "foreign_tenant"),
        ("an ID token", emulator.id_token(ids::ADELE_UPN, ids::VALET, None).unwrap(), 401, "missing_claim"),
        (
            "a token for Graph",
            emulator.access_token(ids::ADELE_UPN, ids::VALET, GRAPH_APP_ID, &["User.Read"]).unwrap(),
            401,
            "unsupported",
        ),
        (
            "v1 for another API",
            emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::LEDGER, &["entries.read"]).unwrap(),
            401,
            "wrong_audience",
        ),
        (
            "v1 with the issuer of v2",
            changed(&bench, TokenVersion::V1, json!({ "ver": "1.0", "appid": ids::DEMO_CLIENT.to_string() })),
            401,
            "wrong_issuer",
        ),
        (
            "bound to a key",
            changed(&bench, TokenVersion::V2, json!({ "cnf": { "jkt": "x" } })),
            401,
            "bound_token",
        ),
        (
            "neither scopes nor roles",
            changed(&bench, TokenVersion::V2, json!({ "scp": null, "roles": null })),
            401,
            "not_an_access_token",
        ),
        (
            "without an object id",
            changed(&bench, TokenVersion::V2, json!({ "oid": null })),
            401,
            "missing_claim",
        ),
    ] {
        let answer = cases::call(&bench, "whoami", &token).await;
        assert_eq!(answer.status(), status, "{layout:?}: {name}: {}", answer.text().await.unwrap());
        assert_eq!(bench.last_reason(), reason, "{layout:?}: {name}");
        assert_eq!(cases::call(&bench, "whoami", &good).await.status(), 200, "after {name}");
    }

    applications_and_version_1(layout, &bench).await;
}

/// Applications where the policy lets them; then the same and a user with tokens of version 1, as Entra issues them for a registration that asks for that.
async fn applications_and_version_1(layout: Layout, bench: &Bench) {
    let emulator = &bench.emulator;
    let policy = json!({ "tools": { "whoami": { "roles": [ids::VALET_APP_ROLE], "applications": true } } });
    bench.vary(&[("policy", &policy.to_string())]);
    let app = |role| emulator.app_token(ids::DAEMON, ids::VALET, &[role]).unwrap();
    for (name, token, status, reason) in [
        ("an application with the role", app(ids::VALET_APP_ROLE), 200, "permitted"),
        ("an application with another role", app("Other"), 403, "missing_role"),
        ("an application with the role, again", app(ids::VALET_APP_ROLE), 200, "permitted"),
    ] {
        let answer = cases::call(bench, "whoami", &token).await;
        assert_eq!(answer.status(), status, "{layout:?}: {name}: {}", answer.text().await.unwrap());
        assert_eq!(bench.last_reason(), reason, "{layout:?}: {name}");
    }

    emulator.change_registrations(|all| {
        all.app_mut(ids::VALET).unwrap().requested_access_token_version = TokenVersion::V1;
    });
    let policy = json!({ "tools": { "whoami": { "roles": [ids::VALET_APP_ROLE, ids::VALET_ROLE], "applications": true } } });
    let policy = policy.to_string();
    let tokens = [
        (
            "a user",
            emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap(),
        ),
        ("an application", app(ids::VALET_APP_ROLE)),
    ];
    for (uri, status, reason) in [("", 401, "wrong_audience"), (ids::VALET_URI, 200, "permitted")] {
        bench.vary(&[("policy", &policy), ("audience_uri", uri)]);
        for (who, token) in &tokens {
            let answer = cases::call(bench, "whoami", token).await;
            assert_eq!(
                answer.status(),
                status,
                "{layout:?}: {who}, {uri:?}: {}",
                answer.text().await.unwrap()
            );
            assert_eq!(bench.last_reason(), reason, "{layout:?}: {who}, {uri:?}");
        }
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
