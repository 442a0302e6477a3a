//! The admin API: every request of it, what it does, and what it refuses.

use entra_emulator::{Endpoint, Fault, GRAPH_URI, SAMPLE_TOML, ids};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::{Bench, claims, header, valet_scope, with};

struct Admin<'a>(&'a Bench);

impl Admin<'_> {
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.0.http.request(method, format!("{}/emulator/{path}", self.0.emulator.authority_url()))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")));
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(self.request(Method::GET, path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// The one place that knows the shape of an error.
    async fn refuses(&self, path: &str, body: Value, status: u16, field: &str) {
        let (got, answer) = self.post(path, body.clone()).await;
        assert_eq!(
            (got, answer["error"]["field"].as_str()),
            (status, Some(field)),
            "{path} {body}: {answer}"
        );
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn faults_and_counts() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let row = json!({ "endpoint": "keys", "status": 429, "retry_after": 1.5, "times": 2, "kind": "status" });
    let (status, body) = admin.post("faults", row.clone()).await;
    assert_eq!(status, 200, "{body}");
    admin.post("faults", json!({ "endpoint": "graph", "kind": "reset" })).await;
    let keys = bench.http.get(bench.login("discovery/v2.0/keys")).send().await.unwrap();
    assert_eq!((keys.status().as_u16(), keys.headers()["retry-after"].to_str().unwrap()), (429, "1.5"));
    let plan = admin.get("faults").await;
    let mut hit = row.clone();
    hit["hits"] = 1.into();
    assert_eq!(plan["faults"], json!([hit, { "endpoint": "graph", "kind": "reset", "hits": 0 }]));
    assert_eq!(admin.get("counts").await["counts"]["keys"], 1);
    assert_eq!(admin.delete("counts").await.1["counts"]["keys"], 0);
    assert_eq!(admin.delete("faults?endpoint=graph").await.1["faults"].as_array().unwrap().len(), 1);
    assert_eq!(admin.delete("faults?endpoint=moon").await.0, 400);
    assert_eq!(admin.delete("faults?colour=red").await.0, 400);
    assert_eq!(admin.delete("faults").await.1, json!({ "faults": [] }));
    assert!(bench.verifies(&bench.emulator.id_token(ids::ADELE_UPN, ids::DEMO_CLIENT, None).unwrap()).await);

    admin.refuses("faults", json!({ "status": 500 }), 400, "endpoint").await;
    admin.refuses("faults", json!({ "endpoint": "moon", "status": 500 }), 400, "endpoint").await;
    admin.refuses("faults", json!({ "endpoint": "graph", "status": 99 }), 400, "status").await;
    admin.refuses("faults", json!({ "endpoint": "graph", "status": "500" }), 400, "status").await;
    admin
        .refuses("faults", json!({ "endpoint": "graph", "kind": "drip", "seconds": -1 }), 400, "seconds")
        .await;
    admin.refuses("faults", json!({ "endpoint": "graph", "status": 500, "colour": 1 }), 400, "colour").await;
    assert_eq!(admin.get("faults").await, json!({ "faults": [] }));
}

#[tokio::test]
async fn the_clock() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let code = bench.code(&valet_scope()).await;
    let (status, told) = admin.post("clock", json!({ "advance_seconds": 601 })).await;
    assert_eq!((status, &told["offset_seconds"]), (200, &601.into()));
    assert!(told["now"].as_str().unwrap().ends_with('Z') && told["now_epoch"].is_i64());
    assert_eq!(bench.redeem(&code).await.1["error_codes"][0], 70008);
    assert_eq!(admin.post("clock", json!({ "offset_seconds": 0 })).await.1["offset_seconds"], 0);
    assert_eq!(bench.redeem(&code).await.0, 200, "the code is as young as before");
    assert_eq!(admin.get("clock").await["offset_seconds"], 0);

    admin.refuses("clock", json!({}), 400, "advance_seconds").await;
    admin
        .refuses("clock", json!({ "advance_seconds": 1, "offset_seconds": 1 }), 400, "advance_seconds")
        .await;
    admin.refuses("clock", json!({ "advance_seconds": "1" }), 400, "advance_seconds").await;
    admin.refuses("clock", json!({ "offset_seconds": i64::MAX }), 400, "offset_seconds").await;
}

#[tokio::test]
async fn keys() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let old = bench.emulator.signing_kid();
    let (status, told) = admin.post("keys/rotate", json!({})).await;
    assert_eq!((status, told["kids"].as_array().unwrap().len()), (200, 4));
    assert_ne!(told["signing_kid"], old);
    let (status, told) = admin.delete(&format!("keys/{old}")).await;
    assert_eq!((status, told["kids"].as_array().unwrap().len()), (200, 3));
    assert_eq!(admin.delete(&format!("keys/{old}")).await.0, 404);
    let last: Vec<u16> = {
        let mut statuses = Vec::new();
        for kid in bench.emulator.kids() {
            statuses.push(admin.delete(&format!("keys/{kid}")).await.0);
        }
        statuses
    };
    assert_eq!(
        last.iter().filter(|&&s| s == 409).count(),
        2,
        "the consumer key and the last work key: {last:?}"
    );
    admin.refuses("keys/rotate", json!({ "bits": 4096 }), 400, "bits").await;
}

#[tokio::test]
async fn people() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let (status, told) =
        admin.post("users/ADELE@contoso.example/revoke", json!({ "reason": "sessions" })).await;
    assert_eq!((status, &told["revoked"]), (200, &ids::ADELE.to_string().into()));
    for reason in ["password_change", "password_expired"] {
        assert_eq!(admin.post("users/alex@contoso.example/revoke", json!({ "reason": reason })).await.0, 200);
    }
    admin.refuses("users/nobody/revoke", json!({ "reason": "sessions" }), 404, "name").await;
    admin.refuses("users/nobody/revoke", json!({ "reason": "mood" }), 400, "reason").await;
    admin.refuses("users/nobody/revoke", json!({}), 400, "reason").await;

    let (status, told) = admin.post("users/ADELE@contoso.example/outdate", json!({})).await;
    assert_eq!((status, &told["outdated"]), (200, &ids::ADELE.to_string().into()));
    admin.refuses("users/nobody/outdate", json!({}), 404, "name").await;
    admin.refuses("users/adele@contoso.example/outdate", json!({ "reason": "mood" }), 400, "reason").await;

    let consent_page = async || {
        let (_, headers, _) = bench.approve(ids::ADELE_UPN, bench.authorize("openid User.Read")).await;
        let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(admin.delete("consents").await.0, 200);
        let ask = bench.http.get(bench.login("oauth2/v2.0/authorize")).query(&challenged(&bench));
        ask.header("cookie", cookie).send().await.unwrap().text().await.unwrap()
    };
    assert!(consent_page().await.contains("Permissions requested"));
}

/// An authorize request that needs no help of [`Bench::approve`].
fn challenged(bench: &Bench) -> Vec<(&'static str, &'static str)> {
    with(
        &bench.authorize("openid User.Read"),
        "code_challenge",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    )
}

#[tokio::test]
async fn a_revocation_ends_sessions() {
    let bench = Bench::start().await;
    let ask = challenged(&bench);
    let (_, headers, _) = bench.approve(ids::ADELE_UPN, ask.clone()).await;
    let cookie = headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let silent = async || {
        let ask = with(&ask, "prompt", "none");
        let request =
            bench.http.get(bench.login("oauth2/v2.0/authorize")).query(&ask).header("cookie", &cookie);
        request.send().await.unwrap().headers()["location"].to_str().unwrap().to_owned()
    };
    assert!(silent().await.contains("code="));
    Admin(&bench).post("users/adele@contoso.example/revoke", json!({ "reason": "sessions" })).await;
    assert!(silent().await.contains("error=login_required"));
}

#[tokio::test]
async fn what_was_given_out_and_how_used_refresh_tokens_end() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let code = bench.code(&valet_scope()).await;
    let (_, tokens) = bench.redeem(&code).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(admin.get("issued").await, json!({ "codes": [code], "refresh_tokens": [token] }));
    let client = ids::DEMO_CLIENT.to_string();
    let form = [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", token)];
    assert_eq!(bench.token(&form).await.0, 200);
    assert_eq!(bench.token(&form).await.0, 200);
    assert_eq!(admin.delete("refresh_tokens/used").await.0, 200);
    assert_eq!(bench.token(&form).await.1["error_codes"][0], 70000);
}

#[tokio::test]
async fn tokens_without_a_flow() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let user = json!({
        "user": ids::ADELE_UPN, "client": ids::DEMO_CLIENT, "api": ids::VALET_URI, "scopes": [ids::VALET_SCOPE],
    });
    let (status, told) = admin.post("tokens", user.clone()).await;
    assert_eq!(status, 200, "{told}");
    let token = told["access_token"].as_str().unwrap();
    assert!(bench.verifies(token).await);
    assert_eq!(
        (claims(token)["scp"].as_str(), claims(token)["oid"].as_str()),
        (Some(ids::VALET_SCOPE), Some(ids::ADELE.to_string().as_str()))
    );
    assert!((3500..5500).contains(&told["expires_in"].as_i64().unwrap()), "{told}");
    let app = json!({ "app": ids::DAEMON, "api": ids::VALET, "roles": [ids::VALET_APP_ROLE] });
    let (_, told) = admin.post("tokens", app.clone()).await;
    assert_eq!(claims(told["access_token"].as_str().unwrap())["roles"], json!([ids::VALET_APP_ROLE]));
    let graph =
        json!({ "user": ids::ADELE_UPN, "client": ids::VALET, "api": GRAPH_URI, "scopes": ["User.Read"] });
    let (_, told) = admin.post("tokens", graph).await;
    let token = told["access_token"].as_str().unwrap();
    assert!(header(token)["nonce"].is_string() && told["expires_in"].as_i64() > Some(3500), "{told}");
    assert_eq!(bench.graph("/v1.0/me", token).await.status(), 200);

    let refused = async |base: &Value, field: &str, value: Value, status, named: &str| {
        let mut body = base.clone();
        body[field] = value;
        admin.refuses("tokens", body, status, named).await;
    };
    refused(&user, "user", "nobody".into(), 404, "user").await;
    refused(&user, "user", Value::Null, 400, "user").await;
    refused(&user, "client", ids::ALEX.to_string().into(), 404, "client").await;
    refused(&user, "client", "valet".into(), 400, "client").await;
    refused(&user, "client", Value::Null, 400, "client").await;
    refused(&user, "api", "api://nobody".into(), 404, "api").await;
    refused(&user, "api", Value::Null, 400, "api").await;
    refused(&user, "scopes", Value::Null, 400, "scopes").await;
    refused(&user, "scopes", json!([1]), 400, "scopes[0]").await;
    refused(&user, "roles", json!(["x"]), 400, "roles").await;
    refused(&user, "app", ids::DAEMON.to_string().into(), 400, "user").await;
    refused(&app, "scopes", json!(["x"]), 400, "scopes").await;
    refused(&app, "client", ids::DAEMON.to_string().into(), 400, "client").await;
    refused(&app, "app", ids::ALEX.to_string().into(), 404, "app").await;
    assert_eq!(admin.get("tokens").await["tokens"].as_array().map(|t| t.len() <= 200), Some(true));
}

#[tokio::test]
async fn registrations() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let plan = "\n[[faults]]\nendpoint = \"graph\"\nstatus = 503\n";
    let text = format!("{}{plan}", SAMPLE_TOML.replace("Adele Vance", "Adele Nova"));
    let (status, told) = admin.post("registrations", json!({ "toml": text })).await;
    assert_eq!((status, &told["users"]), (200, &6.into()), "{told}");
    assert_eq!(bench.emulator.registrations().user(ids::ADELE_UPN).unwrap().display_name, "Adele Nova");
    assert_eq!(admin.get("faults").await["faults"][0]["status"], 503);
    admin.refuses("registrations", json!({ "toml": "tenants = []" }), 400, "toml").await;
    admin.refuses("registrations", json!({ "toml": text.replace("503", "1") }), 400, "toml").await;
    admin.refuses("registrations", json!({}), 400, "toml").await;
    assert_eq!(bench.emulator.registrations().users.len(), 6, "a refused text changes nothing");
    assert_eq!(
        admin.request(Method::GET, "registrations").send().await.unwrap().status(),
        405,
        "it has secrets"
    );
}

#[tokio::test]
async fn the_journal_has_verdicts_and_no_queries() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let (_, headers, _) = bench.approve(ids::ADELE_UPN, bench.authorize(&valet_scope())).await;
    let code = crate::bench::answer(&headers)["code"].as_str().unwrap().to_owned();
    bench.redeem(&code).await;
    let (_, refused) = bench.redeem(&code).await;
    bench.approve("", with(&bench.authorize("openid"), "redirect_uri", "http://evil.example")).await;
    bench.approve("", with(&bench.authorize("openid"), "prompt", "none")).await;
    bench.graph("/v1.0/me", "no-token").await;
    bench.graph("/v1.0/me", "no-token").await;
    bench.http.get(bench.login("nothing")).send().await.unwrap();
    let faults = bench.emulator.faults();
    faults.set(Endpoint::Graph, Fault::Status { code: 503, retry_after: None });
    bench.graph("/v1.0/me", "no-token").await;
    faults.set(Endpoint::Graph, Fault::WrongType);
    bench.graph("/v1.0/me", "no-token").await;
    faults.set(Endpoint::Graph, Fault::Reset);
    let reset = bench.http.get(format!("{}/v1.0/me", bench.emulator.graph_url())).send().await;
    assert!(reset.is_err());

    let seen = admin.get("requests").await;
    let rows = seen["requests"].as_array().unwrap();
    let told: Vec<_> = rows
        .iter()
        .rev()
        .map(|r| (r["status"].as_u64().unwrap_or(0), r["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (302, ""),
            (200, ""),
            (400, "AADSTS54005"),
            (400, "AADSTS50011"),
            (302, "AADSTS50058"),
            (401, "InvalidAuthenticationToken"),
            (401, "InvalidAuthenticationToken"),
            (404, "Not Found"),
            (503, "planned 503, serviceNotAvailable"),
            (401, "planned wrong type, InvalidAuthenticationToken"),
            (0, "planned reset"),
        ]
    );
    let second = &rows[rows.len() - 3];
    assert_eq!(second["correlation_id"], refused["correlation_id"]);
    let target = format!("{}/{}/oauth2/v2.0/token", bench.emulator.authority_url(), ids::TENANT);
    assert_eq!(
        (&second["method"], second["target"].as_str()),
        (&"POST".into(), target.strip_prefix("https://"))
    );
    let text = seen.to_string();
    assert!(!text.contains(&code) && !text.contains('?') && !text.contains("/emulator/"), "{text}");
    assert_eq!(bench.redeem(&bench.code(&valet_scope()).await).await.0, 200);
}

#[tokio::test]
async fn foreign_web_pages_are_refused() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let own = bench.emulator.authority_url();
    let code = async |request: reqwest::RequestBuilder| {
        let (status, body) = admin.send(request).await;
        (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    let clear = || admin.request(Method::DELETE, "consents");
    let rotate = || admin.request(Method::POST, "keys/rotate");
    let foreign = (403, "foreign_origin".to_owned());
    for origin in ["https://evil.example", "null", "http://localhost", "https://localhost"] {
        assert_eq!(code(clear().header("origin", origin)).await, foreign, "{origin}");
        assert_eq!(code(admin.request(Method::GET, "tokens").header("origin", origin)).await, foreign);
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(code(clear().header("sec-fetch-site", site)).await, foreign, "{site}");
    }
    let untyped = (415, "content_type".to_owned());
    assert_eq!(code(rotate().body("{}")).await, untyped);
    assert_eq!(code(rotate().header("content-type", "text/plain").body("{}")).await, untyped);
    assert_eq!(code(rotate().form(&[("a", "b")])).await, untyped);
    let preflight = admin.request(Method::OPTIONS, "keys/rotate");
    assert_eq!(
        code(preflight.header("access-control-request-method", "POST")).await,
        (405, "method".to_owned())
    );
    assert_eq!(bench.emulator.kids().len(), 3, "nothing was done");

    let good = clear().header("origin", own).header("sec-fetch-site", "same-origin");
    assert_eq!(code(good).await.0, 200);
    assert_eq!(code(rotate().header("content-type", "application/json; charset=utf-8")).await.0, 200);
}

#[tokio::test]
async fn other_paths_methods_and_bodies() {
    let bench = Bench::start().await;
    let admin = Admin(&bench);
    let code = async |method, path: &str| {
        let request = admin.request(method, path).header("content-type", "application/json");
        let (status, body) = admin.send(request).await;
        (status, body["error"]["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(code(Method::GET, "moon").await, (404, "no_such_path".to_owned()));
    assert_eq!(code(Method::PUT, "faults").await, (405, "method".to_owned()));
    assert_eq!(code(Method::GET, "keys/rotate").await, (405, "method".to_owned()));
    assert_eq!(code(Method::POST, "requests").await, (405, "method".to_owned()));
    let typed = || admin.request(Method::POST, "clock").header("content-type", "application/json");
    for text in ["{", "[]", "{\"advance_seconds\":1}{}", "\"x\""] {
        let (status, body) = admin.send(typed().body(text)).await;
        assert_eq!((status, &body["error"]["code"]), (400, &"invalid".into()), "{text}: {body}");
    }
    assert_eq!(typed().body("x".repeat(1024 * 1024 + 1)).send().await.unwrap().status(), 413);
    assert_eq!(admin.get("clock").await["offset_seconds"], 0);
}

#[tokio::test]
async fn with_two_hosts_it_is_on_the_login_host() {
    let options = entra_emulator::Options { graph_host: "127.0.0.1".into(), ..Default::default() };
    let bench = Bench::start_with(options).await;
    assert!(Admin(&bench).get("clock").await["now"].is_string());
    let on_graph = format!("{}/emulator/clock", bench.emulator.graph_url());
    assert_eq!(bench.http.get(on_graph).send().await.unwrap().status(), 421);
}
