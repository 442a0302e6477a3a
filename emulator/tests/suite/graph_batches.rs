//! `$batch`: many requests in one, each with its own answer.

use entra_emulator::{Endpoint, Fault, Operation, RetryAfter, ids};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::graph_client::{ALL, Client};

fn get(id: &str, url: &str) -> Value {
    json!({ "id": id, "method": "GET", "url": url })
}

async fn batch(client: &Client<'_>, requests: Value) -> (u16, Value) {
    client.send(Method::POST, "/$batch", &json!({ "requests": requests })).await
}

fn item<'a>(answer: &'a Value, id: &str) -> &'a Value {
    answer["responses"].as_array().unwrap().iter().find(|r| r["id"] == id).unwrap()
}

#[tokio::test]
async fn every_item_is_answered_by_itself() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &ALL);
    let requests = json!([
        get("me", "/me?$select=displayName"),
        get("list", "users?$filter=startswith(displayName,'Al')"),
        { "id": "count", "method": "GET", "url": "/users/$count", "headers": { "ConsistencyLevel": "eventual" } },
        get("photo", "/me/photos/48x48/$value"),
        get("gone", "/me/messages/AAMkNOTHING="),
        { "id": "mail", "method": "post", "url": "/me/sendMail", "headers": { "Content-Type": "application/json" },
          "body": { "message": { "toRecipients": [{ "emailAddress": { "address": "alex@contoso.example" } }] } } },
        { "id": "after", "method": "GET", "url": "/me/mailFolders/sentitems/messages?$top=1", "dependsOn": ["MAIL"] },
        { "id": "not", "method": "GET", "url": "/me", "dependsOn": ["gone", "me"] },
        { "id": "nor", "method": "GET", "url": "/me", "dependsOn": ["not"] },
        get("in", "/$batch"),
        get("alias", "/users/me-token-to-replace/drive"),
    ]);
    let (status, answer) = batch(&client, requests).await;
    assert_eq!((status, answer["responses"].as_array().unwrap().len()), (200, 11), "{answer}");
    assert_eq!(item(&answer, "me")["body"]["displayName"], "Adele Vance");
    assert!(item(&answer, "me")["headers"]["Content-Type"].as_str().unwrap().starts_with("application/json"));
    assert_eq!(item(&answer, "list")["body"]["value"][0]["displayName"], "Alex Wilber");
    for (id, status) in [
        ("count", 200),
        ("photo", 200),
        ("gone", 404),
        ("mail", 202),
        ("after", 200),
        ("not", 424),
        ("nor", 424),
        ("in", 400),
        ("alias", 200),
    ] {
        assert_eq!(item(&answer, id)["status"], status, "{id}: {answer}");
    }
    assert!(item(&answer, "photo")["body"].as_str().unwrap().starts_with("iVBORw0KGgo"), "base64 of a PNG");
    assert_eq!(item(&answer, "gone")["body"]["error"]["code"], "ErrorItemNotFound");
    assert!(item(&answer, "mail").get("body").is_none());
    assert_eq!(item(&answer, "after")["body"]["value"][0]["subject"], "");
}

#[tokio::test]
async fn a_malformed_batch_is_refused_whole() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &["User.Read"]);
    let many = |n: usize| (0..n).map(|i| get(&i.to_string(), "/me")).collect::<Value>();
    assert_eq!(batch(&client, many(20)).await.0, 200);
    for requests in [
        many(21),
        json!([]),
        json!({}),
        json!(["/me"]),
        json!([get("a", "/me"), get("A", "/me")]),
        json!([{ "method": "GET", "url": "/me" }]),
        json!([{ "id": "1", "method": "GET" }]),
        json!([{ "id": "1", "method": "G E T", "url": "/me" }]),
        json!([get("1", "https://graph.microsoft.com/v1.0/me")]),
        json!([{ "id": "1", "method": "GET", "url": "/me", "dependsOn": ["2"] }]),
        json!([{ "id": "1", "method": "GET", "url": "/me", "dependsOn": ["1"] }]),
        json!([{ "id": "1", "method": "GET", "url": "/me", "dependsOn": "1" }]),
        json!([{ "id": "1", "method": "POST", "url": "/me/getMemberObjects", "body": {} }]),
        json!([{ "id": "1", "method": "GET", "url": "/me", "headers": ["a"] }]),
        json!([{ "id": "1", "method": "GET", "url": "/me", "headers": { "a b": "c" } }]),
    ] {
        let (status, answer) = batch(&client, requests.clone()).await;
        assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("BadRequest")), "{requests}");
    }
    let (_, answer) = batch(&client, json!([get("1", "/me"), get("2", "/me/messages")])).await;
    assert_eq!((&item(&answer, "1")["status"], &item(&answer, "2")["status"]), (&json!(200), &json!(403)));
    client.refused("/$batch", 405, "Request_BadRequest").await;
    let nobody = Client { bench: &bench, token: "none".into() };
    assert_eq!(batch(&nobody, many(1)).await.0, 401, "the batch, not its items");
}

#[tokio::test]
async fn faults_meet_the_items_one_by_one() {
    let bench = Bench::start().await;
    let client = Client::user(&bench, ids::ADELE_UPN, &["User.Read"]);
    let throttled = Fault::Status { code: 429, retry_after: Some(RetryAfter::Seconds(7)) };
    bench.emulator.faults().set_times(Endpoint::Graph, throttled, 1);
    let two = json!([get("1", "/me"), get("2", "/me")]);
    let (status, answer) = batch(&client, two.clone()).await;
    assert_eq!(status, 200);
    assert_eq!((&item(&answer, "1")["status"], &item(&answer, "2")["status"]), (&json!(429), &json!(200)));
    assert_eq!(item(&answer, "1")["headers"]["Retry-After"], "7");
    assert_eq!(item(&answer, "1")["body"]["error"]["code"], "TooManyRequests");
    assert_eq!(bench.emulator.faults().count(Operation::Graph), 1);
    bench.emulator.faults().set_times(Endpoint::Graph, Fault::Reset, 1);
    let (_, answer) = batch(&client, two).await;
    assert_eq!((&item(&answer, "1")["status"], &item(&answer, "2")["status"]), (&json!(504), &json!(200)));
}
