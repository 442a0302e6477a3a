//! Which accounts and which applications each tenant segment serves, and how the others are refused.

use entra_emulator::{CONSUMER_TENANT, Registrations, SignInAudience, Signer, TokenVersion, ids};
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::bench::{Bench, OBO, answer, claims, redeem, valet_scope, with};
use crate::refusals::check;

use SignInAudience::{
    AzureADMultipleOrgs, AzureADMyOrg, AzureADandPersonalMicrosoftAccount, PersonalMicrosoftAccount,
};

const AUDIENCES: [SignInAudience; 4] =
    [AzureADMyOrg, AzureADMultipleOrgs, AzureADandPersonalMicrosoftAccount, PersonalMicrosoftAccount];

/// Valet and the demo client for everybody, so that only the account decides.
fn open_to_all(all: &mut Registrations) {
    for app in [ids::VALET, ids::DEMO_CLIENT] {
        all.app_mut(app).unwrap().sign_in_audience = AzureADandPersonalMicrosoftAccount;
    }
}

/// An authorize request of the demo client at a tenant segment, approved as `user`.
async fn approve_at(bench: &Bench, segment: &str, user: &str, scope: &str) -> (u16, HeaderMap, String) {
    let url = format!("{}/{segment}/oauth2/v2.0/authorize", bench.emulator.authority_url());
    let mut ask = with(&bench.authorize(scope), "code_challenge", "");
    ask.retain(|(name, _)| *name != "code_challenge_method");
    let mut request = bench.http.get(url).query(&ask);
    if !user.is_empty() {
        request = request.header("x-emulator-approve", user);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.headers().clone(), response.text().await.unwrap())
}

/// The tokens of such a request.
async fn sign_in_at(bench: &Bench, segment: &str, user: &str) -> Value {
    let (status, headers, body) = approve_at(bench, segment, user, &valet_scope()).await;
    assert_eq!(status, 302, "{segment} {user} {body}");
    let answer = answer(&headers);
    let code = answer["code"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let (status, tokens) = bench.token_at(segment, &with(&redeem(code), "code_verifier", "")).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

#[tokio::test]
async fn an_application_is_refused_where_its_audience_does_not_reach() {
    let bench = Bench::start().await;
    let (tenant, foreign) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
    let client = ids::DEMO_CLIENT.to_string();
    let form = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", "invented")];
    // A client that is served gets as far as its invented refresh token.
    let served = (70000, "invalid_grant");
    let single = (50194, "invalid_request");
    let personal_alias = (9_002_331, "invalid_request");
    let personal_tenant = (9_002_346, "invalid_request");
    let work_only = (9_002_332, "invalid_request");
    let elsewhere = (700_016, "unauthorized_client");
    for (segment, expected) in [
        (tenant.as_str(), [served, served, served, personal_tenant]),
        (ids::DOMAIN, [served, served, served, personal_tenant]),
        (&foreign, [elsewhere, served, served, personal_tenant]),
        ("common", [single, served, served, personal_alias]),
        ("organizations", [single, served, served, personal_alias]),
        ("consumers", [work_only, work_only, served, served]),
        (CONSUMER_TENANT, [work_only, work_only, served, served]),
    ] {
        for (audience, (code, error)) in AUDIENCES.into_iter().zip(expected) {
            bench.emulator.change_registrations(|all| {
                all.app_mut(ids::DEMO_CLIENT).unwrap().sign_in_audience = audience;
            });
            check(bench.token_at(segment, &form).await, code, error);
            // The authorize endpoint says the same on a page, since the client is not to be trusted with it.
            let (status, headers, page) = approve_at(&bench, segment, "", "openid").await;
            let refused = code != served.0;
            assert_eq!((status == 400, headers.contains_key("location")), (refused, false), "{page}");
            assert_eq!(page.contains(&format!("AADSTS{code}: ")), refused, "{segment} {audience:?}");
        }
    }
}

#[tokio::test]
async fn unknown_and_disabled_applications() {
    let bench = Bench::start().await;
    let client = ids::DEMO_CLIENT.to_string();
    let good =
        [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", "invented")];
    let tenant = ids::TENANT.to_string();
    for unknown in ["7e57c000-0000-4000-8000-00000000ffff", "x", "00000003-0000-0000-c000-000000000000"] {
        let form = with(&good, "client_id", unknown);
        check(bench.token_at(&tenant, &form).await, 700_016, "unauthorized_client");
        check(bench.token_at("consumers", &form).await, 700_016, "unauthorized_client");
        check(bench.token_at("common", &form).await, 700_011, "unauthorized_client");
        check(bench.token_at("organizations", &form).await, 700_011, "unauthorized_client");
    }
    let enable = |enabled| {
        bench.emulator.change_registrations(move |all| {
            all.app_mut(ids::DEMO_CLIENT).unwrap().enabled = enabled;
        });
    };
    enable(false);
    check(bench.token_at(&tenant, &good).await, 7_000_112, "unauthorized_client");
    enable(true);
    let (status, tokens) = bench.redeem(&bench.code(&valet_scope()).await).await;
    assert_eq!(status, 200, "{tokens}");
}

#[tokio::test]
async fn an_account_is_refused_where_it_does_not_belong() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(open_to_all);
    let (tenant, foreign) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
    let users = [ids::ADELE_UPN, ids::FARAH_UPN, ids::FARAH_GUEST_UPN, ids::PIA_UPN];
    for (segment, admitted) in [
        (tenant.as_str(), [true, false, true, false]),
        (&foreign, [false, true, false, false]),
        ("common", [true, true, false, true]),
        ("organizations", [true, true, false, false]),
        ("consumers", [false, false, false, true]),
        (CONSUMER_TENANT, [false, false, false, true]),
    ] {
        let (_, _, accounts) = approve_at(&bench, segment, "", &valet_scope()).await;
        for (user, admitted) in users.into_iter().zip(admitted) {
            let (status, headers, page) = approve_at(&bench, segment, user, &valet_scope()).await;
            assert_eq!(headers.contains_key("location"), admitted, "{segment} {user} {page}");
            assert_eq!(
                (status, page.contains("AADSTS50020: ")),
                if admitted { (302, false) } else { (400, true) }
            );
            assert_eq!(
                accounts.contains(user),
                admitted,
                "what is offered is what is admitted: {segment} {user}"
            );
        }
    }
}

#[tokio::test]
async fn a_personal_account_needs_an_application_for_personal_accounts() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        open_to_all(all);
        all.app_mut(ids::DEMO_CLIENT).unwrap().sign_in_audience = AzureADMultipleOrgs;
    });
    let (status, headers, page) = approve_at(&bench, "common", ids::PIA_UPN, &valet_scope()).await;
    assert_eq!((status, headers.get("location")), (400, None));
    assert!(page.contains("AADSTS50020: "), "{page}");
    let work = sign_in_at(&bench, "common", ids::FARAH_UPN).await;
    assert_eq!(claims(work["access_token"].as_str().unwrap())["oid"], ids::FARAH.to_string());

    // An API for work accounts alone is none for Pia, even where her client is for both.
    bench.emulator.change_registrations(|all| {
        open_to_all(all);
        all.app_mut(ids::VALET).unwrap().sign_in_audience = AzureADMultipleOrgs;
    });
    for segment in ["common", "consumers"] {
        let (status, headers, page) = approve_at(&bench, segment, ids::PIA_UPN, &valet_scope()).await;
        assert_eq!(status, 302, "{page}");
        let answer = answer(&headers);
        assert_eq!(answer["error"], "invalid_request");
        assert!(answer["error_description"].as_str().unwrap().starts_with("AADSTS9002332: "), "{answer}");
    }
}

#[tokio::test]
async fn a_personal_account_signs_in_refreshes_and_is_acted_for() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(open_to_all);
    for segment in ["common", "consumers", CONSUMER_TENANT] {
        let tokens = sign_in_at(&bench, segment, ids::PIA_UPN).await;
        let access = tokens["access_token"].as_str().unwrap();
        let got = claims(access);
        assert_eq!(
            (got["tid"].as_str(), got["oid"].as_str()),
            (Some(CONSUMER_TENANT), Some("00000000-0000-0000-7e57-b00000000001"))
        );
        assert!(bench.verifies(access).await);
        let (client, valet) = (ids::DEMO_CLIENT.to_string(), ids::VALET.to_string());
        let refresh = [
            ("grant_type", "refresh_token"),
            ("client_id", client.as_str()),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        assert_eq!(bench.token_at(segment, &refresh).await.0, 200);
        check(bench.token_at("organizations", &refresh).await, 50020, "access_denied");
        check(bench.token_at(&ids::TENANT.to_string(), &refresh).await, 50020, "access_denied");
        let obo = [
            ("grant_type", OBO),
            ("client_id", valet.as_str()),
            ("client_secret", ids::VALET_SECRET),
            ("assertion", access),
            ("scope", "https://graph.microsoft.com/User.Read"),
            ("requested_token_use", "on_behalf_of"),
        ];
        let (status, exchanged) = bench.token_at(segment, &obo).await;
        assert_eq!(status, 200, "{exchanged}");
        let me: Value =
            bench.graph("/v1.0/me", exchanged["access_token"].as_str().unwrap()).await.json().await.unwrap();
        assert_eq!(me["userPrincipalName"], ids::PIA_UPN);
    }
}

#[tokio::test]
async fn the_key_of_personal_accounts_signs_for_nobody_else() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(open_to_all);
    let emulator = &bench.emulator;
    let valet = ids::VALET.to_string();
    let exchange = async |segment: &str, user: &str, signer| {
        let claims = emulator.claims_of(user, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap();
        let token = emulator.forge(emulator.header(TokenVersion::V2, signer), claims, signer);
        let obo = [
            ("grant_type", OBO),
            ("client_id", valet.as_str()),
            ("client_secret", ids::VALET_SECRET),
            ("assertion", token.as_str()),
            ("scope", "https://graph.microsoft.com/User.Read"),
            ("requested_token_use", "on_behalf_of"),
        ];
        bench.token_at(segment, &obo).await
    };
    let tenant = ids::TENANT.to_string();
    check(exchange(&tenant, ids::ADELE_UPN, Signer::Consumer).await, 50013, "invalid_grant");
    check(exchange("consumers", ids::PIA_UPN, Signer::Live).await, 50013, "invalid_grant");
    assert_eq!(exchange(&tenant, ids::ADELE_UPN, Signer::Live).await.0, 200);
    assert_eq!(exchange("consumers", ids::PIA_UPN, Signer::Consumer).await.0, 200);
}

#[tokio::test]
async fn a_refresh_token_follows_the_person_into_the_tenants_that_invited_them() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(open_to_all);
    let client = ids::DEMO_CLIENT.to_string();
    let (tenant, foreign) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
    let oid_at = async |segment: &str, tokens: &Value| {
        let refresh = [
            ("grant_type", "refresh_token"),
            ("client_id", client.as_str()),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        let (status, body) = bench.token_at(segment, &refresh).await;
        assert_eq!(status, 200, "{segment}: {body}");
        claims(body["access_token"].as_str().unwrap())["oid"].clone()
    };
    // The guest has consented to nothing yet.
    let guest = sign_in_at(&bench, &tenant, ids::FARAH_GUEST_UPN).await;
    let home = sign_in_at(&bench, &foreign, ids::FARAH_UPN).await;
    for tokens in [&guest, &home] {
        assert_eq!(oid_at(&tenant, tokens).await, ids::FARAH_GUEST.to_string());
        assert_eq!(oid_at(&foreign, tokens).await, ids::FARAH.to_string());
        assert_eq!(oid_at("common", tokens).await, ids::FARAH.to_string());
    }
}

#[tokio::test]
async fn personal_accounts_have_no_directory_for_an_application_alone() {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(|all| {
        for app in [ids::DAEMON, ids::VALET] {
            all.app_mut(app).unwrap().sign_in_audience = AzureADandPersonalMicrosoftAccount;
        }
    });
    let (daemon, scope) = (ids::DAEMON.to_string(), format!("{}/.default", ids::VALET_URI));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", daemon.as_str()),
        ("client_secret", ids::DAEMON_SECRET),
        ("scope", &scope),
    ];
    check(bench.token_at("consumers", &form).await, 9_001_023, "invalid_request");
    check(bench.token_at("common", &form).await, 50059, "invalid_request");
    assert_eq!(bench.token(&form).await.0, 200);
}
