//! Who is let in, and to what: every kind of good token, and the policy.

use entra_emulator::{Signer, TokenVersion, ids};
use serde_json::{Value, json};
use valet_suite::check::{Refusal, refused};
use valet_suite::config::list;
use valet_suite::log::is_audit;
use valet_suite::{Ask, Rig, run};

pub(crate) fn names(answer: &Value) -> Vec<&str> {
    answer["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn every_kind_of_good_token_is_taken() {
    run(async {
        let rig = Rig::start().await;
        let claims = rig.claims();
        let now = claims["iat"].as_i64().unwrap();
        let with = |changes: Value| {
            let mut claims = claims.clone();
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            claims
        };
        let v1 = rig.emulator.issuer(TokenVersion::V1, ids::TENANT);
        for (name, claims) in [
            ("v1", with(json!({ "ver": "1.0", "iss": v1, "appid": claims["azp"] }))),
            (
                "expired within the leeway",
                with(json!({ "exp": now - 30, "nbf": now - 3600, "iat": now - 3600 })),
            ),
            (
                "valid from now on, by a clock ahead of ours",
                with(json!({ "nbf": now + 30, "iat": now + 30 })),
            ),
            ("several scopes", with(json!({ "scp": "other mcp.access  more" }))),
            ("roles as well", with(json!({ "roles": ["Operator", "Other"] }))),
            ("idtyp user", with(json!({ "idtyp": "user" }))),
            ("unknown claims", with(json!({ "xms_ftd": "x", "wids": ["a"], "nested": { "deep": [[[1]]] } }))),
        ] {
            let answer = rig.call("whoami", &rig.signed(claims)).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            assert_eq!(answer.result()["structuredContent"]["objectId"], ids::ADELE.to_string(), "{name}");
        }
        let nested =
            claims.to_string().replacen('{', &format!(r#"{{"x":{}{},"#, "[".repeat(31), "]".repeat(31)), 1);
        let header = rig.emulator.header(TokenVersion::V2, Signer::Live).to_string();
        let token = rig.keep(rig.emulator.forge_text(&header, &nested, Signer::Live));
        assert_eq!(rig.call("whoami", &token).await.status, 200, "a deep claim that nobody reads");
        for value in ["bearer", "BEARER", "Bearer  "] {
            let token = rig.token(ids::ADELE_UPN);
            let answer =
                rig.send(Ask::tool("whoami").header("authorization", &format!("{value} {token}"))).await;
            assert_eq!(answer.status, 200, "{value}");
        }
    });
}

#[test]
fn the_policy_decides_what_is_listed_and_called() {
    run(async {
        let rig = Rig::changed(|config| {
            config
                .set("tools.whoami.roles", list(&[ids::VALET_APP_ROLE, ids::VALET_ROLE]))
                .set("tools.whoami.applications", true)
                .set("tools.GetUserDetailsFromGraph.scopes", list(&[ids::VALET_ADMIN_SCOPE]))
                .set(
                    "scopes.implies",
                    toml::Value::Table(
                        [("mcp.admin".to_owned(), list(&["mcp.access"]))].into_iter().collect(),
                    ),
                )
        })
        .await;
        let user = |upn: &str, scope: &str| {
            rig.keep(rig.emulator.access_token(upn, ids::DEMO_CLIENT, ids::VALET, &[scope]).unwrap())
        };
        let app = |role: &str| rig.keep(rig.emulator.app_token(ids::DAEMON, ids::VALET, &[role]).unwrap());
        let (both, first, second) =
            (&["GetUserDetailsFromGraph", "whoami"][..], &["GetUserDetailsFromGraph"][..], &["whoami"][..]);
        for (name, token, expected) in [
            ("Adele has the role and the scope", user(ids::ADELE_UPN, "mcp.access"), second),
            ("Alex has no role", user(ids::ALEX_UPN, "mcp.access"), &[]),
            ("Adele's scope implies the other", user(ids::ADELE_UPN, "mcp.admin"), both),
            ("Alex has the greater scope and no role", user(ids::ALEX_UPN, "mcp.admin"), first),
            ("an application with the role", app(ids::VALET_APP_ROLE), second),
            ("an application with another role", app("Other"), &[]),
        ] {
            let listed = rig.send(Ask::modern("tools/list", json!({})).bearer(&token)).await.result();
            assert_eq!(names(&listed), expected, "{name}");
            for tool in both {
                let called = rig.call(tool, &token).await;
                let expected = if expected.contains(tool) { 200 } else { 403 };
                assert_eq!(called.status, expected, "{name}: {tool}");
            }
        }
        let answer = rig.call("whoami", &app(ids::VALET_APP_ROLE)).await.result();
        assert_eq!(answer["structuredContent"]["kind"], "application");
        assert_eq!(answer["structuredContent"]["roles"], json!([ids::VALET_APP_ROLE]));
    });
}

/// A registration that asks for version 1 gets tokens whose `aud` is the Application ID URI, whose client is `appid`, and whose issuer is another.
#[test]
fn tokens_of_version_1_are_taken_as_entra_issues_them() {
    run(async {
        let emulator = valet_suite::rig::emulator().await;
        emulator.change_registrations(|all| {
            all.app_mut(ids::VALET).unwrap().requested_access_token_version = TokenVersion::V1;
        });
        let rig = Rig::start_with(emulator, |config| {
            config
                .set("scopes.prefix", format!("{}/", ids::VALET_URI))
                .set("oauth.unmatched_resource", true)
                .set("entra.audiences", list(&[ids::VALET_URI]))
                .set("tools.whoami.roles", list(&[ids::VALET_APP_ROLE, ids::VALET_ROLE]))
                .set("tools.whoami.applications", true)
        })
        .await;
        let user = rig.token(ids::ADELE_UPN);
        let app = rig.keep(rig.emulator.app_token(ids::DAEMON, ids::VALET, &[ids::VALET_APP_ROLE]).unwrap());
        for (token, kind) in [(&user, "user"), (&app, "application"), (&user, "user")] {
            let who = rig.call("whoami", token).await.result();
            assert_eq!(who["structuredContent"]["kind"], kind);
        }
        let claims = rig.claims();
        assert_eq!((&claims["ver"], &claims["aud"]), (&json!("1.0"), &json!(ids::VALET_URI)));
        assert!(claims["azp"].is_null() && claims["appid"].is_string(), "{claims}");

        let header = rig.emulator.header(TokenVersion::V1, Signer::Live);
        for (name, value, reason) in [
            ("aud", json!(ids::VALET.to_string()), "wrong_audience"),
            ("appid", Value::Null, "missing_claim"),
            ("iss", json!(rig.emulator.issuer(TokenVersion::V2, ids::TENANT)), "wrong_issuer"),
        ] {
            let mut claims = claims.clone();
            claims[name] = value;
            let token = rig.keep(rig.emulator.forge(header.clone(), claims, Signer::Live));
            let mark = rig.log().mark();
            assert_eq!(rig.call("whoami", &token).await.status, 401, "{name}");
            rig.log().wait(mark, reason, |event| is_audit(event) && event["reason"] == reason).await;
            rig.call("whoami", &user).await.result();
        }
    });
}

#[test]
fn a_caller_who_calls_too_often_is_told_when_to_come_back() {
    run(async {
        let rig = Rig::changed(|config| config.set("limits.calls_per_minute", 2)).await;
        let call = Ask::tool("whoami").bearer(&rig.token(ids::ADELE_UPN));
        for _ in 0..2 {
            rig.send(call.clone()).await.result();
        }
        let expected = Refusal::rpc(
            429,
            429,
            "Too many requests, try again in * seconds",
            "denied rate_limited: again in * s",
        );
        let answer = refused(&rig, "the third in a minute", call.clone(), &expected).await;
        assert!(
            answer.field("retry-after").parse::<u32>().is_ok_and(|wait| (1..=30).contains(&wait)),
            "{answer:?}"
        );
        // Lists cost nothing.
        let list = Ask::modern("tools/list", json!({})).bearer(&rig.token(ids::ADELE_UPN));
        rig.send(list).await.result();
    });
}
