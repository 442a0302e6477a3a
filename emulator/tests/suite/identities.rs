//! Tokens field by field: members, guests, personal accounts, groups, optional claims, capabilities, lives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use entra_emulator::{
    CONSUMER_TENANT, GRAPH_APP_ID, GroupClaims, OptionalClaims, Registrations, SignInAudience, TokenLife,
    TokenVersion, ids,
};
use serde_json::{Value, json};

use crate::bench::{Bench, answer, claims, header, redeem, valet_scope, with};

const V2: &str = "aio aud azp azpacr exp iat iss name nbf oid preferred_username rh scp sub tid uti ver";
const V1: &str =
    "acr aio amr appid appidacr aud exp iat idp iss name nbf oid rh scp sub tid unique_name uti ver";
const ID: &str = "aio aud exp iat iss name nbf oid preferred_username rh sub tid uti ver";

/// The names of a token's claims, sorted.
fn names(value: &Value) -> String {
    sorted(value.as_object().unwrap().keys().map(String::as_str))
}

/// A list of names with more of them.
fn and(list: &str, more: &str) -> String {
    sorted(list.split_whitespace().chain(more.split_whitespace()))
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.join(" ")
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|&n| n.to_owned()).collect()
}

async fn bench(change: impl FnOnce(&mut Registrations)) -> Bench {
    let bench = Bench::start().await;
    bench.emulator.change_registrations(change);
    bench
}

fn for_valet(bench: &Bench, user: &str) -> Value {
    claims(&bench.emulator.access_token(user, ids::DEMO_CLIENT, ids::VALET, &[ids::VALET_SCOPE]).unwrap())
}

fn for_ledger(bench: &Bench, user: &str) -> Value {
    claims(&bench.emulator.access_token(user, ids::DEMO_CLIENT, ids::LEDGER, &[ids::LEDGER_SCOPE]).unwrap())
}

/// What the endpoints answer to an authorize request of the demo client, approved as `user`.
async fn sign_in(bench: &Bench, user: &str, scope: &str, request: &str) -> Value {
    let mut ask = bench.authorize(scope);
    ask.push(("claims", request));
    let (status, headers, body) = bench.approve(user, ask).await;
    assert_eq!(status, 302, "{body}");
    let given = answer(&headers);
    let mut redeem = redeem(given["code"].as_str().unwrap());
    redeem.push(("client_info", "1"));
    let (status, tokens) = bench.token(&redeem).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn token(tokens: &Value, kind: &str) -> Value {
    claims(tokens[kind].as_str().unwrap())
}

#[tokio::test]
async fn a_guest_has_the_ids_of_the_host_and_the_name_and_provider_of_home() {
    let bench = Bench::start().await;
    let home = bench.emulator.issuer(TokenVersion::V1, ids::FOREIGN_TENANT);
    let v2 = for_valet(&bench, ids::FARAH_GUEST_UPN);
    assert_eq!(names(&v2), and(V2, "email idp"));
    let v1 = for_ledger(&bench, ids::FARAH_GUEST_UPN);
    assert_eq!(names(&v1), and(V1, "email"));
    for (token, name) in [(&v2, "preferred_username"), (&v1, "unique_name")] {
        assert_eq!(token[name], ids::FARAH_UPN);
        assert_eq!(token["name"], "F. Nadim (Fabrikam)");
        assert_eq!(token["oid"], ids::FARAH_GUEST.to_string());
        assert_eq!(token["tid"], ids::TENANT.to_string());
        assert_eq!(token["idp"], home);
        assert_eq!(token["email"], "farah.nadim@fabrikam.example");
    }
    assert_eq!(v2["iss"], bench.emulator.issuer(TokenVersion::V2, ids::TENANT));
    assert_eq!(v1["iss"], bench.emulator.issuer(TokenVersion::V1, ids::TENANT));
    let id = claims(&bench.emulator.id_token(ids::FARAH_GUEST_UPN, ids::DEMO_CLIENT, None).unwrap());
    assert_eq!(names(&id), and(ID, "email idp"));
    assert_eq!((&id["oid"], &id["idp"]), (&v2["oid"], &v2["idp"]));

    let tokens = sign_in(&bench, ids::FARAH_GUEST_UPN, &valet_scope(), "{}").await;
    let info = |text: &Value| -> Value {
        let padded =
            format!("{0:1$}", text.as_str().unwrap(), text.as_str().unwrap().len().next_multiple_of(4));
        serde_json::from_slice(&URL_SAFE.decode(padded.replace(' ', "=")).unwrap()).unwrap()
    };
    let expected = json!({ "uid": ids::FARAH, "utid": ids::FOREIGN_TENANT });
    assert_eq!(info(&tokens["client_info"]), expected, "the account at home");
    let mut ask = bench.authorize("openid");
    ask.push(("client_info", "1"));
    let (_, headers, _) = bench.approve(ids::FARAH_GUEST_UPN, ask).await;
    assert_eq!(info(&answer(&headers)["client_info"]), expected);
}

#[tokio::test]
async fn a_member_has_no_claims_of_a_guest() {
    let bench = Bench::start().await;
    let v2 = for_valet(&bench, ids::ALEX_UPN);
    assert_eq!(names(&v2), V2);
    let v1 = for_ledger(&bench, ids::ALEX_UPN);
    assert_eq!(names(&v1), and(V1, "family_name given_name upn"));
    assert_eq!((&v1["upn"], &v1["unique_name"]), (&json!(ids::ALEX_UPN), &json!(ids::ALEX_UPN)));
    assert_eq!((&v1["acr"], &v1["amr"], &v1["appidacr"]), (&json!("1"), &json!(["pwd"]), &json!("0")));
    assert_eq!((&v1["given_name"], &v1["family_name"]), (&json!("Alex"), &json!("Wilber")));
    assert_eq!(v1["idp"], v1["iss"]);
    assert_ne!(v1["sub"], v2["sub"], "two APIs cannot compare notes");
    assert_eq!(v2["sub"], for_valet(&bench, ids::ALEX_UPN)["sub"], "one API recognises the person");
    assert_ne!(v2["uti"], for_valet(&bench, ids::ALEX_UPN)["uti"]);
}

#[tokio::test]
async fn a_personal_account_is_signed_by_the_key_of_its_issuer() {
    let bench = bench(|all| {
        let valet = all.app_mut(ids::VALET).unwrap();
        valet.sign_in_audience = SignInAudience::AzureADandPersonalMicrosoftAccount;
    })
    .await;
    let issuer = format!("{}/{CONSUMER_TENANT}/v2.0", bench.emulator.authority_url());
    let keys = bench.json(&bench.login("discovery/v2.0/keys")).await;
    let published = |kid: &Value| {
        let key = keys["keys"].as_array().unwrap().iter().find(|k| k["kid"] == *kid);
        key.unwrap()["issuer"].clone()
    };
    let access =
        bench.emulator.access_token(ids::PIA_UPN, ids::DEMO_CLIENT, ids::VALET, &["mcp.access"]).unwrap();
    let id = bench.emulator.id_token(ids::PIA_UPN, ids::DEMO_CLIENT, Some("n")).unwrap();
    for token in [&access, &id] {
        assert!(bench.verifies(token).await);
        assert_eq!(published(&header(token)["kid"]), issuer);
        let got = claims(token);
        assert_eq!((&got["iss"], &got["tid"]), (&json!(issuer), &json!(CONSUMER_TENANT)));
        assert_eq!(got["oid"], "00000000-0000-0000-7e57-b00000000001");
        assert_eq!(got["preferred_username"], ids::PIA_UPN);
    }
    assert_eq!(names(&claims(&access)), V2);
    assert_eq!(names(&claims(&id)), and(ID, "nonce"));
    let work = for_valet(&bench, ids::ADELE_UPN);
    assert_ne!(work["iss"], issuer);
    let token = bench.emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::VALET, &[]).unwrap();
    let templated = format!("{}/{{tenantid}}/v2.0", bench.emulator.authority_url());
    assert_eq!(published(&header(&token)["kid"]), templated);
}

#[tokio::test]
async fn a_personal_account_as_a_guest() {
    let bench = bench(|all| {
        let guest = all.users.iter_mut().find(|u| u.id == ids::FARAH_GUEST).unwrap();
        guest.home = Some(ids::PIA);
    })
    .await;
    let (v1, v2) = (for_ledger(&bench, ids::FARAH_GUEST_UPN), for_valet(&bench, ids::FARAH_GUEST_UPN));
    assert_eq!((&v1["idp"], &v2["idp"]), (&json!("live.com"), &json!("live.com")));
    assert_eq!(v1["unique_name"], format!("live.com#{}", ids::PIA_UPN));
    assert_eq!(v2["preferred_username"], ids::PIA_UPN);
    assert_eq!(v2["tid"], ids::TENANT.to_string());
}

#[tokio::test]
async fn groups_and_directory_roles_as_the_app_asks() {
    let bench = Bench::start().await;
    let groups = json!([ids::GROUP_STAFF, ids::GROUP_RETAIL]);
    let wids = json!([ids::ROLE_READER_TEMPLATE]);
    for (shown, more, want_groups, want_wids) in [
        (GroupClaims::None, "roles", None, None),
        (GroupClaims::SecurityGroup, "groups roles", Some(&groups), None),
        (GroupClaims::DirectoryRole, "roles wids", None, Some(&wids)),
        (GroupClaims::All, "groups roles wids", Some(&groups), Some(&wids)),
    ] {
        bench.emulator.change_registrations(|all| {
            all.app_mut(ids::VALET).unwrap().group_membership_claims = shown;
        });
        let got = for_valet(&bench, ids::ADELE_UPN);
        assert_eq!(names(&got), and(V2, more), "{shown:?}");
        assert_eq!((got.get("groups"), got.get("wids")), (want_groups, want_wids), "{shown:?}");
        // The id token follows the client, which asked for nothing.
        let id = claims(&bench.emulator.id_token(ids::ADELE_UPN, ids::DEMO_CLIENT, None).unwrap());
        assert_eq!(names(&id), ID);
    }
    // Valet as a client: its id tokens show groups and roles.
    let id = claims(&bench.emulator.id_token(ids::ADELE_UPN, ids::VALET, None).unwrap());
    assert_eq!(names(&id), and(ID, "groups roles wids"));
    // Who is in none has no claim, rather than an empty one.
    let farah = claims(&bench.emulator.id_token(ids::FARAH_UPN, ids::VALET, None).unwrap());
    assert_eq!(names(&farah), ID);
    let app = claims(&bench.emulator.app_token(ids::DAEMON, ids::VALET, &[]).unwrap());
    assert_eq!((app.get("groups"), app.get("wids")), (None, None));
}

#[tokio::test]
async fn more_than_two_hundred_groups_are_an_overage() {
    let bench = bench(|all| {
        for app in [ids::VALET, ids::LEDGER] {
            all.app_mut(app).unwrap().group_membership_claims = GroupClaims::All;
        }
    })
    .await;
    let endpoint = format!("https://graph.windows.net/{}/users/{}/getMemberObjects", ids::TENANT, ids::GERDA);
    for (got, shape) in [
        (for_valet(&bench, ids::GERDA_UPN), V2.to_owned()),
        (for_ledger(&bench, ids::GERDA_UPN), and(V1, "family_name given_name upn")),
    ] {
        assert_eq!(names(&got), and(&shape, "_claim_names _claim_sources"));
        assert_eq!(got["_claim_names"], json!({ "groups": "src1" }));
        assert_eq!(got["_claim_sources"], json!({ "src1": { "endpoint": endpoint } }));
    }
    for (further, shown) in [(200, Some(200)), (201, None)] {
        bench.emulator.change_registrations(|all| {
            all.users.iter_mut().find(|u| u.id == ids::GERDA).unwrap().further_groups = further;
        });
        let got = for_valet(&bench, ids::GERDA_UPN);
        assert_eq!(got.get("groups").map(|g| g.as_array().unwrap().len()), shown);
        assert_eq!(got.get("_claim_names").is_none(), shown.is_some());
    }
    // Directory roles do not count towards the limit, and are shown beside an overage.
    bench.emulator.change_registrations(|all| {
        all.groups.iter_mut().find(|g| g.id == ids::ROLE_READER).unwrap().members.push(ids::GERDA);
    });
    let got = for_valet(&bench, ids::GERDA_UPN);
    assert_eq!(got["wids"], json!([ids::ROLE_READER_TEMPLATE]));
    assert!(got.get("groups").is_none());
}

#[tokio::test]
async fn optional_claims_of_access_tokens() {
    let bench = bench(|all| {
        let wanted = ["acct", "amr", "auth_time", "email", "family_name", "given_name", "upn", "xms_pl"];
        all.app_mut(ids::VALET).unwrap().optional_claims =
            OptionalClaims { access_token: list(&wanted), id_token: vec![] };
        all.app_mut(ids::LEDGER).unwrap().optional_claims =
            OptionalClaims { access_token: list(&["preferred_username", "acct"]), id_token: vec![] };
    })
    .await;
    let adele = for_valet(&bench, ids::ADELE_UPN);
    let all = "acct amr auth_time email family_name given_name roles upn xms_pl";
    assert_eq!(names(&adele), and(V2, all));
    for (name, value) in [
        ("acct", json!(0)),
        ("amr", json!(["pwd"])),
        ("auth_time", adele["iat"].clone()),
        ("email", json!("adele.vance@contoso.example")),
        ("family_name", json!("Vance")),
        ("given_name", json!("Adele")),
        ("upn", json!(ids::ADELE_UPN)),
        ("xms_pl", json!("en-gb")),
    ] {
        assert_eq!(adele[name], value, "{name}");
    }
    // Claims without a value are absent: a guest's names and language are those of home.
    let guest = for_valet(&bench, ids::FARAH_GUEST_UPN);
    assert_eq!(names(&guest), and(V2, "acct amr auth_time email idp upn"));
    assert_eq!((&guest["acct"], &guest["upn"]), (&json!(1), &json!(ids::FARAH_UPN)));
    let v1 = for_ledger(&bench, ids::ADELE_UPN);
    assert_eq!(names(&v1), and(V1, "acct family_name given_name preferred_username upn"));
    // None of them says anything of an application.
    let app = claims(&bench.emulator.app_token(ids::DAEMON, ids::VALET, &[]).unwrap());
    assert_eq!(names(&app), "aio aud azp azpacr exp iat idtyp iss nbf oid rh sub tid uti ver");
}

#[tokio::test]
async fn the_type_of_a_token() {
    let bench = Bench::start().await;
    let set = |wanted: &[&str]| {
        bench.emulator.change_registrations(|all| {
            let ledger = all.app_mut(ids::LEDGER).unwrap();
            ledger.optional_claims.access_token = list(wanted);
        });
        let app = claims(&bench.emulator.app_token(ids::DAEMON, ids::LEDGER, &[]).unwrap());
        (app.get("idtyp").cloned(), for_ledger(&bench, ids::ADELE_UPN).get("idtyp").cloned())
    };
    assert_eq!(set(&[]), (None, None));
    assert_eq!(set(&["idtyp"]), (Some(json!("app")), None));
    assert_eq!(set(&["idtyp", "include_user_token"]), (Some(json!("app")), Some(json!("user"))));
    let app = claims(&bench.emulator.app_token(ids::DAEMON, ids::LEDGER, &[]).unwrap());
    assert_eq!(names(&app), "aio appid appidacr aud exp iat idp idtyp iss nbf oid rh sub tid uti ver");
}

#[tokio::test]
async fn a_v1_audience_is_what_the_client_wrote_or_the_client_id() {
    let bench = Bench::start().await;
    let audience = async |identifier: &str| {
        let scope = format!("openid {identifier}/{}", ids::LEDGER_SCOPE);
        token(&sign_in(&bench, ids::ADELE_UPN, &scope, "{}").await, "access_token")["aud"].clone()
    };
    let id = ids::LEDGER.to_string();
    assert_eq!(audience(ids::LEDGER_URI).await, ids::LEDGER_URI);
    assert_eq!(audience(&id).await, id);
    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::LEDGER).unwrap().optional_claims.access_token = list(&["use_guid"]);
    });
    assert_eq!(audience(ids::LEDGER_URI).await, id);
}

#[tokio::test]
async fn an_id_token_names_the_user_only_with_profile_and_email() {
    let bench = bench(|all| {
        let client = all.app_mut(ids::DEMO_CLIENT).unwrap();
        client.optional_claims.access_token = list(&["family_name"]);
    })
    .await;
    let bare = "aio aud exp iat iss nbf nonce rh sub tid uti ver";
    for (scope, shape) in [
        ("openid", bare.to_owned()),
        ("openid email", and(bare, "email")),
        ("openid profile", and(ID, "nonce")),
        ("openid profile email", and(ID, "email nonce")),
    ] {
        let id = token(&sign_in(&bench, ids::ADELE_UPN, scope, "{}").await, "id_token");
        assert_eq!(names(&id), shape, "{scope}");
        assert_eq!(id["aud"], ids::DEMO_CLIENT.to_string());
        assert_eq!(id["exp"].as_i64().unwrap() - id["iat"].as_i64().unwrap(), 3600);
    }
    bench.emulator.change_registrations(|all| {
        let wanted = ["acct", "acrs", "auth_time", "email", "family_name", "given_name", "upn"];
        all.app_mut(ids::DEMO_CLIENT).unwrap().optional_claims.id_token = list(&wanted);
    });
    let wanted = "acct auth_time email family_name given_name nonce upn";
    let id = token(&sign_in(&bench, ids::ADELE_UPN, "openid profile", "{}").await, "id_token");
    assert_eq!(names(&id), and(ID, wanted), "no context was asked for");
    let context = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    let id = token(&sign_in(&bench, ids::ADELE_UPN, "openid profile", context).await, "id_token");
    assert_eq!(names(&id), and(ID, &and(wanted, "acrs")));
}

const CP1: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;

#[tokio::test]
async fn the_clients_capability_is_told_where_the_resource_wants_it() {
    let bench = Bench::start().await;
    let life = |t: &Value| t["exp"].as_i64().unwrap() - t["iat"].as_i64().unwrap();
    let access = async |scope: &str, request| {
        token(&sign_in(&bench, ids::ADELE_UPN, scope, request).await, "access_token")
    };
    let graph = access("openid User.Read", CP1).await;
    assert_eq!(graph["xms_cc"], json!(["cp1"]));
    assert!((20 * 3600..=28 * 3600).contains(&life(&graph)), "{}", life(&graph));
    let plain = access("openid User.Read", "{}").await;
    assert_eq!(plain.get("xms_cc"), None);
    assert!((3600..5400).contains(&life(&plain)));
    assert_eq!(
        names(&plain),
        and(V1, "family_name given_name idtyp upn"),
        "a Graph token is v1, and tells its type unasked"
    );

    assert_eq!(access(&valet_scope(), CP1).await.get("xms_cc"), None);
    bench.emulator.change_registrations(|all| {
        all.app_mut(ids::VALET).unwrap().optional_claims.access_token = list(&["xms_cc"]);
    });
    let valet = access(&valet_scope(), CP1).await;
    assert_eq!(valet["xms_cc"], json!(["cp1"]));
    assert!((3600..5400).contains(&life(&valet)), "only Graph's tokens live long");
    assert_eq!(access(&valet_scope(), "{}").await.get("xms_cc"), None);

    // An application can be capable too.
    let daemon = ids::DAEMON.to_string();
    let credentials = [
        ("grant_type", "client_credentials"),
        ("client_id", daemon.as_str()),
        ("client_secret", ids::DAEMON_SECRET),
        ("scope", "https://graph.microsoft.com/.default"),
        ("claims", CP1),
    ];
    let (_, body) = bench.token(&credentials).await;
    let app = token(&body, "access_token");
    assert_eq!((&app["xms_cc"], &app["idtyp"]), (&json!(["cp1"]), &json!("app")));
    assert_eq!(body["expires_in"].as_i64(), Some(life(&app)));
    assert!(life(&app) >= 20 * 3600);
    let (_, body) = bench.token(&with(&credentials, "claims", "")).await;
    assert_eq!(token(&body, "access_token").get("xms_cc"), None);
}

#[tokio::test]
async fn contexts_that_were_asked_for_are_in_the_token() {
    let bench = Bench::start().await;
    let two = r#"{"access_token":{"acrs":{"essential":true,"values":["c1","c25"]}}}"#;
    let got = token(&sign_in(&bench, ids::ALEX_UPN, &valet_scope(), two).await, "access_token");
    assert_eq!(names(&got), and(V2, "acrs"));
    assert_eq!(got["acrs"], json!(["c1", "c25"]));
    let got = token(&sign_in(&bench, ids::ALEX_UPN, &valet_scope(), "{}").await, "access_token");
    assert_eq!(names(&got), V2);
}

#[tokio::test]
async fn the_registration_can_set_the_life_of_tokens() {
    let bench = bench(|all| {
        all.app_mut(ids::VALET).unwrap().token_life = Some(TokenLife { min: 600, max: 600 });
    })
    .await;
    let tokens = sign_in(&bench, ids::ADELE_UPN, &valet_scope(), "{}").await;
    assert_eq!(tokens["expires_in"], 600);
    let got = token(&tokens, "access_token");
    assert_eq!(got["exp"].as_i64().unwrap() - got["nbf"].as_i64().unwrap(), 600);
    let ledger = for_ledger(&bench, ids::ADELE_UPN);
    assert!(ledger["exp"].as_i64().unwrap() - ledger["iat"].as_i64().unwrap() >= 3600);
}

#[tokio::test]
async fn graph_accepts_its_tokens_of_guests_and_personal_accounts() {
    let bench = Bench::start().await;
    for user in [ids::FARAH_GUEST_UPN, ids::PIA_UPN, ids::GERDA_UPN] {
        let token =
            bench.emulator.access_token(user, ids::DEMO_CLIENT, GRAPH_APP_ID, &["User.Read"]).unwrap();
        assert!(header(&token)["nonce"].is_string());
        assert!(!bench.verifies(&token).await, "only Graph can check it");
        let me: Value = bench.graph("/v1.0/me", &token).await.json().await.unwrap();
        assert_eq!(me["userPrincipalName"], user, "{me}");
    }
}
