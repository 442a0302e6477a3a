//! What works: sign-in, both tools for several users, both eras of MCP, discovery, HTTP/1.1 and HTTP/2.

use std::sync::Arc;

use entra_emulator::{Operation, ids};
use reqwest::Version;
use serde_json::{Value, json};
use valet_suite::ask::{LEGACY, MODERN};
use valet_suite::config::ENDPOINT;
use valet_suite::{Ask, Rig, run};

use crate::permitted::names;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";
/// S256 of it (RFC 7636 section 4.2), by openssl.
const CHALLENGE: &str = "v70ixSDfoBEDrDZV-0YABusoh_Ajp_a66XlJlwBHynw";

fn whoami(user: uuid::Uuid, name: &str, roles: &[&str]) -> Value {
    json!({
        "kind": "user",
        "tenantId": ids::TENANT.to_string(),
        "objectId": user.to_string(),
        "clientId": ids::DEMO_CLIENT.to_string(),
        "name": name,
        "scopes": [ids::VALET_SCOPE],
        "roles": roles,
    })
}

fn adele() -> Value {
    json!({
        "id": ids::ADELE.to_string(),
        "displayName": "Adele Vance",
        "givenName": "Adele",
        "surname": "Vance",
        "userPrincipalName": ids::ADELE_UPN,
        "mail": "adele.vance@contoso.example",
        "jobTitle": "Retail Manager",
        "department": "Retail",
        "officeLocation": "18/2111",
        "mobilePhone": "+49 151 0000001",
        "businessPhones": ["+49 30 000001"],
        "preferredLanguage": "en-GB",
    })
}

/// Alex has no mobile phone.
fn alex() -> Value {
    json!({
        "id": ids::ALEX.to_string(),
        "displayName": "Alex Wilber",
        "givenName": "Alex",
        "surname": "Wilber",
        "userPrincipalName": ids::ALEX_UPN,
        "mail": "alex.wilber@contoso.example",
        "jobTitle": "Marketing Assistant",
        "department": "Marketing",
        "officeLocation": "131/1104",
        "businessPhones": ["+49 30 000002"],
        "preferredLanguage": "de-DE",
    })
}

/// Authorization code with PKCE at the emulator, as an MCP client does it: everything that it needs comes from the server's challenge.
pub(crate) async fn sign_in(rig: &Rig, user: &str) -> String {
    sign_in_for(rig, user, None).await
}

/// The same with the claims that a challenge wanted, by a user who then has a second factor at hand.
pub(crate) async fn sign_in_for(rig: &Rig, user: &str, claims: Option<&str>) -> String {
    let challenge = rig.send(Ask::tool("whoami")).await;
    let field = challenge.field("www-authenticate").to_owned();
    let parameter = |name: &str| {
        let from = field.split_once(&format!("{name}=\"")).unwrap().1;
        from.split_once('"').unwrap().0.to_owned()
    };
    let metadata: Value =
        rig.http.get(parameter("resource_metadata")).send().await.unwrap().json().await.unwrap();
    let issuer = metadata["authorization_servers"][0].as_str().unwrap();
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    let discovery: Value = rig.http.get(discovery).send().await.unwrap().json().await.unwrap();
    let (scope, resource) = (parameter("scope"), metadata["resource"].as_str().unwrap());
    let client = ids::DEMO_CLIENT.to_string();
    let asked = rig
        .http
        .get(discovery["authorization_endpoint"].as_str().unwrap())
        .header("x-emulator-approve", user)
        .query(&[
            ("client_id", client.as_str()),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost:49152"),
            ("scope", &scope),
            ("state", "s-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
    let asked = match claims {
        Some(claims) => asked.header("x-emulator-mfa", "1").query(&[("claims", claims)]),
        None => asked,
    };
    let asked = asked.send().await.unwrap();
    let location = asked.headers()["location"].to_str().unwrap().to_owned();
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    assert!(!resource.is_empty());
    let redeemed = rig
        .http
        .post(discovery["token_endpoint"].as_str().unwrap())
        .form(&[
            ("grant_type", "authorization_code"),
            ("client_id", &client),
            ("code", &code),
            ("redirect_uri", "http://localhost:49152"),
            ("code_verifier", VERIFIER),
        ])
        .send()
        .await
        .unwrap();
    let tokens: Value = redeemed.json().await.unwrap();
    rig.keep(tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned())
}

#[test]
fn a_user_signs_in_and_sees_their_own_profile() {
    run(async {
        let rig = Rig::start().await;
        for (user, id, name, roles, profile) in [
            (ids::ADELE_UPN, ids::ADELE, "Adele Vance", &[ids::VALET_ROLE][..], adele()),
            (ids::ALEX_UPN, ids::ALEX, "Alex Wilber", &[], alex()),
        ] {
            let token = sign_in(&rig, user).await;
            let answer = rig.call("whoami", &token).await.result();
            assert_eq!(answer["structuredContent"], whoami(id, name, roles));
            let text = answer["content"][0]["text"].as_str().unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), answer["structuredContent"]);
            let answer = rig.call("GetUserDetailsFromGraph", &token).await.result();
            assert_eq!(answer["structuredContent"], profile);
            assert_eq!(answer["isError"], false);
        }
    });
}

#[test]
fn each_decision_is_audited_with_who_and_what() {
    run(async {
        let rig = Rig::start().await;
        let mark = rig.log().mark();
        rig.call("whoami", &rig.token(ids::ADELE_UPN)).await.result();
        let event = rig.log().wait(mark, "audit event", valet_suite::log::is_audit).await;
        assert_eq!(valet_suite::log::audit_line(&event), "allowed permitted");
        let text = |name: &str| event[name].as_str().unwrap();
        assert_eq!((text("method"), text("tool")), ("tools/call", "whoami"));
        assert_eq!((text("tenant"), text("object")), (&*ids::TENANT.to_string(), &*ids::ADELE.to_string()));
        assert_eq!(text("client"), ids::DEMO_CLIENT.to_string());
        assert_eq!(text("request").len(), 16);
    });
}

#[test]
fn fifty_calls_at_once_never_mix_two_users_up() {
    run(async {
        let rig = Arc::new(Rig::start().await);
        let users = [(rig.token(ids::ADELE_UPN), adele()), (rig.token(ids::ALEX_UPN), alex())];
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..50 {
            let (rig, (token, profile)) = (Arc::clone(&rig), users[number % 2].clone());
            calls.spawn(async move {
                let answer = rig.call("GetUserDetailsFromGraph", &token).await.result();
                assert_eq!(answer["structuredContent"], profile);
                let answer = rig.call("whoami", &token).await.result();
                assert_eq!(answer["structuredContent"]["objectId"], profile["id"]);
            });
        }
        calls.join_all().await;
    });
}

#[test]
fn many_calls_cost_one_exchange_and_one_key_fetch() {
    run(async {
        let rig = Rig::own().await;
        let faults = rig.emulator.faults();
        for user in [ids::ADELE_UPN, ids::ALEX_UPN] {
            let token = rig.token(user);
            for _ in 0..10 {
                rig.call("GetUserDetailsFromGraph", &token).await.result();
            }
        }
        assert_eq!(faults.count(Operation::OnBehalfOf), 2, "one for each user");
        assert_eq!(faults.count(Operation::Graph), 20);
        assert_eq!((faults.count(Operation::Metadata), faults.count(Operation::Keys)), (1, 1));
        // Another token of the same user is another assertion: what one session may do is not lent to another.
        rig.call("GetUserDetailsFromGraph", &rig.token(ids::ADELE_UPN)).await.result();
        assert_eq!(faults.count(Operation::OnBehalfOf), 3);
        assert_eq!(faults.count(Operation::Token), 3);
    });
}

/// What the server says of itself, less its icons, of which there has to be one.
fn without_icons(info: &Value) -> Value {
    let mut info = info.clone();
    let icons = info.as_object_mut().unwrap().remove("icons").unwrap();
    assert!(icons[0]["src"].as_str().unwrap().starts_with("data:image/svg+xml;base64,"), "{icons}");
    info
}

#[test]
fn the_profile_is_a_resource_and_part_of_a_prompt() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        let ask = async |method: &str, params: Value| {
            rig.send(Ask::modern(method, params).bearer(&token)).await.result()
        };
        let listed = ask("resources/list", json!({})).await;
        assert_eq!(listed["resources"][0]["uri"], "valet://me/profile");
        assert_eq!((&listed["ttlMs"], &listed["cacheScope"]), (&json!(300_000), &json!("private")));
        assert_eq!(ask("resources/templates/list", json!({})).await["resourceTemplates"], json!([]));
        let read = ask("resources/read", json!({ "uri": "valet://me/profile" })).await;
        assert_eq!((&read["ttlMs"], &read["cacheScope"]), (&json!(0), &json!("private")));
        let contents = &read["contents"][0];
        assert_eq!(
            (&contents["uri"], &contents["mimeType"]),
            (&json!("valet://me/profile"), &json!("application/json"))
        );
        assert_eq!(serde_json::from_str::<Value>(contents["text"].as_str().unwrap()).unwrap(), adele());

        let listed = ask("prompts/list", json!({})).await;
        assert_eq!(listed["prompts"][0]["name"], "introduce-me");
        let arguments = json!({ "audience": "a new team" });
        let got = ask("prompts/get", json!({ "name": "introduce-me", "arguments": arguments })).await;
        let text = got["messages"][0]["content"]["text"].as_str().unwrap();
        assert!(text.starts_with("Write an introduction of me for a new team,"), "{text}");
        assert!(text.contains("Write in my preferred language, which is en-GB."), "{text}");
        assert_eq!(&got["messages"][1]["content"]["resource"], contents);

        let reference = json!({ "type": "ref/prompt", "name": "introduce-me" });
        let typed = json!({ "name": "audience", "value": "new" });
        let completed = ask("completion/complete", json!({ "ref": reference, "argument": typed })).await;
        assert_eq!(
            completed["completion"],
            json!({ "values": ["a new team"], "total": 1, "hasMore": false })
        );
    });
}

#[test]
fn both_eras_are_served() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ADELE_UPN);
        let ask = async |ask: Ask| rig.send(ask.bearer(&token)).await;
        let server = json!({ "name": "valet", "title": "Valet", "version": env!("CARGO_PKG_VERSION") });

        let discovered = ask(Ask::modern("server/discover", json!({}))).await.result();
        assert_eq!(discovered["supportedVersions"], json!([MODERN, LEGACY, "2025-06-18", "2025-03-26"]));
        assert_eq!(
            discovered["capabilities"],
            json!({ "tools": {}, "resources": {}, "prompts": {}, "completions": {} })
        );
        assert_eq!(without_icons(&discovered["_meta"]["io.modelcontextprotocol/serverInfo"]), server);
        assert_eq!(discovered["resultType"], "complete");

        let listed = ask(Ask::modern("tools/list", json!({}))).await.result();
        assert_eq!(names(&listed), ["GetUserDetailsFromGraph", "whoami"]);
        assert_eq!((&listed["ttlMs"], &listed["cacheScope"]), (&json!(300_000), &json!("private")));
        for tool in listed["tools"].as_array().unwrap() {
            assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
            assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
            assert!(tool["outputSchema"].is_object(), "{tool}");
        }

        for version in [LEGACY, "2025-06-18", "2025-03-26"] {
            let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
            let opened = ask(Ask::legacy(version, "initialize", params.clone())).await.result();
            assert_eq!(opened["protocolVersion"], version);
            assert_eq!(without_icons(&opened["serverInfo"]), server);
            assert_eq!(
                opened["capabilities"],
                json!({ "tools": {}, "resources": {}, "prompts": {}, "completions": {}, "logging": {} })
            );
            // Before the handshake a client has no version to put into the header.
            let opened =
                ask(Ask::legacy(version, "initialize", params).without("mcp-protocol-version")).await;
            assert_eq!(opened.result()["protocolVersion"], version);
            assert_eq!(opened.field("mcp-session-id"), "", "nothing is remembered");
            let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
            let taken = ask(Ask::post(notification).header("mcp-protocol-version", version)).await;
            assert_eq!((taken.status, taken.body.as_str()), (202, ""));
            assert_eq!(ask(Ask::legacy(version, "ping", json!({}))).await.result(), json!({}));
            let listed = ask(Ask::legacy(version, "tools/list", json!({}))).await.result();
            assert_eq!(names(&listed), ["GetUserDetailsFromGraph", "whoami"]);
            assert_eq!((&listed["ttlMs"], &listed["resultType"]), (&Value::Null, &Value::Null));
            let called = ask(Ask::legacy(version, "tools/call", json!({ "name": "whoami" }))).await.result();
            assert_eq!(called["structuredContent"], whoami(ids::ADELE, "Adele Vance", &[ids::VALET_ROLE]));
        }
        let params = json!({ "protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
        let opened = ask(Ask::legacy(LEGACY, "initialize", params)).await.result();
        assert_eq!(
            opened["protocolVersion"], LEGACY,
            "an unknown version is answered with the newest that has a handshake"
        );
        let cancelled =
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } });
        let taken = ask(Ask::post(cancelled.to_string()).header("mcp-protocol-version", MODERN)).await;
        assert_eq!((taken.status, taken.body.as_str()), (202, ""));
    });
}

#[test]
fn clients_find_the_authorization_server() {
    run(async {
        let rig = Rig::start().await;
        let document = json!({
            "resource": ENDPOINT,
            "authorization_servers": [format!("{}/{}/v2.0", rig.emulator.authority_url(), ids::TENANT)],
            "scopes_supported": [format!("{ENDPOINT}/{}", ids::VALET_SCOPE)],
            "bearer_methods_supported": ["header"],
            "resource_name": "Valet",
        });
        for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
            let answer = rig.send(Ask::get(path)).await;
            assert_eq!((answer.status, answer.field("content-type")), (200, "application/json"), "{path}");
            assert_eq!(answer.field("access-control-allow-origin"), "*");
            assert_eq!(answer.json(), document, "{path}");
            let head = rig.send(Ask::get(path).verb("HEAD")).await;
            assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
            let post = rig.send(Ask::get(path).verb("POST")).await;
            assert_eq!((post.status, post.field("allow")), (405, "GET, HEAD"), "{path}");
        }
    });
}

#[test]
fn http_1_and_http_2_are_served() {
    run(async {
        let rig = Rig::start().await;
        let token = rig.token(ids::ALEX_UPN);
        let one = rig.client().http1_only().build().unwrap();
        let two = rig.client().http2_prior_knowledge().build().unwrap();
        for (http, version) in
            [(&one, Version::HTTP_11), (&two, Version::HTTP_2), (&rig.http, Version::HTTP_2)]
        {
            let answer = rig.send_with(http, Ask::tool("GetUserDetailsFromGraph").bearer(&token)).await;
            assert_eq!(answer.version, version);
            assert_eq!(answer.result()["structuredContent"], alex());
        }
        let health = rig.send(Ask::get("/healthz")).await;
        assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
        let ready = rig.send(Ask::get("/readyz")).await;
        assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    });
}
