//! The flows that succeed: code with PKCE, refresh, on-behalf-of, client credentials.

use entra_emulator::{Operation, ids};

use crate::bench::{Bench, OBO, claims, valet_scope};

#[tokio::test]
async fn code_then_obo_then_graph() {
    let bench = Bench::start().await;
    let code = bench.code(&valet_scope()).await;
    let (status, tokens) = bench.redeem(&code).await;
    assert_eq!(status, 200, "{tokens}");
    let access = tokens["access_token"].as_str().unwrap();
    assert!(bench.verifies(access).await);
    let got = claims(access);
    assert_eq!(got["aud"], ids::VALET.to_string());
    assert_eq!(got["scp"], ids::VALET_SCOPE);
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((id["nonce"].as_str(), id["aud"].as_str()), (Some("no-1"), got["azp"].as_str()));

    let valet = ids::VALET.to_string();
    let obo = [
        ("grant_type", OBO),
        ("client_id", &valet),
        ("client_secret", ids::VALET_SECRET),
        ("assertion", access),
        ("scope", "https://graph.microsoft.com/User.Read"),
        ("requested_token_use", "on_behalf_of"),
    ];
    let (status, exchanged) = bench.token(&obo).await;
    assert_eq!(status, 200, "{exchanged}");
    assert!(exchanged.get("refresh_token").is_none(), "only with offline_access");
    let graph = exchanged["access_token"].as_str().unwrap();
    let me: serde_json::Value = bench.graph("/v1.0/me", graph).await.json().await.unwrap();
    assert_eq!(me["userPrincipalName"], ids::ADELE_UPN);
    assert_eq!(me["jobTitle"], "Retail Manager");
    assert_eq!(bench.emulator.faults().count(Operation::OnBehalfOf), 1);
    assert_eq!(bench.emulator.faults().count(Operation::RedeemCode), 1);
    bench.emulator.stop().await;
}

#[tokio::test]
async fn refresh_gives_a_new_token_and_the_old_one_lives() {
    let bench = Bench::start().await;
    let (_, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    let first = tokens["refresh_token"].as_str().unwrap();
    let client = ids::DEMO_CLIENT.to_string();
    let refresh = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", first)];
    let (status, again) = bench.token(&refresh).await;
    assert_eq!(status, 200, "{again}");
    assert_ne!(again["refresh_token"], first);
    assert_eq!(bench.token(&refresh).await.0, 200, "Entra does not revoke a used refresh token");

    // Bound to user and client, not to the resource: Ledger has pre-authorised the demo client.
    let ledger = format!("{}/{}", ids::LEDGER_URI, ids::LEDGER_SCOPE);
    let (status, other) = bench.token(&[refresh.as_slice(), &[("scope", &ledger)]].concat()).await;
    assert_eq!(status, 200, "{other}");
    assert_eq!(claims(other["access_token"].as_str().unwrap())["aud"], ids::LEDGER_URI);
}

#[tokio::test]
async fn client_credentials_by_post_and_by_basic() {
    let bench = Bench::start().await;
    let daemon = ids::DAEMON.to_string();
    let scope = format!("{}/.default", ids::VALET_URI);
    let form = [("grant_type", "client_credentials"), ("scope", &scope)];
    let post = [form.as_slice(), &[("client_id", &daemon), ("client_secret", ids::DAEMON_SECRET)]].concat();
    let (status, body) = bench.token(&post).await;
    assert_eq!(status, 200, "{body}");
    let got = claims(body["access_token"].as_str().unwrap());
    assert_eq!(got["roles"], serde_json::json!([ids::VALET_APP_ROLE]));
    assert_eq!(
        (got["idtyp"].as_str(), got["azpacr"].as_str(), got.get("scp")),
        (Some("app"), Some("1"), None)
    );
    assert_eq!(got["sub"], got["oid"]);

    let request = bench.http.post(bench.login("oauth2/v2.0/token")).form(&form);
    let basic = request.basic_auth(&daemon, Some(ids::DAEMON_SECRET)).send().await.unwrap();
    assert_eq!(basic.status(), 200);
}

#[tokio::test]
async fn only_openid_words_give_a_graph_token_with_just_them() {
    let bench = Bench::start().await;
    let (status, body) = bench.redeem(&bench.code("openid profile").await).await;
    assert_eq!((status, body["scope"].as_str()), (200, Some("openid profile")), "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["scp"], "openid profile");
    let qualified = "openid https://graph.microsoft.com/User.Read";
    let (_, body) = bench.redeem(&bench.code(qualified).await).await;
    assert_eq!(body["scope"], "https://graph.microsoft.com/User.Read openid");
}

#[tokio::test]
async fn a_grant_remembers_the_scopes_it_was_asked_with() {
    let bench = Bench::start().await;
    let scope = format!("{} User.Read", valet_scope());
    let (status, body) = bench.redeem(&bench.code(&scope).await).await;
    assert_eq!(status, 200, "without scope the first resource counts: {body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["aud"], ids::VALET.to_string());
}

#[tokio::test]
async fn the_resource_parameter_is_accepted_when_it_names_the_owner() {
    let bench = Bench::start().await;
    let mcp = "https://localhost:8443/mcp";
    let scope = format!("openid {mcp}/mcp.access");
    let mut ask = bench.authorize(&scope);
    ask.push(("resource", mcp));
    let (_, headers, _) = bench.approve(ids::ALEX_UPN, ask).await;
    let answer = crate::bench::answer(&headers);
    let mut redeem = crate::bench::redeem(answer["code"].as_str().unwrap());
    redeem.push(("resource", mcp));
    let (status, body) = bench.token(&redeem).await;
    assert_eq!(status, 200, "{body}");
    let got = claims(body["access_token"].as_str().unwrap());
    assert_eq!((got["oid"].as_str(), got.get("roles")), (Some(ids::ALEX.to_string().as_str()), None));
}
