//! Scopes, the APIs that own them, and the parameter `resource`: what is accepted, what is refused, and by
//! which number.

use entra_emulator::ids;
use serde_json::Value;

use crate::bench::{Bench, OBO, answer, claims, redeem, valet_scope, with};
use crate::refusals::check;

const MCP: &str = "https://localhost:8443/mcp";

/// What the authorize endpoint tells the client: None if it gave a code.
async fn refused_at_authorize(bench: &Bench, scope: &str, resource: &str) -> Option<(String, String)> {
    let mut ask = bench.authorize(scope);
    ask.push(("resource", resource));
    let (status, headers, body) = bench.approve(ids::ADELE_UPN, ask).await;
    assert_eq!(status, 302, "{body}");
    let answer = answer(&headers);
    let text = answer["error_description"].as_str()?;
    Some((answer["error"].as_str()?.to_owned(), text.split(':').next()?.to_owned()))
}

#[tokio::test]
async fn the_resource_must_be_the_one_that_owns_the_scopes() {
    let bench = Bench::start().await;
    let qualified = format!("openid {MCP}/{}", ids::VALET_SCOPE);
    let by_other_uri = format!("openid {}/{}", ids::VALET_URI, ids::VALET_SCOPE);
    let by_id = format!("openid {}/{}", ids::VALET, ids::VALET_SCOPE);
    let valet = ids::VALET.to_string();
    let mismatch = Some(("invalid_target".to_owned(), "AADSTS9010010".to_owned()));
    for (scope, resource, expected) in [
        // Qualified and the same URI.
        (qualified.as_str(), MCP, None),
        (&by_other_uri, ids::VALET_URI, None),
        // Another identifier URI of the same application.
        (&by_other_uri, MCP, None),
        (&by_id, MCP, None),
        // No resource.
        (&qualified, "", None),
        ("openid User.Read", "", None),
        // A bare scope and any resource.
        ("openid User.Read", "https://graph.microsoft.com", mismatch.clone()),
        ("openid User.Read", MCP, mismatch.clone()),
        ("openid", MCP, mismatch.clone()),
        // Character for character: trailing slash, case, path.
        (&qualified, "https://localhost:8443/mcp/", mismatch.clone()),
        (&qualified, "https://LOCALHOST:8443/mcp", mismatch.clone()),
        (&qualified, "https://localhost:8443", mismatch.clone()),
        // An identifier, but no URI.
        (&by_id, &valet, mismatch.clone()),
        // The URI of another application, known or not.
        (&qualified, ids::LEDGER_URI, mismatch.clone()),
        (&qualified, "https://elsewhere.example/mcp", mismatch.clone()),
    ] {
        let case = format!("{scope} {resource}");
        assert_eq!(refused_at_authorize(&bench, scope, resource).await, expected, "{case}");
        // The token endpoint has the same rule, here with a code that was asked without a resource.
        let code = bench.code(scope).await;
        let answer = bench.token(&with(&redeem(&code), "resource", resource)).await;
        match expected {
            None => assert_eq!(answer.0, 200, "{case} {}", answer.1),
            Some(_) => check(answer, 9_010_010, "invalid_target"),
        }
    }
}

#[tokio::test]
async fn the_resource_of_a_refresh_and_of_an_exchange() {
    let bench = Bench::start().await;
    let (_, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    let (client, valet) = (ids::DEMO_CLIENT.to_string(), ids::VALET.to_string());
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", client.as_str()),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let obo = [
        ("grant_type", OBO),
        ("client_id", valet.as_str()),
        ("client_secret", ids::VALET_SECRET),
        ("assertion", tokens["access_token"].as_str().unwrap()),
        ("scope", "https://graph.microsoft.com/User.Read"),
        ("requested_token_use", "on_behalf_of"),
    ];
    for (form, right) in [(refresh.as_slice(), MCP), (&obo, "https://graph.microsoft.com")] {
        for wrong in ["https://localhost:8443/mcp/", "https://graph.microsoft.com/", ids::LEDGER_URI] {
            check(bench.token(&with(form, "resource", wrong)).await, 9_010_010, "invalid_target");
        }
        let (status, body) = bench.token(&with(form, "resource", right)).await;
        assert_eq!(status, 200, "{body}");
    }
}

#[tokio::test]
async fn scopes_that_are_refused() {
    let bench = Bench::start().await;
    let two = format!("{}/{} {}/{}", ids::VALET_URI, ids::VALET_SCOPE, ids::LEDGER_URI, ids::LEDGER_SCOPE);
    let unknown = format!("{}/Tools.Unknown", ids::VALET_URI);
    let role = format!("{}/{}", ids::VALET_URI, ids::VALET_APP_ROLE);
    let (_, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    let client = ids::DEMO_CLIENT.to_string();
    let good = [
        ("grant_type", "refresh_token"),
        ("client_id", client.as_str()),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    for (scope, code, error) in [
        (two.as_str(), 700_022, "invalid_scope"),
        ("openid User.Read https://localhost:8443/mcp/mcp.access", 700_022, "invalid_scope"),
        // A bare scope is Graph's.
        (ids::VALET_SCOPE, 650_053, "invalid_scope"),
        (&unknown, 650_053, "invalid_scope"),
        // An app role is not a scope.
        (&role, 650_053, "invalid_scope"),
        ("/mcp.access", 70011, "invalid_scope"),
        ("api://ledger.contoso.example/", 70011, "invalid_scope"),
        ("User.Read .default", 70011, "invalid_scope"),
        ("User.Réad", 70011, "invalid_scope"),
        ("\"User.Read\"", 70011, "invalid_scope"),
        ("User.Read\\", 70011, "invalid_scope"),
        ("offline_access", 28002, "invalid_scope"),
        ("profile email", 28002, "invalid_scope"),
        (" ", 28003, "invalid_scope"),
        ("api://nobody.example/x", 500_011, "invalid_resource"),
        ("7e57c000-0000-4000-8000-00000000ffff/x", 500_011, "invalid_resource"),
        ("api://portal.fabrikam.example/portal.use", 500_011, "invalid_resource"),
    ] {
        check(bench.token(&[&good[..], &[("scope", scope)]].concat()).await, code, error);
    }
    for scope in ["openid", "openid profile", "  openid  User.Read ", "user.read"] {
        let code = bench.code("openid User.Read").await;
        let (status, body) = bench.token(&with(&redeem(&code), "scope", scope)).await;
        assert_eq!(status, 200, "{scope} {body}");
    }
}

/// The demo client's refresh token, exchanged for `scope`.
async fn refreshed(bench: &Bench, token: &str, scope: &str) -> (u16, Value) {
    let client = ids::DEMO_CLIENT.to_string();
    let form =
        [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", token), ("scope", scope)];
    bench.token(&form).await
}

#[tokio::test]
async fn default_needs_a_permission_at_the_api() {
    let bench = Bench::start().await;
    let (_, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let ledger = format!("{}/.default", ids::LEDGER_URI);
    let named = format!("openid {}/{}", ids::LEDGER_URI, ids::LEDGER_SCOPE);
    // Pre-authorised by the API, though not configured.
    let (status, body) = refreshed(&bench, token, &ledger).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(body["access_token"].as_str().unwrap())["scp"], ids::LEDGER_SCOPE);

    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::LEDGER).unwrap().pre_authorized_applications.clear();
    });
    check(refreshed(&bench, token, &ledger).await, 650_057, "invalid_resource");
    let (text, refusal) = refused_at_authorize(&bench, &ledger, "").await.unwrap();
    assert_eq!((text.as_str(), refusal.as_str()), ("invalid_resource", "AADSTS650057"));
    check(refreshed(&bench, token, &named).await, 65001, "invalid_grant");

    // Consent to a named scope is enough for `.default` afterwards.
    let (status, body) = bench.redeem(&bench.code(&named).await).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = refreshed(&bench, token, &ledger).await;
    assert_eq!(status, 200, "{body}");

    // So is configuration, which is what the consent page shows then.
    let code = bench.code(&format!("openid {MCP}/.default")).await;
    assert_eq!(bench.redeem(&code).await.0, 200);
}

#[tokio::test]
async fn a_disabled_api_gets_no_tokens() {
    let bench = Bench::start().await;
    let code = bench.code(&valet_scope()).await;
    let (_, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let valet = format!("{}/{}", ids::VALET_URI, ids::VALET_SCOPE);
    let enable = |enabled| {
        bench.emulator.change_registrations(move |all| all.app_mut(ids::VALET).unwrap().enabled = enabled);
    };
    enable(false);
    check(refreshed(&bench, token, &valet).await, 50001, "invalid_resource");
    let refused = refused_at_authorize(&bench, &valet_scope(), "").await.unwrap();
    assert_eq!((refused.0.as_str(), refused.1.as_str()), ("invalid_resource", "AADSTS50001"));
    let (daemon, default) = (ids::DAEMON.to_string(), format!("{}/.default", ids::VALET_URI));
    let credentials = [
        ("grant_type", "client_credentials"),
        ("client_id", daemon.as_str()),
        ("client_secret", ids::DAEMON_SECRET),
        ("scope", &default),
    ];
    check(bench.token(&credentials).await, 50001, "invalid_resource");
    // A code that was asked before does not help.
    check(bench.redeem(&code).await, 50001, "invalid_resource");
    let (status, body) = refreshed(&bench, token, "openid").await;
    assert_eq!(status, 200, "other resources are not touched: {body}");
    enable(true);
    assert_eq!(refreshed(&bench, token, &valet).await.0, 200);
    assert_eq!(bench.token(&credentials).await.0, 200);
}
