//! Entra and Graph when they are down, slow, or say no: what the caller is told, and what the operator.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use entra_emulator::{Control, Emulator, Endpoint, Fault, Operation, RetryAfter, ids};
use valet_suite::check::{Refusal, refused};
use valet_suite::config::Config;
use valet_suite::rig::{emulator, policy_for_graph};
use valet_suite::stand_in::{StandIn, http};
use valet_suite::{Ask, Rig, run};

use crate::good::{sign_in, sign_in_for};

pub(crate) const TOOL: &str = "GetUserDetailsFromGraph";
pub(crate) const UNREACHABLE: &str = "Microsoft 365 cannot be reached at the moment. Try again later.";

/// An error that the model sees, as a result in the modern form. The order of a content's members says nothing.
pub(crate) fn told(text: &str) -> Refusal {
    let content = format!(r#""content":[{{*"text":"{text}"*}}],"isError":true"#);
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","_meta":{{*}},{content}}}}}"#);
    Refusal::plain(200, &body, "allowed permitted")
}

/// The same, with what the gateway adds to the audit trail.
pub(crate) fn told_by_gateway(text: &str, audit: &str) -> Refusal {
    Refusal { audit: format!("allowed permitted{audit}"), ..told(text) }
}

/// A fault of ours: the caller learns nothing, the operator everything.
pub(crate) fn internal(detail: &str) -> Refusal {
    Refusal::rpc(200, -32603, "Internal error", &format!("allowed permitted; failed internal: {detail}"))
}

fn status(code: u16) -> Fault {
    Fault::Status { code, retry_after: None }
}

/// Whether the log since `mark` says at `warn` that a call failed, and why.
pub(crate) async fn logged(rig: &Rig, mark: usize, why: &str) {
    let wanted = |event: &serde_json::Value| event["level"] == "WARN" && event.to_string().contains(why);
    rig.log().wait(mark, why, wanted).await;
}

#[test]
fn failures_of_login_and_graph() {
    run(async {
        let rig = Rig::own().await;
        let faults = rig.emulator.faults();
        let after = |code, retry_after| Fault::Status { code, retry_after: Some(retry_after) };
        let (login, graph) = (Endpoint::Login, Endpoint::Graph);
        let limited = "Microsoft 365 is limiting requests. Try again in 7 seconds.";
        // The emulator says `server_error` with 500 and `temporarily_unavailable` with 503; other answers of login are below.
        let a_minute = "Microsoft 365 is limiting requests. Try again in a minute.";
        for (name, endpoint, fault, expected, log) in [
            (
                "login 500",
                login,
                status(500),
                told(UNREACHABLE),
                "the authority failed: HTTP 500 server_error",
            ),
            ("login 503", login, status(503), told(a_minute), "Throttled(None)"),
            ("login resets", login, Fault::Reset, told(UNREACHABLE), "the authority broke off"),
            ("login 429", login, after(429, RetryAfter::Seconds(7)), told(limited), "Throttled(Some(7))"),
            (
                "graph 500",
                graph,
                status(500),
                told("Microsoft Graph answered with status 500 (UnknownError)."),
                "",
            ),
            ("graph 503", graph, status(503), told(UNREACHABLE), "the API answered with status 503"),
            ("graph 504", graph, status(504), told(UNREACHABLE), "the API answered with status 504"),
            ("graph resets", graph, Fault::Reset, told(UNREACHABLE), "the API broke off"),
            ("graph 429", graph, after(429, RetryAfter::Seconds(7)), told(limited), "Throttled(Some(7))"),
            (
                "graph 429 with a date",
                graph,
                after(429, RetryAfter::DateIn(Duration::from_secs(60))),
                told(a_minute),
                "Throttled(None)",
            ),
            ("graph 429 without a time", graph, status(429), told(a_minute), "Throttled(None)"),
            (
                "graph 403",
                graph,
                status(403),
                told(
                    "Microsoft Graph refused this for the signed-in user (UnknownError). An administrator may have to grant access.",
                ),
                "",
            ),
            (
                "graph 404",
                graph,
                status(404),
                told("Microsoft Graph has no such resource for the signed-in user."),
                "",
            ),
            ("graph 401", graph, status(401), told(UNREACHABLE), "the API refused a token"),
        ] {
            faults.set(endpoint, fault);
            let mark = rig.log().mark();
            let token = rig.token(ids::ADELE_UPN);
            refused(&rig, name, Ask::tool(TOOL).bearer(&token), &expected).await;
            if !log.is_empty() {
                logged(&rig, mark, log).await;
            }
            faults.clear_all();
            let answer = rig.call(TOOL, &token).await.result();
            assert_eq!(answer["structuredContent"]["displayName"], "Adele Vance", "{name}: it recovers");
        }
    });
}

/// All at once, so that it takes as long as the longest.
#[test]
fn a_token_that_graph_refused_is_exchanged_anew() {
    run(async {
        let rig = Rig::own().await;
        let faults = rig.emulator.faults();
        let token = rig.token(ids::ADELE_UPN);
        rig.call(TOOL, &token).await.result();
        faults.set_times(Endpoint::Graph, status(401), 1);
        let profile = rig.call(TOOL, &token).await.result();
        assert_eq!(profile["isError"], false, "the call went through with a new token: {profile}");
        assert_eq!(faults.count(Operation::OnBehalfOf), 2, "the refused token was not used again");
        // One that is refused again is the API's fault, and is tried no third time.
        faults.set_times(Endpoint::Graph, status(401), 2);
        assert_eq!(rig.call(TOOL, &token).await.result()["isError"], true);
        assert_eq!(faults.count(Operation::OnBehalfOf), 3);
        rig.call(TOOL, &token).await.result();
    });
}

/// Continuous access evaluation, where clients bring Entra's tokens: Graph does not take the one any more that was got on behalf of the user, and says
/// what it wants.
#[test]
fn a_challenge_of_graph_is_met_on_behalf_of_the_user_or_by_the_client() {
    run(async {
        let rig = Rig::own().await;
        let faults = rig.emulator.faults();
        let exchanges = || faults.count(Operation::OnBehalfOf);
        let profile = async |token: &str| {
            let answer = rig.call(TOOL, token).await.result();
            assert_eq!(answer["structuredContent"]["displayName"], "Adele Vance", "{answer}");
        };
        let token = sign_in(&rig, ids::ADELE_UPN).await;
        profile(&token).await;
        rig.emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
        assert_eq!(exchanges(), 1);
        profile(&token).await;
        profile(&token).await;
        assert_eq!(exchanges(), 2, "the challenged call succeeds itself, and what it brought is kept");

        // Now a policy wants the person before there is a newer token. Its claims are told, since Entra was told Graph's.
        policy_for_graph(&rig.emulator, Control::Mfa);
        profile(&token).await;
        rig.emulator.outdate_graph_tokens(ids::ADELE_UPN).unwrap();
        let audit = "allowed permitted; failed interaction_required";
        let mut wanted =
            Refusal::challenge(401, "insufficient_claims", "the user has to sign in again", audit);
        wanted.challenge.push_str(", claims=\"*\"");
        let answer = refused(&rig, "challenged", Ask::tool(TOOL).bearer(&token), &wanted).await;
        let (_, claims) = answer.field("www-authenticate").split_once(", claims=\"").unwrap();
        let claims = String::from_utf8(STANDARD.decode(claims.trim_end_matches('"')).unwrap()).unwrap();
        assert!(claims.contains("polids"), "{claims}");
        assert_eq!(rig.call("whoami", &token).await.status, 200, "the token is good for the rest");

        // A sign-in that was not asked for more brings nothing that would do.
        let other = sign_in(&rig, ids::ADELE_UPN).await;
        refused(&rig, "without the claims", Ask::tool(TOOL).bearer(&other), &wanted).await;
        let token = sign_in_for(&rig, ids::ADELE_UPN, Some(&claims)).await;
        profile(&token).await;
    });
}

#[test]
fn slow_upstreams_cost_one_call_and_nobody_else() {
    run(async {
        let rig = Rig::own().await;
        let (known, unknown) = (rig.token(ids::ADELE_UPN), rig.token(ids::ADELE_UPN));
        rig.call(TOOL, &known).await.result();
        let faults = rig.emulator.faults();
        faults.set_times(Endpoint::Graph, Fault::Delay(Duration::from_secs(20)), 1);
        faults.set_times(Endpoint::Login, Fault::Delay(Duration::from_secs(20)), 1);
        let began = Instant::now();
        let slow = async |token: &str| (rig.call(TOOL, token).await, began.elapsed().as_secs());
        let others = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            for _ in 0..20 {
                rig.call("whoami", &known).await.result();
            }
            let token = rig.token(ids::ALEX_UPN);
            rig.call(TOOL, &token).await.result();
            assert!(began.elapsed() < Duration::from_secs(5), "others wait for no one");
        };
        let mark = rig.log().mark();
        let (graph, login, ()) = tokio::join!(slow(&known), slow(&unknown), others);
        for (answer, seconds) in [graph, login] {
            assert_eq!(answer.result()["content"][0]["text"], UNREACHABLE);
            assert!((14..18).contains(&seconds), "{seconds}");
        }
        logged(&rig, mark, "the API did not answer in time").await;
        logged(&rig, mark, "the authority did not answer in time").await;
        assert_eq!(rig.call(TOOL, &unknown).await.status, 200, "it recovers");
    });
}

/// As many requests as may be in the components, each with all three artifacts alive at once, find room; the rest are turned away at once.
#[test]
fn more_requests_than_there_is_room_for_are_turned_away() {
    run(async {
        const ROOM: usize = 8;
        let change = |config: Config| config.set("limits.concurrent_requests", ROOM as i64);
        let rig = Arc::new(Rig::start_with(emulator().await, change).await);
        let token = rig.token(ids::ADELE_UPN);
        rig.call(TOOL, &token).await.result();
        rig.emulator.faults().set(Endpoint::Graph, Fault::Delay(Duration::from_secs(1)));
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..5 * ROOM {
            let (rig, token) = (Arc::clone(&rig), token.clone());
            calls.spawn(async move { rig.call(TOOL, &token).await.status });
        }
        let statuses = calls.join_all().await;
        let count = |status: u16| statuses.iter().filter(|&&found| found == status).count();
        assert_eq!((count(200), count(503)), (ROOM, 4 * ROOM), "{statuses:?}");
        rig.emulator.faults().clear_all();
        rig.call(TOOL, &token).await.result();
    });
}

#[test]
fn a_wrong_credential_is_our_fault_and_no_one_elses_business() {
    run(async {
        let emulator = emulator().await;
        let start = async |secret: Option<&str>| {
            let rig = Rig::start_with(Arc::clone(&emulator), |config| match secret {
                Some(_) => config,
                None => config.without("entra.client_secret_file"),
            });
            let mut rig = rig.await;
            if let Some(secret) = secret {
                rig.folder.write("client-secret", secret);
                assert!(rig.process.stop().is_some_and(|status| status.success()));
                rig.restart().await;
                rig.keep(format!(".{secret}"));
            }
            rig
        };
        let rig = start(Some("another-secret-of-ours-1234")).await;
        let expected =
            internal("the authority refused us: HTTP 401 invalid_client AADSTS7000215 (correlation id *)");
        refused(&rig, "wrong", Ask::tool(TOOL).bearer(&rig.token(ids::ADELE_UPN)), &expected).await;
        let rig = start(None).await;
        let expected = internal("no credential: set entra.client_secret_file or VALET_CLIENT_SECRET");
        refused(&rig, "none", Ask::tool(TOOL).bearer(&rig.token(ids::ADELE_UPN)), &expected).await;
        assert_eq!(emulator.faults().count(Operation::Graph), 0);
    });
}

#[test]
fn what_only_the_user_or_an_administrator_can_mend() {
    run(async {
        let emulator: Arc<Emulator> = emulator().await;
        let rig = Rig::start_with(Arc::clone(&emulator), |config| config).await;
        let token = rig.token(ids::ADELE_UPN);
        emulator.change_registrations(|all| all.app_mut(ids::VALET).unwrap().api_permissions.clear());
        let text = "Microsoft Entra wants the user to act first: to sign in again, or to consent to what this tool needs. \
                    An administrator can consent for everyone.";
        let expected = told_by_gateway(text, "; failed consent_required");
        refused(&rig, "no consent", Ask::tool(TOOL).bearer(&token), &expected).await;

        // Entra's clock is past the token's end, ours is not.
        emulator.advance_clock(Duration::from_secs(2 * 60 * 60));
        let audit = "allowed permitted; failed assertion_refused";
        let expected = Refusal::challenge(401, "invalid_token", "sign in again", audit);
        refused(&rig, "spent assertion", Ask::tool(TOOL).bearer(&token), &expected).await;
    });
}

#[test]
fn login_that_is_gone_stops_new_exchanges_only() {
    run(async {
        let emulator = emulator().await;
        let stand_in = StandIn::start().await;
        stand_in.answer("", http("200 OK", &[("content-type", "application/json")], r#"{"id":"1"}"#));
        let rig =
            Rig::start_with(Arc::clone(&emulator), |config| config.set("graph.url", stand_in.url())).await;
        let (known, unknown) = (rig.token(ids::ADELE_UPN), rig.token(ids::ADELE_UPN));
        let good = rig.token(ids::ALEX_UPN);
        rig.call(TOOL, &known).await.result();
        emulator.faults().set(Endpoint::Login, Fault::Reset);
        emulator.faults().set(Endpoint::Keys, Fault::Reset);
        emulator.faults().set(Endpoint::Metadata, Fault::Reset);
        assert_eq!(rig.call(TOOL, &known).await.result()["structuredContent"]["id"], "1");
        assert_eq!(rig.call(TOOL, &unknown).await.result()["content"][0]["text"], UNREACHABLE);
        assert_eq!(rig.call("whoami", &good).await.status, 200);
    });
}
