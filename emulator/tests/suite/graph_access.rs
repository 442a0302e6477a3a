//! Who may have what from Graph: scopes, roles, other people's things, hosts, headers, user info.

use entra_emulator::{GRAPH_APP_ID, Options, Registrations, Signer, ids};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::{Bench, claims};
use crate::graph_client::{ALL, Client, read};

/// Path, a scope that is enough, the code of the refusal without it.
const TABLE: [(&str, &str, &str); 19] = [
    ("/me", "User.Read", "Authorization_RequestDenied"),
    ("/users", "User.ReadBasic.All", "Authorization_RequestDenied"),
    ("/organization", "Organization.Read.All", "Authorization_RequestDenied"),
    ("/groups", "GroupMember.Read.All", "Authorization_RequestDenied"),
    ("/me/memberOf", "User.Read", "Authorization_RequestDenied"),
    ("/me/photo", "User.Read", "ErrorAccessDenied"),
    ("/me/photo/$value", "User.ReadBasic.All", "ErrorAccessDenied"),
    ("/me/messages", "Mail.Read", "ErrorAccessDenied"),
    ("/me/messages/AAMkA=", "Mail.ReadWrite", "ErrorAccessDenied"),
    ("/me/mailFolders", "Mail.Read", "ErrorAccessDenied"),
    ("/me/mailFolders/inbox/messages", "Mail.Read", "ErrorAccessDenied"),
    ("/me/events", "Calendars.Read", "ErrorAccessDenied"),
    ("/me/events/AAMkA=", "Calendars.ReadWrite", "ErrorAccessDenied"),
    (
        "/me/calendarView?startDateTime=2026-01-01&endDateTime=2026-01-02",
        "Calendars.Read",
        "ErrorAccessDenied",
    ),
    ("/me/drive", "Files.Read", "accessDenied"),
    ("/me/drive/root/children", "Files.ReadWrite", "accessDenied"),
    ("/me/drive/items/01A", "Files.Read.All", "accessDenied"),
    ("/me/drive/root:/notes.txt:/content", "Files.Read", "accessDenied"),
    ("/drives/b!x", "Files.Read", "accessDenied"),
];

#[tokio::test]
async fn every_resource_needs_its_scope() {
    let bench = Bench::start().await;
    let unrelated = Client::user(&bench, ids::ADELE_UPN, &["People.Read", "openid"]);
    for (path, scope, code) in TABLE {
        unrelated.refused(path, 403, code).await;
        let enough = Client::user(&bench, ids::ADELE_UPN, &[scope]).get(path).await;
        assert!([200, 302, 404].contains(&enough.0), "{path} with {scope}: {enough:?}");
    }
    let readers = ["Mail.Read", "Calendars.Read", "Files.Read", "User.Read.All"];
    let reader = Client::user(&bench, ids::ADELE_UPN, &readers);
    let message = reader.ok("/me/messages").await["value"][0]["id"].as_str().unwrap().to_owned();
    let event = reader.ok("/me/events").await["value"][0]["id"].as_str().unwrap().to_owned();
    for (method, path, code) in [
        (Method::POST, "/me/sendMail".to_owned(), "ErrorAccessDenied"),
        (Method::PATCH, format!("/me/messages/{message}"), "ErrorAccessDenied"),
        (Method::DELETE, format!("/me/messages/{message}"), "ErrorAccessDenied"),
        (Method::POST, "/me/events".to_owned(), "ErrorAccessDenied"),
        (Method::DELETE, format!("/me/events/{event}"), "ErrorAccessDenied"),
        (Method::PUT, "/me/drive/root:/a.txt:/content".to_owned(), "accessDenied"),
    ] {
        let (status, answer) = reader.send(method, &path, &json!({})).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (403, Some(code)), "{path}");
    }
    let everything = Client::user(&bench, ids::ADELE_UPN, &ALL);
    for path in ["messages", "events", "drive", "mailFolders/inbox"] {
        let (status, _) = everything.get(&format!("/users/{}/{path}", ids::ALEX)).await;
        assert_eq!(status, 403, "nobody shares {path}");
        everything.ok(&format!("/users/{}/{path}", ids::ADELE_UPN)).await;
    }
}

#[tokio::test]
async fn applications_have_roles_and_no_me() {
    let bench = Bench::start().await;
    let roles = ["User.Read.All", "Mail.Read", "Calendars.Read", "Files.Read.All", "GroupMember.Read.All"];
    let daemon = Client::app(&bench, &roles);
    for path in ["", "/messages", "/events", "/drive/root/children", "/photo", "/memberOf"] {
        daemon.ok(&format!("/users/{}{path}", ids::ALEX)).await;
        daemon.refused(&format!("/me{path}"), 400, "BadRequest").await;
    }
    assert_eq!(daemon.ok("/users").await["value"].as_array().unwrap().len(), 2);
    daemon.refused(&format!("/users/{}", ids::FARAH), 404, "Request_ResourceNotFound").await;
    let bare = Client::app(&bench, &[]);
    bare.refused("/users", 403, "Authorization_RequestDenied").await;
    bare.refused(&format!("/users/{}/messages", ids::ALEX), 403, "ErrorAccessDenied").await;

    bench.emulator.change_registrations(|all| {
        let json =
            json!([{ "resource": GRAPH_APP_ID, "application": ["User.Read.All"], "admin_consented": true }]);
        all.app_mut(ids::DAEMON).unwrap().api_permissions = serde_json::from_value(json).unwrap();
    });
    let daemon_id = ids::DAEMON.to_string();
    let (status, token) = bench
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", &daemon_id),
            ("client_secret", ids::DAEMON_SECRET),
            ("scope", "https://graph.microsoft.com/.default"),
        ])
        .await;
    assert_eq!(status, 200, "{token}");
    let daemon = Client { bench: &bench, token: token["access_token"].as_str().unwrap().into() };
    daemon.ok("/users").await;
}

#[tokio::test]
async fn who_has_no_mailbox() {
    let mut registrations = Registrations::sample();
    let user = |all: &mut Registrations, id| all.users.iter().position(|u| u.id == id).unwrap();
    let (adele, alex) = (user(&mut registrations, ids::ADELE), user(&mut registrations, ids::ALEX));
    registrations.users[adele].mail = None;
    registrations.users[alex].home = Some(ids::FARAH);
    let bench = Bench::start_with(Options { registrations, ..Default::default() }).await;
    for upn in [ids::ADELE_UPN, ids::ALEX_UPN] {
        let client = Client::user(&bench, upn, &ALL);
        client.refused("/me/messages", 404, "MailboxNotEnabledForRESTAPI").await;
        client.refused("/me/events", 404, "MailboxNotEnabledForRESTAPI").await;
        client.refused("/me/drive", 404, "ResourceNotFound").await;
        client.refused("/me/photo", 404, "ImageNotFound").await;
        client.ok("/me").await;
    }
    let alex = Client::user(&bench, ids::ALEX_UPN, &ALL);
    assert_eq!(alex.ok("/me?$select=userType").await["userType"], "Guest");
}

#[tokio::test]
async fn user_info_has_the_subject_of_the_id_token() {
    let bench = Bench::start().await;
    let (_, tokens) = bench.redeem(&bench.code("openid profile email").await).await;
    let metadata = bench.json(&bench.login("v2.0/.well-known/openid-configuration")).await;
    let endpoint = metadata["userinfo_endpoint"].as_str().unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    let ask = async |method: Method, token: &str| {
        read(bench.http.request(method, endpoint).bearer_auth(token)).await.0
    };
    let (status, info) = ask(Method::GET, access).await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((status, &info["sub"], &info["name"]), (200, &id["sub"], &id["name"]), "{info}");
    assert_eq!((&info["given_name"], &info["family_name"]), (&json!("Adele"), &json!("Vance")));
    assert_eq!(info["email"], "adele.vance@contoso.example");
    assert_eq!(ask(Method::POST, access).await, (200, info));
    let (_, tokens) = bench.redeem(&bench.code("openid").await).await;
    let (status, info) = ask(Method::GET, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!((status, info.as_object().unwrap().len()), (200, 1), "only sub: {info}");
    let read = Client::user(&bench, ids::ADELE_UPN, &["User.Read"]);
    assert_eq!(ask(Method::GET, &read.token).await.0, 403);
    assert_eq!(ask(Method::GET, "none").await.0, 401);
    assert_eq!(ask(Method::DELETE, access).await.0, 405);
}

#[tokio::test]
async fn headers_versions_and_odd_paths() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let ((status, body), headers) = read(client.request(Method::DELETE, "/me")).await;
    assert_eq!((status, headers["allow"].to_str().unwrap()), (405, "GET"));
    for name in ["request-id", "client-request-id", "x-ms-ags-diagnostic", "access-control-allow-origin"] {
        assert!(headers.contains_key(name), "{name}");
    }
    assert_eq!(body["error"]["innerError"]["request-id"], headers["request-id"].to_str().unwrap());
    assert!(body["error"]["innerError"]["date"].is_string());
    let url = format!("{}/beta/me/messages?$top=1", bench.emulator.graph_url());
    let beta = client.ok(&url).await;
    assert!(beta["@odata.context"].as_str().unwrap().contains("/beta/$metadata"));
    assert!(beta["@odata.nextLink"].as_str().unwrap().contains("/beta/me/messages?"));
    for path in ["//me//messages", "/users/me-token-to-replace/mailFolders/inbox", "/Me/CALENDAR/Events"] {
        client.ok(path).await;
    }
    let preflight = bench.http.request(Method::OPTIONS, url).header("origin", "https://app.example");
    let preflight = preflight.header("access-control-request-headers", "authorization").send().await.unwrap();
    assert_eq!(preflight.status(), 200);
    assert_eq!(preflight.headers()["access-control-allow-headers"], "authorization");

    let split = Options { graph_host: "127.0.0.1".into(), ..Default::default() };
    let bench = Bench::start_with(split).await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let login = bench.emulator.authority_url();
    for path in ["/v1.0/me/messages", "/beta/me", "/oidc/userinfo"] {
        let (status, _) = client.get(&format!("{login}{path}")).await;
        assert_eq!(status, 421, "{path} is not login's");
    }
    assert_eq!(client.pages("/me/messages").await.concat().len(), 25);
}

#[tokio::test]
async fn a_token_of_tomorrow_is_not_good_today() {
    let bench = Bench::start().await;
    let good = Client::user(&bench, ids::ADELE_UPN, &["User.Read"]);
    let (header, claims) = (crate::bench::header(&good.token), claims(&good.token));
    let mut later = claims.clone();
    later["nbf"] = json!(claims["nbf"].as_i64().unwrap() + 3000);
    let ask = async |claims: &Value| {
        let token = bench.emulator.forge_for_graph(&header, claims, Signer::Live);
        Client { bench: &bench, token }.get("/me").await.0
    };
    assert_eq!(ask(&later).await, 401);
    assert_eq!(ask(&claims).await, 200);
}
