//! Answers of Entra and Graph that the emulator would never give, from a stand-in: what is made of them, and what went out.

use std::sync::Arc;

use entra_emulator::{Emulator, ids};
use valet_suite::check::{Refusal, refused};
use valet_suite::rig::emulator;
use valet_suite::stand_in::{StandIn, http};
use valet_suite::{Ask, Rig, run};

use crate::downstream::{TOOL, UNREACHABLE, internal, logged, told, told_by_gateway};

/// An authority whose keys are the emulator's and whose token endpoint answers what it is told to; and a token that it seems to have issued.
pub(crate) async fn authority(emulator: &Emulator, http_client: &reqwest::Client) -> StandIn {
    let stand_in = StandIn::start().await;
    let base = format!("{}/{}", emulator.authority_url(), ids::TENANT);
    for (part, path) in
        [("openid-configuration", "v2.0/.well-known/openid-configuration"), ("/keys", "discovery/v2.0/keys")]
    {
        let document = http_client.get(format!("{base}/{path}")).send().await.unwrap().text().await.unwrap();
        let document = document.replace(&emulator.authority_url(), &stand_in.url());
        stand_in.answer(part, http("200 OK", &[("content-type", "application/json")], &document));
    }
    stand_in
}

#[test]
fn answers_of_the_token_endpoint() {
    run(async {
        let emulator = emulator().await;
        let plain = Rig::start_with(Arc::clone(&emulator), |config| config).await;
        let stand_in = authority(&emulator, &plain.http).await;
        let rig = Rig::authorised_by(Arc::clone(&emulator), &stand_in.url()).await;
        let json = [("content-type", "application/json")];
        let minute = told("Microsoft 365 is limiting requests. Try again in a minute.");
        let mut step_up = Refusal::challenge(
            401,
            "insufficient_claims",
            "the user has to sign in again",
            "allowed permitted; failed interaction_required",
        );
        step_up.challenge.push_str(", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"");
        let act = told_by_gateway(
            "Microsoft Entra wants the user to act first: to sign in again, or to consent to what this tool needs. \
             An administrator can consent for everyone.",
            "; failed consent_required",
        );
        let again = Refusal::challenge(
            401,
            "invalid_token",
            "sign in again",
            "allowed permitted; failed assertion_refused",
        );
        for (name, answer, expected, log) in [
            (
                "claims",
                http(
                    "400 Bad Request",
                    &json,
                    r#"{"error":"interaction_required","error_codes":[50076],"claims":"{\"access_token\":{}}"}"#,
                ),
                step_up,
                "",
            ),
            (
                "interaction without claims",
                http("400 Bad Request", &json, r#"{"error":"interaction_required"}"#),
                act.clone(),
                "",
            ),
            (
                "consent",
                http("400 Bad Request", &json, r#"{"error":"invalid_grant","suberror":"consent_required"}"#),
                act,
                "",
            ),
            (
                "spent",
                http("400 Bad Request", &json, r#"{"error":"invalid_grant","error_codes":[500133]}"#),
                again,
                "HTTP 400 invalid_grant AADSTS500133",
            ),
            (
                "no such scope",
                http("400 Bad Request", &json, r#"{"error":"invalid_scope"}"#),
                internal("the authority refused us: HTTP 400 invalid_scope"),
                "",
            ),
            ("busy", http("429 Too Many Requests", &[], ""), minute, "Throttled(None)"),
            (
                "a page",
                http("502 Bad Gateway", &[], "<html>"),
                told(UNREACHABLE),
                "the authority failed: HTTP 502 without an OAuth error",
            ),
            ("no JSON", http("200 OK", &json, "eh"), told(UNREACHABLE), "the authority failed: HTTP 200"),
            (
                "another kind of token",
                http("200 OK", &json, r#"{"token_type":"pop","access_token":"t","expires_in":1}"#),
                told(UNREACHABLE),
                "the authority failed: HTTP 200",
            ),
            (
                "no token",
                http("200 OK", &json, r#"{"token_type":"Bearer","expires_in":1}"#),
                told(UNREACHABLE),
                "the authority failed: HTTP 200",
            ),
            (
                "elsewhere",
                http("302 Found", &[("location", "https://evil.example/")], ""),
                told(UNREACHABLE),
                "the authority failed: HTTP 302",
            ),
            ("nothing", String::new(), told(UNREACHABLE), "the authority broke off"),
            (
                "too much",
                http("200 OK", &json, &"x".repeat(5 * 1024 * 1024)),
                told(UNREACHABLE),
                "the authority's answer is too large",
            ),
            (
                "a token that breaks the line",
                http(
                    "200 OK",
                    &json,
                    r#"{"token_type":"Bearer","access_token":"a\r\nx: y","expires_in":3600}"#,
                ),
                internal(
                    "the API is out of reach: a field value that is none (this capability is bound to graph.url)",
                ),
                "",
            ),
        ] {
            stand_in.answer("/token", answer);
            let mark = rig.log().mark();
            refused(&rig, name, Ask::tool(TOOL).bearer(&rig.token(ids::ADELE_UPN)), &expected).await;
            if !log.is_empty() {
                logged(&rig, mark, log).await;
            }
        }
        drop(stand_in);
        let mark = rig.log().mark();
        refused(&rig, "gone", Ask::tool(TOOL).bearer(&rig.token(ids::ADELE_UPN)), &told(UNREACHABLE)).await;
        logged(&rig, mark, "the authority cannot be reached").await;
    });
}

#[test]
fn answers_that_graph_would_never_give() {
    run(async {
        let emulator = emulator().await;
        let stand_in = StandIn::start().await;
        let rig =
            Rig::start_with(Arc::clone(&emulator), |config| config.set("graph.url", stand_in.url())).await;
        let token = rig.token(ids::ADELE_UPN);
        let json = [("content-type", "application/json")];
        let unreadable = told("Microsoft Graph answered with something that is not the resource asked for.");
        let claims = [(
            "www-authenticate",
            r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ==""#,
        )];
        let step_up = || {
            let mut expected = Refusal::challenge(
                401,
                "insufficient_claims",
                "the user has to sign in again",
                "allowed permitted; failed interaction_required",
            );
            expected.challenge.push_str(", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"");
            expected
        };
        for (name, answer, expected, log) in [
            ("no HTTP", "garbage\r\n\r\n".to_owned(), told(UNREACHABLE), "the API broke off"),
            ("nothing", String::new(), told(UNREACHABLE), "the API broke off"),
            (
                "cut off",
                "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":".to_owned(),
                told(UNREACHABLE),
                "the API broke off",
            ),
            ("a page", http("200 OK", &[("content-type", "text/html")], "<html>"), unreadable.clone(), ""),
            ("a list", http("200 OK", &json, "[]"), unreadable.clone(), ""),
            ("no id", http("200 OK", &json, "{}"), unreadable.clone(), ""),
            ("an id that is no text", http("200 OK", &json, r#"{"id":1}"#), unreadable, ""),
            (
                "too much",
                http("200 OK", &json, &format!(r#"{{"id":"{}"}}"#, "a".repeat(5 * 1024 * 1024))),
                told(UNREACHABLE),
                "the API's answer is too large",
            ),
            (
                "elsewhere",
                http("302 Found", &[("location", "https://evil.example/")], ""),
                told("Microsoft Graph answered with status 302."),
                "",
            ),
            (
                "an error that is a page",
                http("502 Bad Gateway", &[], "<html>"),
                told(UNREACHABLE),
                "the API answered with status 502",
            ),
            (
                "an error with a text of its own",
                http("400 Bad Request", &json, r#"{"error":{"code":"x\n ignore all <b>","message":"y"}}"#),
                told("Microsoft Graph answered with status 400 (xignoreallb)."),
                "",
            ),
            ("revoked", http("401 Unauthorized", &claims, ""), step_up(), ""),
            ("conditional access", http("403 Forbidden", &claims, ""), step_up(), ""),
        ] {
            stand_in.answer("", answer);
            let mark = rig.log().mark();
            refused(&rig, name, Ask::tool(TOOL).bearer(&token), &expected).await;
            if !log.is_empty() {
                logged(&rig, mark, log).await;
            }
        }
        let requests = stand_in.requests();
        drop(stand_in);
        let mark = rig.log().mark();
        refused(&rig, "gone", Ask::tool(TOOL).bearer(&token), &told(UNREACHABLE)).await;
        logged(&rig, mark, "the API cannot be reached").await;
        // What went out: one request line, our own fields, and a token for Graph, which is not the caller's.
        let signature = token.rsplit_once('.').unwrap().1;
        for head in requests {
            let (line, fields) = head.split_once("\r\n").unwrap();
            assert!(
                line.starts_with("GET /v1.0/me?$select=id,displayName,") && line.ends_with(" HTTP/1.1"),
                "{line}"
            );
            let mut names: Vec<&str> =
                fields.lines().filter_map(|field| Some(field.split_once(':')?.0)).collect();
            names.sort_unstable();
            assert_eq!(names, ["accept", "authorization", "host"]);
            assert!(!head.contains(signature));
        }
    });
}
