//! Managed identity: IMDS, App Service and Arc, what their tokens open, and their refusals.

use entra_emulator::{EXCHANGE_URI, GRAPH_URI, Options, Registrations, SAMPLE_TOML, VAULT_URI, ids};
use reqwest::Response;
use serde_json::Value;

use crate::bench::{Bench, claims};

const IDENTITIES: &str = r#"
[[managed_identities]]
app = "7e57c000-0000-4000-8000-000000000004"
system_assigned = true

[[managed_identities]]
app = "7e57c000-0000-4000-8000-000000000003"
resource_id = "/subscriptions/s/resourcegroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ledger"
"#;

const RESOURCE_ID: &str =
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ledger";
const IMDS: &str = "/metadata/identity/oauth2/token";
const TRUE: (&str, &str) = ("metadata", "true");
const VERSION: (&str, &str) = ("api-version", "2018-02-01");
const VALET: (&str, &str) = ("resource", ids::VALET_URI);

async fn start() -> Bench {
    let registrations = Registrations::from_toml(&format!("{SAMPLE_TOML}{IDENTITIES}")).unwrap();
    let managed_identity = Some("127.0.0.1:0".parse().unwrap());
    Bench::start_with(Options { registrations, managed_identity, ..Options::default() }).await
}

async fn get(bench: &Bench, url: &str, headers: &[(&str, &str)], query: &[(&str, &str)]) -> Response {
    let mut request = bench.http.get(url).query(query);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
}

async fn imds(bench: &Bench, headers: &[(&str, &str)], query: &[(&str, &str)]) -> (u16, Value) {
    read(get(bench, &format!("{}{IMDS}", bench.emulator.imds_url().unwrap()), headers, query).await).await
}

async fn app_service(bench: &Bench, secret: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let url = bench.emulator.identity_endpoint().unwrap();
    read(get(bench, &url, &[("x-identity-header", secret)], query).await).await
}

fn token(body: &Value) -> &str {
    body["access_token"].as_str().unwrap_or_else(|| panic!("{body}"))
}

#[tokio::test]
async fn imds_answers_in_strings_and_the_token_is_a_good_one() {
    let bench = start().await;
    let (status, body) = imds(&bench, &[TRUE], &[VERSION, VALET]).await;
    assert_eq!(status, 200, "{body}");
    let number = |name: &str| body[name].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(number("expires_on") - number("not_before"), number("expires_in"));
    assert_eq!((body["token_type"].as_str(), body["resource"].as_str()), (Some("Bearer"), Some(VALET.1)));
    assert_eq!(body["client_id"], ids::DAEMON.to_string());
    assert!(body["ext_expires_in"].is_string());
    let token = token(&body);
    assert!(bench.verifies(token).await);
    let got = claims(token);
    assert_eq!(got["exp"], number("expires_on"));
    assert_eq!(got["roles"], serde_json::json!([ids::VALET_APP_ROLE]), "those an administrator consented to");
    assert_eq!(got["oid"], bench.emulator.object_id(ids::DAEMON, ids::TENANT).to_string());
    assert_eq!((got["azpacr"].as_str(), got["idtyp"].as_str()), (Some("2"), Some("app")));
    assert!(bench.http.get(bench.emulator.authority_url() + IMDS).send().await.unwrap().status() == 404);
}

#[tokio::test]
async fn resources_by_uri_by_id_and_for_token_exchange() {
    let bench = start().await;
    let valet = ids::VALET.to_string();
    for (resource, audience, version) in [
        (VAULT_URI, VAULT_URI, "1.0"),
        ("https://vault.azure.net/", VAULT_URI, "1.0"),
        (GRAPH_URI, GRAPH_URI, "1.0"),
        ("https://graph.microsoft.com/", GRAPH_URI, "1.0"),
        (ids::LEDGER_URI, ids::LEDGER_URI, "1.0"),
        (ids::VALET_URI, &valet, "2.0"),
        (&valet, &valet, "2.0"),
        (EXCHANGE_URI, EXCHANGE_URI, "2.0"),
    ] {
        let (status, body) = imds(&bench, &[TRUE], &[VERSION, ("resource", resource)]).await;
        assert_eq!(status, 200, "{resource}: {body}");
        let got = claims(token(&body));
        assert_eq!((got["aud"].as_str(), got["ver"].as_str()), (Some(audience), Some(version)), "{resource}");
        assert_eq!(bench.verifies(token(&body)).await, audience != GRAPH_URI, "{resource}");
    }
    let exchange = [VERSION, ("resource", EXCHANGE_URI)];
    let got = claims(token(&imds(&bench, &[TRUE], &exchange).await.1));
    assert_eq!(got["iss"], format!("{}/{}/v2.0", bench.emulator.authority_url(), ids::TENANT));
    assert_eq!(got["sub"], bench.emulator.object_id(ids::DAEMON, ids::TENANT).to_string());
}

#[tokio::test]
async fn the_three_selectors() {
    let bench = start().await;
    let emulator = &bench.emulator;
    let (client, object) =
        (ids::LEDGER.to_string(), emulator.object_id(ids::LEDGER, ids::TENANT).to_string());
    let secret = emulator.identity_header().unwrap();
    for (imds_name, app_service_name, value) in [
        ("client_id", "client_id", client.as_str()),
        ("object_id", "principal_id", &object),
        ("msi_res_id", "mi_res_id", RESOURCE_ID),
    ] {
        let (_, body) = imds(&bench, &[TRUE], &[VERSION, VALET, (imds_name, value)]).await;
        assert_eq!(body["client_id"], client, "{imds_name}");
        assert_eq!(claims(token(&body))["azp"], client);
        let query = [("api-version", "2019-08-01"), VALET, (app_service_name, value)];
        assert_eq!(app_service(&bench, secret, &query).await.1["client_id"], client, "{app_service_name}");
    }
}

#[tokio::test]
async fn refusals_of_imds() {
    let bench = start().await;
    let stranger = ids::VALET.to_string();
    let daemon = ids::DAEMON.to_string();
    let forwarded = [TRUE, ("x-forwarded-for", "203.0.113.7")];
    let good: &[_] = &[VERSION, VALET];
    for (headers, query, error) in [
        (&[][..], good, "bad_request_102"),
        (&[("metadata", "false")], good, "bad_request_102"),
        (&forwarded, good, "invalid_request"),
        (&[TRUE], &[VERSION], "invalid_request"),
        (&[TRUE], &[VERSION, ("resource", "")], "invalid_request"),
        (&[TRUE], &[VERSION, VALET, VALET], "invalid_request"),
        (&[TRUE], &[VERSION, VALET, ("client_id", &stranger)], "invalid_request"),
        (&[TRUE], &[VERSION, VALET, ("client_id", "nonsense")], "invalid_request"),
        (&[TRUE], &[VERSION, VALET, ("object_id", &daemon)], "invalid_request"),
        (&[TRUE], &[VERSION, VALET, ("msi_res_id", "/subscriptions/none")], "invalid_request"),
        (&[TRUE], &[VERSION, VALET, ("client_id", &daemon), ("object_id", &daemon)], "invalid_request"),
        (&[TRUE], &[VERSION, ("resource", "api://nobody")], "invalid_resource"),
        (&[TRUE], &[VERSION, ("resource", "api://portal.fabrikam.example")], "invalid_resource"),
    ] {
        let (status, body) = imds(&bench, headers, query).await;
        assert_eq!((status, body["error"].as_str()), (400, Some(error)), "{headers:?} {query:?}: {body}");
        assert!(body["error_description"].is_string());
    }
    // The last is that of Arc, which was not asked for.
    for version in [None, Some(("api-version", "1999-01-01")), Some(("api-version", "2020-06-01"))] {
        let query: Vec<_> = version.into_iter().chain([VALET]).collect();
        let (status, body) = imds(&bench, &[TRUE], &query).await;
        assert_eq!((status, body["newest-versions"].is_array()), (400, true), "{version:?}: {body}");
    }
    assert_eq!(imds(&bench, &[("metadata", "True")], good).await.0, 200);
    bench.emulator.change_registrations(|all| all.app_mut(ids::DAEMON).unwrap().enabled = false);
    let (status, body) = imds(&bench, &[TRUE], good).await;
    assert_eq!((status, body["error"].as_str()), (400, Some("unauthorized_client")));
}

#[tokio::test]
async fn without_a_selector_the_only_identity_answers_and_of_several_none() {
    let bench = start().await;
    bench.emulator.change_registrations(|all| all.managed_identities[0].system_assigned = false);
    let (status, body) = imds(&bench, &[TRUE], &[VERSION, VALET]).await;
    assert_eq!((status, body["error"].as_str()), (400, Some("invalid_request")), "{body}");
    bench.emulator.change_registrations(|all| drop(all.managed_identities.remove(0)));
    let (_, body) = imds(&bench, &[TRUE], &[VERSION, VALET]).await;
    assert_eq!(body["client_id"], ids::LEDGER.to_string());
    bench.emulator.change_registrations(|all| all.managed_identities.clear());
    assert_eq!(imds(&bench, &[TRUE], &[VERSION, VALET]).await.0, 400);
}

#[tokio::test]
async fn app_service_wants_its_secret() {
    let bench = start().await;
    let emulator = &bench.emulator;
    let (secret, query) = (emulator.identity_header().unwrap(), [("api-version", "2019-08-01"), VALET]);
    for wrong in ["", "guess", &secret[1..]] {
        let (status, body) = app_service(&bench, wrong, &query).await;
        assert_eq!((status, body["statusCode"].as_u64()), (401, Some(401)), "{body}");
    }
    for query in [&[VERSION, VALET][..], &[VALET], &[query[0]], &[query[0], ("resource", "api://nobody")]] {
        let (status, body) = app_service(&bench, secret, query).await;
        assert_eq!((status, body["statusCode"].as_u64()), (400, Some(400)), "{query:?}: {body}");
    }
    let (status, body) = app_service(&bench, secret, &query).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(claims(token(&body))["exp"].to_string(), body["expires_on"].as_str().unwrap());
    let other = start().await;
    assert_ne!(other.emulator.identity_header(), emulator.identity_header());
}

#[tokio::test]
async fn arc_wants_the_content_of_a_file_once() {
    let folder = std::env::temp_dir().join(format!("entra-emulator-arc-{}", uuid::Uuid::new_v4()));
    let registrations = Registrations::from_toml(&format!("{SAMPLE_TOML}{IDENTITIES}")).unwrap();
    let managed_identity = Some("127.0.0.1:0".parse().unwrap());
    let arc_keys = Some(folder.clone());
    let bench =
        Bench::start_with(Options { registrations, managed_identity, arc_keys, ..Options::default() }).await;
    let query = [("api-version", "2020-06-01"), VALET];
    let url = format!("{}{IMDS}", bench.emulator.imds_url().unwrap());
    let challenged = get(&bench, &url, &[TRUE], &query).await;
    assert_eq!(challenged.status(), 401);
    let realm = challenged.headers()["www-authenticate"].to_str().unwrap();
    let file = realm.strip_prefix("Basic realm=").unwrap();
    assert!(file.ends_with(".key"));
    let basic = format!("Basic {}", std::fs::read_to_string(file).unwrap());
    for (given, status) in [("Basic guess", 403), ("Basic ", 403), (&basic, 200), (&basic, 403)] {
        let (got, body) = imds(&bench, &[TRUE, ("authorization", given)], &query).await;
        assert_eq!(got, status, "{body}");
    }
    // Open challenges leave no more files than there may be open ones, and none in the end.
    for _ in 0..105 {
        get(&bench, &url, &[TRUE], &query).await;
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 100);
    bench.emulator.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}
