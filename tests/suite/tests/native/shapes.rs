//! Tokens of every shape that Entra issues: accepted or refused as Entra's documentation says, and why. The portable layouts have the same in `portable/shapes.rs`.

use entra_emulator::{GRAPH_APP_ID, GroupClaims, Signer, TokenVersion, ids};
use serde_json::{Value, json};
use valet_suite::check::{Refusal, refused};
use valet_suite::rig::emulator;
use valet_suite::{Ask, Rig, run};

/// Adele's token with changes; null removes a claim.
fn changed(rig: &Rig, version: TokenVersion, changes: Value) -> String {
    let mut claims = rig.claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    rig.keep(rig.emulator.forge(rig.emulator.header(version, Signer::Live), claims, Signer::Live))
}

/// What Entra says of a user.
fn claims_of(rig: &Rig, upn: &str) -> Value {
    rig.emulator.claims_of(upn, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap()
}

fn user(rig: &Rig, upn: &str) -> String {
    let scopes = [ids::VALET_SCOPE];
    rig.keep(rig.emulator.access_token(upn, ids::DEMO_CLIENT, ids::VALET, &scopes).unwrap())
}

async fn rig() -> Rig {
    let rig = Rig::start_with(emulator().await, |config| config).await;
    rig.emulator.change_registrations(|all| {
        all.app_mut(ids::VALET).unwrap().group_membership_claims = GroupClaims::All;
    });
    rig
}

#[test]
fn a_user_is_taken_for_who_they_are_whatever_else_the_token_says() {
    run(async {
        let rig = rig().await;
        let v1 = rig.emulator.issuer(TokenVersion::V1, ids::TENANT);
        let v1 = json!({ "ver": "1.0", "iss": v1, "azp": null, "appid": ids::DEMO_CLIENT.to_string() });
        let (many_groups, guest) = (claims_of(&rig, ids::GERDA_UPN), claims_of(&rig, ids::FARAH_GUEST_UPN));
        assert!(many_groups["_claim_sources"].is_object(), "more groups than a token holds: {many_groups}");
        let mail = json!({ "preferred_username": "admin@contoso.example", "email": "admin@contoso.example" });
        for (name, token, who) in [
            ("a member", user(&rig, ids::ADELE_UPN), ids::ADELE.to_string()),
            ("in more groups than a token holds", user(&rig, ids::GERDA_UPN), ids::GERDA.to_string()),
            ("a guest", user(&rig, ids::FARAH_GUEST_UPN), guest["oid"].as_str().unwrap().to_owned()),
            ("v1", changed(&rig, TokenVersion::V1, v1), ids::ADELE.to_string()),
            (
                "of a client that understands challenges",
                changed(&rig, TokenVersion::V2, json!({ "xms_cc": ["cp1"] })),
                ids::ADELE.to_string(),
            ),
            (
                "with roles",
                changed(&rig, TokenVersion::V2, json!({ "roles": ["Operator"] })),
                ids::ADELE.to_string(),
            ),
            (
                "marked as a user's",
                changed(&rig, TokenVersion::V2, json!({ "idtyp": "user" })),
                ids::ADELE.to_string(),
            ),
            ("with a mail address", changed(&rig, TokenVersion::V2, mail), ids::ADELE.to_string()),
        ] {
            let result = rig.call("whoami", &token).await.result();
            let (kind, id) = (&result["structuredContent"]["kind"], &result["structuredContent"]["objectId"]);
            assert_eq!((kind, id), (&json!("user"), &json!(who)), "{name}");
        }
    });
}

#[test]
fn a_token_of_another_kind_is_refused_for_its_reason() {
    run(async {
        let rig = rig().await;
        let emulator = &rig.emulator;
        let of = |header_change: Value, claims: Value| {
            let mut header = emulator.header(TokenVersion::V2, Signer::Live);
            header.as_object_mut().unwrap().extend(header_change.as_object().unwrap().clone());
            rig.keep(emulator.forge(header, claims, Signer::Live))
        };
        let scopes = ["User.Read"];
        let v1 = json!({ "ver": "1.0", "azp": null, "appid": ids::DEMO_CLIENT.to_string() });
        for (name, token, audit) in [
            ("a user of another tenant", user(&rig, ids::FARAH_UPN), "foreign_tenant: *"),
            (
                "an ID token",
                rig.keep(emulator.id_token(ids::ADELE_UPN, ids::VALET, None).unwrap()),
                "missing_claim: claim `azp` *",
            ),
            (
                "a token for Graph",
                rig.keep(emulator.access_token(ids::ADELE_UPN, ids::VALET, GRAPH_APP_ID, &scopes).unwrap()),
                "unsupported: a Microsoft Graph token*",
            ),
            (
                "v1 for another API",
                rig.keep(
                    emulator
                        .access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::LEDGER, &["entries.read"])
                        .unwrap(),
                ),
                "wrong_audience: *",
            ),
            ("v1 with the issuer of v2", changed(&rig, TokenVersion::V1, v1), "wrong_issuer: *"),
            (
                "bound to a key",
                changed(&rig, TokenVersion::V2, json!({ "cnf": { "jkt": "x" } })),
                "bound_token: *",
            ),
            (
                "neither scopes nor roles",
                changed(&rig, TokenVersion::V2, json!({ "scp": null, "roles": null })),
                "not_an_access_token: *",
            ),
            (
                "without an object id",
                changed(&rig, TokenVersion::V2, json!({ "oid": null })),
                "missing_claim: *",
            ),
            (
                "at+jwt",
                of(json!({ "typ": "at+jwt" }), rig.claims()),
                "unsupported: typ `at+jwt` is not that of an access token",
            ),
        ] {
            let text = match audit.split_once(':').unwrap().0 {
                "foreign_tenant" => "the token is of another tenant",
                "wrong_audience" => "the token is for another resource",
                _ => "the token was not accepted",
            };
            let expected = Refusal::challenge(401, "invalid_token", text, &format!("denied {audit}"));
            refused(&rig, name, Ask::tool("whoami").bearer(&token), &expected).await;
        }
        // The policy lets no application call.
        let application = emulator.app_token(ids::DAEMON, ids::VALET, &[ids::VALET_APP_ROLE]).unwrap();
        assert_eq!(rig.call("whoami", &rig.keep(application)).await.status, 403);
    });
}
