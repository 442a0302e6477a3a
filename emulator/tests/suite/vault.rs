//! Key Vault: secrets and their versions, deletion and recovery, the challenge, and refusals in Key Vault's shape.

use std::time::Duration;

use entra_emulator::{Options, Registrations, SAMPLE_TOML, Signer, VAULT_APP_ID, VAULT_URI, ids};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::bench::{Bench, claims, header};

const VAULTS: &str = r#"
[[vaults]]
name = "contoso"
tenant = "7e57a000-0000-4000-8000-000000000001"
readers = ["7e57c000-0000-4000-8000-000000000004", "7e57b000-0000-4000-8000-000000000001"]
secrets = { db-password = "hunter2" }
"#;

struct Vault {
    bench: Bench,
    token: String,
}

impl Vault {
    async fn start() -> Self {
        let registrations = Registrations::from_toml(&format!("{SAMPLE_TOML}{VAULTS}")).unwrap();
        let bench = Bench::start_with(Options { registrations, ..Options::default() }).await;
        let token = bench.emulator.app_token(ids::DAEMON, VAULT_APP_ID, &[]).unwrap();
        Self { bench, token }
    }

    /// A request with the token `as_`; `path` has no query.
    async fn send(&self, as_: &str, method: Method, path: &str, body: Option<Value>) -> Response {
        // The only vault answers under the login host, so that the names of the machine are enough.
        let url = format!("{}{path}?api-version=2026-04-01", self.bench.emulator.authority_url());
        let request = self.bench.http.request(method, url);
        let request = if as_.is_empty() { request } else { request.bearer_auth(as_) };
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        read(self.send(&self.token, method, path, body).await).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, path, None).await
    }

    async fn set(&self, name: &str, value: &str) -> Value {
        let (status, body) =
            self.ask(Method::PUT, &format!("/secrets/{name}"), Some(json!({ "value": value }))).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn version(bundle: &Value) -> String {
    bundle["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_daemon_reads_a_secret_with_a_token_of_the_token_endpoint() {
    let vault = Vault::start().await;
    let daemon = ids::DAEMON.to_string();
    let (status, body) = vault
        .bench
        .token(&[
            ("grant_type", "client_credentials"),
            ("client_id", &daemon),
            ("client_secret", ids::DAEMON_SECRET),
            ("scope", "https://vault.azure.net/.default"),
        ])
        .await;
    assert_eq!(status, 200, "{body}");
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        (claims(token)["aud"].as_str(), claims(token)["ver"].as_str()),
        (Some(VAULT_URI), Some("1.0"))
    );
    for path in ["/secrets/db-password", "/secrets/db-password/", "/secrets/DB-Password"] {
        let (status, secret) = read(vault.send(token, Method::GET, path, None).await).await;
        assert_eq!((status, secret["value"].as_str()), (200, Some("hunter2")), "{path}");
        assert_eq!(secret["attributes"]["enabled"], true);
        assert_eq!(secret["attributes"]["recoveryLevel"], "Recoverable+Purgeable");
    }
    let user = vault.bench.emulator.access_token(
        ids::ADELE_UPN,
        ids::DEMO_CLIENT,
        VAULT_APP_ID,
        &["user_impersonation"],
    );
    assert_eq!(vault.send(&user.unwrap(), Method::GET, "/secrets/db-password", None).await.status(), 200);
}

#[tokio::test]
async fn versions_attributes_and_lists() {
    let vault = Vault::start().await;
    let first = vault.set("api-key", "one").await;
    let body = json!({ "value": "two", "contentType": "text/plain", "tags": { "of": "test" }, "attributes": { "exp": 4_000_000_000_i64 } });
    let (_, second) = vault.ask(Method::PUT, "/secrets/api-key", Some(body)).await;
    assert_eq!(second["contentType"], "text/plain");
    assert_eq!(
        (&second["tags"]["of"], &second["attributes"]["exp"]),
        (&json!("test"), &json!(4_000_000_000_i64))
    );
    assert_eq!(vault.get("/secrets/api-key").await.1["value"], "two");
    let old = format!("/secrets/api-key/{}", version(&first));
    assert_eq!(vault.get(&old).await.1["value"], "one");
    let (_, versions) = vault.get("/secrets/api-key/versions").await;
    let ids: Vec<_> = versions["value"].as_array().unwrap().iter().map(version).collect();
    assert_eq!(ids, [version(&first), version(&second)]);

    let (_, all) = vault.get("/secrets").await;
    let listed: Vec<_> = all["value"].as_array().unwrap().iter().map(version).collect();
    assert_eq!(listed, ["api-key", "db-password"], "ids without version");
    assert!(all["value"].as_array().unwrap().iter().all(|s| s.get("value").is_none()));

    let off = Some(json!({ "attributes": { "enabled": false } }));
    let (status, changed) = vault.ask(Method::PATCH, &old, off).await;
    assert_eq!((status, &changed["attributes"]["enabled"]), (200, &json!(false)), "{changed}");
    let (status, refused) = vault.get(&old).await;
    assert_eq!((status, &refused["error"]["innererror"]["code"]), (403, &json!("SecretDisabled")));
    assert_eq!(vault.get("/secrets/api-key").await.0, 200, "the other version is enabled");
}

#[tokio::test]
async fn deleted_secrets_keep_their_name_until_they_are_recovered_or_purged() {
    let vault = Vault::start().await;
    vault.set("short-lived", "x").await;
    let (status, deleted) = vault.ask(Method::DELETE, "/secrets/short-lived", None).await;
    assert_eq!(status, 200);
    assert!(deleted["recoveryId"].as_str().unwrap().ends_with("/deletedsecrets/short-lived"));
    assert_eq!(vault.get("/secrets/short-lived").await.0, 404);
    assert_eq!(vault.get("/deletedsecrets/short-lived").await.0, 200);
    let (status, taken) = vault.ask(Method::PUT, "/secrets/short-lived", Some(json!({ "value": "y" }))).await;
    assert_eq!(
        (status, &taken["error"]["innererror"]["code"]),
        (409, &json!("ObjectIsDeletedButRecoverable"))
    );
    assert_eq!(vault.ask(Method::POST, "/deletedsecrets/short-lived/recover", None).await.0, 200);
    assert_eq!(vault.get("/secrets/short-lived").await.1["value"], "x");

    vault.ask(Method::DELETE, "/secrets/short-lived", None).await;
    assert_eq!(vault.get("/deletedsecrets").await.1["value"].as_array().unwrap().len(), 1);
    assert_eq!(vault.ask(Method::DELETE, "/deletedsecrets/short-lived", None).await.0, 204);
    assert_eq!(vault.get("/deletedsecrets/short-lived").await.0, 404);
    vault.set("short-lived", "z").await;
}

#[tokio::test]
async fn the_challenge_names_tenant_and_resource() {
    let vault = Vault::start().await;
    let authority = format!("{}/{}", vault.bench.emulator.authority_url(), ids::TENANT);
    let plain = format!("Bearer authorization=\"{authority}\", resource=\"https://vault.azure.net\"");
    let none = vault.send("", Method::GET, "/secrets/db-password", None).await;
    assert_eq!(none.headers()["www-authenticate"], plain.as_str());
    let (status, body) = read(none).await;
    assert_eq!((status, body["error"]["code"].as_str()), (401, Some("Unauthorized")));

    let (header, good) = (header(&vault.token), claims(&vault.token));
    let emulator = &vault.bench.emulator;
    let forged = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        emulator.forge(header.clone(), claims, Signer::Live)
    };
    let stranger = emulator.forge(header.clone(), good.clone(), Signer::Stranger);
    let foreign = emulator.issuer(entra_emulator::TokenVersion::V1, ids::FOREIGN_TENANT);
    let bad = [
        ("AKV10001", "no.token".to_owned()),
        ("AKV10001", stranger),
        ("AKV10001", emulator.app_token(ids::DAEMON, entra_emulator::GRAPH_APP_ID, &[]).unwrap()),
        ("AKV10022", emulator.app_token(ids::DAEMON, ids::VALET, &[]).unwrap()),
        ("AKV10022", forged("aud", json!(["https://vault.azure.net"]))),
        ("AKV10022", forged("aud", "https://vault.azure.net.example".into())),
        ("AKV10032", forged("iss", foreign.into())),
        ("AKV10073", forged("exp", 1.into())),
        ("AKV10073", forged("exp", "later".into())),
        ("AKV10073", forged("nbf", 4_000_000_000_i64.into())),
    ];
    for (number, token) in bad {
        let refused = vault.send(&token, Method::GET, "/secrets/db-password", None).await;
        assert_eq!(refused.status(), 401, "{number}");
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap().to_owned();
        let expected = format!("{plain}, error=\"invalid_token\", error_description=\"{number}: ");
        assert!(challenge.starts_with(&expected), "{challenge}");
        // The clients take it apart at commas and equals signs.
        assert_eq!(challenge.matches(',').count(), 3, "{challenge}");
        assert_eq!(challenge.matches('=').count(), 4, "{challenge}");
    }
    assert_eq!(vault.get("/secrets/db-password").await.0, 200);
    emulator.advance_clock(Duration::from_secs(5401));
    assert_eq!(vault.get("/secrets/db-password").await.0, 401);
}

#[tokio::test]
async fn only_readers_are_admitted() {
    let vault = Vault::start().await;
    let emulator = &vault.bench.emulator;
    let strangers = [
        emulator.app_token(ids::VALET, VAULT_APP_ID, &[]).unwrap(),
        // The application may read, but here it acts for a user who may not.
        emulator.access_token(ids::ALEX_UPN, ids::DAEMON, VAULT_APP_ID, &["user_impersonation"]).unwrap(),
    ];
    for token in strangers {
        let (status, body) = read(vault.send(&token, Method::GET, "/secrets/db-password", None).await).await;
        assert_eq!((status, body["error"]["code"].as_str()), (403, Some("Forbidden")));
        assert_eq!(body["error"]["innererror"]["code"], "AccessDenied");
    }
    assert_eq!(vault.get("/secrets/db-password").await.0, 200);
}

#[tokio::test]
async fn refusals_of_requests() {
    let vault = Vault::start().await;
    let put = |name: &str, body: Value| (Method::PUT, format!("/secrets/{name}"), Some(body));
    let get = |path: &str| (Method::GET, path.to_owned(), None);
    let long = "x".repeat(25 * 1024 + 1);
    let tags: serde_json::Map<_, _> = (0..16).map(|i| (i.to_string(), json!("t"))).collect();
    for ((method, path, body), status, code) in [
        (get("/secrets/none"), 404, "SecretNotFound"),
        (get("/secrets/db-password/0123456789abcdef0123456789abcdef"), 404, "SecretNotFound"),
        (get("/deletedsecrets/db-password"), 404, "SecretNotFound"),
        (get("/secrets/under_score"), 400, "BadParameter"),
        (get("/secrets/%64b-password"), 400, "BadParameter"),
        (get(&format!("/secrets/{}", "n".repeat(128))), 400, "BadParameter"),
        (get("/secrets/a/b/c"), 405, "MethodNotAllowed"),
        ((Method::POST, "/secrets/db-password".into(), None), 405, "MethodNotAllowed"),
        (put("new", json!({})), 400, "BadParameter"),
        (put("new", json!({ "value": 7 })), 400, "BadParameter"),
        (put("new", json!(["value"])), 400, "BadParameter"),
        (put("new", json!({ "value": long })), 400, "BadParameter"),
        (put("new", json!({ "value": "v", "tags": tags })), 400, "BadParameter"),
        (put("new", json!({ "value": "v".repeat(3_000_000) })), 413, "RequestEntityTooLarge"),
        ((Method::PUT, "/secrets/new".into(), None), 400, "BadParameter"),
    ] {
        let (got, body) = vault.ask(method, &path, body).await;
        assert_eq!((got, body["error"]["code"].as_str()), (status, Some(code)), "{path}: {body}");
    }
    let url = |query: &str| format!("{}/secrets/db-password{query}", vault.bench.emulator.authority_url());
    for (query, status) in [
        ("", 400),
        ("?api-version=", 400),
        ("?api-version=6.0", 400),
        ("?api-version=2031-01-01", 400),
        ("?api-version=7.4", 200),
        ("?api-version=7.6-preview.2", 200),
        ("?api-version=2025-07-01", 200),
    ] {
        let request = vault.bench.http.get(url(query)).bearer_auth(&vault.token);
        assert_eq!(request.send().await.unwrap().status(), status, "{query}");
    }
    assert_eq!(vault.get("/secrets/new").await.0, 404, "nothing of it was written");
    vault.set("new", "v").await;
}

#[tokio::test]
async fn a_registration_changed_while_running_is_a_new_version() {
    let vault = Vault::start().await;
    let (_, before) = vault.get("/secrets/db-password").await;
    vault.bench.emulator.change_registrations(|all| {
        all.vaults[0].secrets.insert("db-password".into(), "hunter3".into());
    });
    let (_, after) = vault.get("/secrets/db-password").await;
    assert_eq!(after["value"], "hunter3");
    assert_eq!(vault.get(&format!("/secrets/db-password/{}", version(&before))).await.1["value"], "hunter2");
}
