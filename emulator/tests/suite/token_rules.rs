//! What the token endpoint does beside refusing: how grants end and go on, how policies are satisfied, what is counted.

use std::time::Duration;

use entra_emulator::{
    ConditionalAccess, Control, RevocationReason, SignInAudience, Signer, TokenVersion, ids,
};
use serde_json::{Value, json};

use crate::bench::{Bench, OBO, claims, redeem, valet_scope, with};

const GRAPH: &str = "https://graph.microsoft.com/User.Read";

fn days(n: u64) -> Duration {
    Duration::from_secs(n * 24 * 3600)
}

fn number(body: &Value) -> u64 {
    body["error_codes"][0].as_u64().unwrap_or(0)
}

async fn refresh(bench: &Bench, tokens: &Value, more: &[(&str, &str)]) -> (u16, Value) {
    let (client, token) = (ids::DEMO_CLIENT.to_string(), tokens["refresh_token"].as_str().unwrap());
    let grant = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", token)];
    bench.token(&[grant.as_slice(), more].concat()).await
}

async fn sign_in(bench: &Bench) -> Value {
    let (status, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn exchange(bench: &Bench, assertion: &str, more: &[(&str, &str)]) -> (u16, Value) {
    let client = ids::VALET.to_string();
    let grant = [
        ("grant_type", OBO),
        ("client_id", &client),
        ("client_secret", ids::VALET_SECRET),
        ("assertion", assertion),
        ("scope", GRAPH),
        ("requested_token_use", "on_behalf_of"),
    ];
    bench.token(&[grant.as_slice(), more].concat()).await
}

fn policy(resources: Vec<uuid::Uuid>, context: Option<&str>) -> ConditionalAccess {
    ConditionalAccess {
        name: "second factor".into(),
        tenant: ids::TENANT,
        users: vec![],
        resources,
        clients: vec![],
        context: context.map(str::to_owned),
        control: Control::Mfa,
        sign_in_frequency_minutes: None,
    }
}

#[tokio::test]
async fn a_refresh_token_ends_by_rest_or_by_age() {
    let bench = Bench::start().await;
    let tokens = sign_in(&bench).await;
    bench.emulator.advance_clock(days(50));
    let (status, successor) = refresh(&bench, &tokens, &[]).await;
    assert_eq!(status, 200, "{successor}");
    bench.emulator.advance_clock(days(40));
    // Used, so not at rest for 90 days, but older than that.
    let (_, body) = refresh(&bench, &tokens, &[]).await;
    assert_eq!((number(&body), body["suberror"].as_str()), (70008, Some("token_expired")), "{body}");
    assert_eq!(refresh(&bench, &successor, &[]).await.0, 200);
}

#[tokio::test]
async fn a_used_refresh_token_lives_until_those_are_ended() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let tokens = sign_in(&bench).await;
    emulator.end_used_refresh_tokens();
    let (status, lost) = refresh(&bench, &tokens, &[]).await;
    assert_eq!(status, 200, "nobody had used it: {lost}");
    let (status, newest) = refresh(&bench, &tokens, &[]).await;
    assert_eq!(status, 200, "as in Entra it is good again and again: {newest}");
    emulator.end_used_refresh_tokens();
    let (_, body) = refresh(&bench, &tokens, &[]).await;
    assert_eq!((number(&body), body["error"].as_str()), (70000, Some("invalid_grant")), "{body}");
    for unused in [&newest, &lost] {
        assert_eq!(refresh(&bench, unused, &[]).await.0, 200);
    }
    let issued = emulator.issued();
    assert_eq!(issued.codes.len(), 1);
    // One of the sign-in, and one of each of the four refreshes that were answered.
    assert_eq!(issued.refresh_tokens.len(), 5);
    for token in [&tokens, &lost, &newest] {
        let token = token["refresh_token"].as_str().unwrap();
        assert!(issued.refresh_tokens.iter().any(|it| it == token));
    }
}

#[tokio::test]
async fn a_refresh_token_follows_its_person_into_another_tenant() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::DEMO_CLIENT).unwrap().sign_in_audience = SignInAudience::AzureADMultipleOrgs;
    });
    let tokens = sign_in(&bench).await;
    let (client, foreign) = (ids::DEMO_CLIENT.to_string(), ids::FOREIGN_TENANT.to_string());
    let with_token = |tokens: &Value| {
        let token = tokens["refresh_token"].as_str().unwrap().to_owned();
        vec![("grant_type", "refresh_token".into()), ("client_id", client.clone()), ("refresh_token", token)]
    };
    let send = async |tokens: &Value, tenant: &str| {
        let grant = with_token(tokens);
        let mut grant: Vec<_> = grant.iter().map(|(n, v)| (*n, v.as_str())).collect();
        grant.push(("scope", "openid offline_access"));
        bench.token_at(tenant, &grant).await
    };
    let (_, stranger) = send(&tokens, &foreign).await;
    assert_eq!(number(&stranger), 50020, "{stranger}");
    bench.emulator.change_registrations(|all| {
        let mut guest = all.user(ids::ADELE_UPN).unwrap().clone();
        guest.id = "7e57b000-0000-4000-8000-0000000000aa".parse().unwrap();
        guest.tenant = ids::FOREIGN_TENANT;
        guest.user_principal_name = "adele_contoso#EXT#@fabrikam.example".into();
        guest.home = Some(ids::ADELE);
        all.users.push(guest);
    });
    let (status, abroad) = send(&tokens, &foreign).await;
    assert_eq!(status, 200, "{abroad}");
    assert_eq!(claims(abroad["access_token"].as_str().unwrap())["tid"], foreign);
    let (status, home) = send(&abroad, &ids::TENANT.to_string()).await;
    assert_eq!(status, 200, "{home}");
    assert_eq!(claims(home["access_token"].as_str().unwrap())["oid"], ids::ADELE.to_string());
}

#[tokio::test]
async fn revocation_ends_everything_from_before_and_nothing_from_after() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let tokens = sign_in(&bench).await;
    let access = tokens["access_token"].as_str().unwrap();
    let code = bench.code(&valet_scope()).await;
    assert_eq!(exchange(&bench, access, &[]).await.0, 200);
    // A challenge of continuous access evaluation alone does not hinder a silent refresh.
    let issued = claims(access)["iat"].as_i64().unwrap();
    let challenge = json!({ "access_token": { "nbf": { "essential": true, "value": issued.to_string() } } });
    let challenge = challenge.to_string();
    assert_eq!(refresh(&bench, &tokens, &[("claims", &challenge)]).await.0, 200);
    emulator.revoke(ids::ADELE_UPN, RevocationReason::Sessions).unwrap();
    for (_, body) in [
        refresh(&bench, &tokens, &[("claims", &challenge)]).await,
        bench.redeem(&code).await,
        exchange(&bench, access, &[]).await,
    ] {
        assert_eq!((number(&body), body["suberror"].as_str()), (50173, Some("bad_token")), "{body}");
    }
    let again = sign_in(&bench).await;
    let (status, fresh) = refresh(&bench, &again, &[("claims", &challenge)]).await;
    assert_eq!(status, 200, "{fresh}");
    assert!(emulator.revoke("nobody@contoso.example", RevocationReason::Sessions).is_err());
}

#[tokio::test]
async fn on_behalf_of_where_a_policy_wants_a_second_factor() {
    let bench = Bench::start().await;
    let emulator = &bench.emulator;
    let mut of_token =
        emulator.claims_of(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap();
    let mint = |claims: &Value| {
        emulator.forge(emulator.header(TokenVersion::V2, Signer::Live), claims.clone(), Signer::Live)
    };
    let once = mint(&of_token);
    of_token["amr"] = json!(["pwd", "mfa"]);
    let twice = mint(&of_token);
    assert_eq!(exchange(&bench, &once, &[]).await.0, 200);
    emulator.change_registrations(|all| {
        all.conditional_access.push(policy(vec![entra_emulator::GRAPH_APP_ID], None))
    });
    let (status, body) = exchange(&bench, &once, &[]).await;
    assert_eq!((status, number(&body), body["error"].as_str()), (400, 50076, Some("interaction_required")));
    let challenge: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
    let policies = &challenge["access_token"]["polids"];
    assert_eq!((&policies["essential"], policies["values"].as_array().unwrap().len()), (&json!(true), 1));
    let (status, body) = exchange(&bench, &twice, &[]).await;
    assert_eq!(status, 200, "{body}");
    // A context is asked for by name only.
    emulator.change_registrations(|all| all.conditional_access = vec![policy(vec![], Some("c1"))]);
    assert_eq!(exchange(&bench, &once, &[]).await.0, 200);
    let wanted = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let (_, body) = exchange(&bench, &once, &[("claims", wanted)]).await;
    assert_eq!(number(&body), 50076, "{body}");
    let challenge: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
    assert_eq!(challenge, serde_json::from_str::<Value>(wanted).unwrap());
    assert_eq!(exchange(&bench, &twice, &[("claims", wanted)]).await.0, 200);
}

#[tokio::test]
async fn on_behalf_of_gives_a_refresh_token_only_where_asked() {
    let bench = Bench::start().await;
    let tokens = sign_in(&bench).await;
    let access = tokens["access_token"].as_str().unwrap();
    let (status, body) = exchange(&bench, access, &[]).await;
    assert_eq!((status, body.get("refresh_token")), (200, None));
    let client = ids::VALET.to_string();
    let scope = format!("{GRAPH} offline_access");
    let grant = [
        ("grant_type", OBO),
        ("client_id", client.as_str()),
        ("client_secret", ids::VALET_SECRET),
        ("assertion", access),
        ("scope", &scope),
        ("requested_token_use", "on_behalf_of"),
    ];
    let (_, body) = bench.token(&grant).await;
    assert!(body["refresh_token"].is_string(), "{body}");
    // What comes out is for Graph, and no assertion for anybody.
    let (_, body) = exchange(&bench, body["access_token"].as_str().unwrap(), &[]).await;
    assert_eq!(number(&body), 50013, "{body}");
}

#[tokio::test]
async fn an_app_that_asks_too_often_waits_a_minute() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| all.limits.app_requests_in_a_minute = Some(2));
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", ids::DAEMON.to_string()),
        ("client_secret", ids::DAEMON_SECRET.to_owned()),
        ("scope", format!("{}/.default", ids::VALET_URI)),
    ];
    let send = async || bench.http.post(bench.login("oauth2/v2.0/token")).form(&form).send().await.unwrap();
    assert_eq!(send().await.status(), 200);
    assert_eq!(send().await.status(), 200);
    let refused = send().await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "60"));
    bench.emulator.advance_clock(Duration::from_secs(60));
    assert_eq!(send().await.status(), 200);
}

#[tokio::test]
async fn a_client_that_repeats_itself_is_told_so_for_five_minutes() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| all.limits.equal_requests_in_five_minutes = Some(2));
    let tokens = sign_in(&bench).await;
    for _ in 0..2 {
        assert_eq!(refresh(&bench, &tokens, &[]).await.0, 200);
    }
    let (_, body) = refresh(&bench, &tokens, &[]).await;
    assert_eq!((number(&body), body["error"].as_str()), (50196, Some("invalid_grant")), "{body}");
    let ledger = format!("{}/{}", ids::LEDGER_URI, ids::LEDGER_SCOPE);
    assert_eq!(refresh(&bench, &tokens, &[("scope", &ledger)]).await.0, 200, "another request is not equal");
    bench.emulator.advance_clock(Duration::from_secs(300));
    assert_eq!(refresh(&bench, &tokens, &[]).await.0, 200);
}

#[tokio::test]
async fn requests_that_are_no_form() {
    let bench = Bench::start().await;
    let url = bench.login("oauth2/v2.0/token");
    let form = "application/x-www-form-urlencoded";
    for (expected, kind, body) in [
        (900_144, "application/json", br#"{"grant_type":"authorization_code"}"#.to_vec()),
        (900_144, "", b"grant_type=authorization_code".to_vec()),
        (900_144, form, vec![]),
        (9_002_313, form, b"grant_type=\xff\xfe".to_vec()),
        (9_002_313, form, b"grant_type=%FF".to_vec()),
        (9_000_411, form, b"a=1&a=1".to_vec()),
        (9_002_313, form, [b"grant_type=".as_slice(), &vec![b'x'; 70_000]].concat()),
        (
            70003,
            "application/x-www-form-urlencoded;charset=utf-8",
            b"grant_type=x&client_id=7e57c000-0000-4000-8000-000000000002".to_vec(),
        ),
    ] {
        let request = bench.http.post(&url).header("content-type", kind).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let body: Value = response.json().await.unwrap();
        assert_eq!(number(&body), expected, "{body}");
    }
    for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let response = bench.http.request(method, &url).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["allow"].to_str().unwrap()),
            (405, "POST, OPTIONS")
        );
        let body: Value = response.json().await.unwrap();
        assert_eq!((number(&body), body["error"].as_str()), (900_561, Some("invalid_request")), "{body}");
    }
    sign_in(&bench).await;
}

#[tokio::test]
async fn the_request_id_is_echoed_from_header_or_query() {
    let bench = Bench::start().await;
    let (header, query) = ("11111111-2222-4333-8444-555555555555", "66666666-2222-4333-8444-555555555555");
    let url = format!("{}?client-request-id={query}", bench.login("oauth2/v2.0/token"));
    let by_query = bench.http.post(&url).form(&redeem("x")).send().await.unwrap();
    assert_eq!(by_query.headers()["client-request-id"].to_str().unwrap(), query);
    let body: Value = by_query.json().await.unwrap();
    assert_eq!(body["correlation_id"], query);
    let both =
        bench.http.post(&url).header("client-request-id", header).form(&with(&redeem("x"), "code", "y"));
    let body: Value = both.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["correlation_id"], header);
}

#[tokio::test]
async fn an_access_token_remembers_the_sign_in_behind_it() {
    let bench = Bench::start().await;
    let tokens = sign_in(&bench).await;
    let mut limit = policy(vec![entra_emulator::GRAPH_APP_ID], None);
    (limit.control, limit.sign_in_frequency_minutes) = (Control::None, Some(60));
    bench.emulator.change_registrations(|all| all.conditional_access.push(limit));
    bench.emulator.advance_clock(Duration::from_secs(2 * 3600));
    let (status, fresh) = refresh(&bench, &tokens, &[]).await;
    assert_eq!(status, 200, "{fresh}");
    // The token is new, but the person signed in two hours ago.
    let (_, body) = exchange(&bench, fresh["access_token"].as_str().unwrap(), &[]).await;
    assert_eq!(number(&body), 70043, "{body}");
    let again = sign_in(&bench).await;
    let (status, body) = exchange(&bench, again["access_token"].as_str().unwrap(), &[]).await;
    assert_eq!(status, 200, "{body}");
}
