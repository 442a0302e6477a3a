//! Discovery: instances, metadata and key sets under every kind of tenant segment, field by field.

use entra_emulator::{CONSUMER_TENANT, ids};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::refusals::check;

fn names(value: &Value) -> String {
    let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

async fn get(bench: &Bench, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/{path}", bench.emulator.authority_url());
    let response = bench.http.get(url).query(query).send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn instance_discovery_in_both_versions() {
    let bench = Bench::start().await;
    let base = bench.emulator.authority_url();
    let host = base.trim_start_matches("https://");
    let endpoint = format!("{base}/{}/oauth2/v2.0/authorize", ids::TENANT);
    let metadata = format!("{base}/{}/v2.0/.well-known/openid-configuration", ids::TENANT);
    for segment in ["common", "organizations", "consumers", "Common", ids::DOMAIN, CONSUMER_TENANT] {
        let path = format!("{segment}/discovery/instance");
        let old = get(&bench, &path, &[("api-version", "1.0"), ("authorization_endpoint", &endpoint)]).await;
        assert_eq!(old, (200, json!({ "x-emulator": true, "tenant_discovery_endpoint": metadata })));
        let new = get(&bench, &path, &[("api-version", "1.1"), ("authorization_endpoint", &endpoint)]).await;
        let cloud = json!([{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }]);
        let expected = json!({
            "x-emulator": true,
            "tenant_discovery_endpoint": metadata,
            "api-version": "1.1",
            "metadata": cloud,
        });
        assert_eq!(new, (200, expected), "{segment}");
    }
}

#[tokio::test]
async fn instance_discovery_points_to_the_metadata_of_the_endpoint() {
    let bench = Bench::start().await;
    let base = bench.emulator.authority_url();
    for (endpoint, metadata) in [
        (format!("{base}/common/oauth2/authorize"), "common/.well-known/openid-configuration"),
        (
            format!("{base}/contoso.example/oauth2/v2.0/authorize"),
            "contoso.example/v2.0/.well-known/openid-configuration",
        ),
        // MSAL for Python leaves the port out.
        (
            "https://localhost/common/oauth2/v2.0/authorize".into(),
            "common/v2.0/.well-known/openid-configuration",
        ),
        ("https://LOCALHOST".into(), "common/.well-known/openid-configuration"),
    ] {
        let query =
            [("api-version", "1.0"), ("authorization_endpoint", endpoint.as_str()), ("x-client-SKU", "any")];
        let (status, body) = get(&bench, "common/discovery/instance", &query).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["tenant_discovery_endpoint"], format!("{base}/{metadata}"), "{endpoint}");
    }
}

#[tokio::test]
async fn instance_discovery_refuses_foreign_hosts_and_malformed_requests() {
    let bench = Bench::start().await;
    let endpoint = format!("{}/common/oauth2/v2.0/authorize", bench.emulator.authority_url());
    let good = [("api-version", "1.1"), ("authorization_endpoint", endpoint.as_str())];
    let with = |name: &'static str, value: &'static str| {
        good.map(|(n, v)| if n == name { (n, value) } else { (n, v) })
    };
    let ask = async |query: &[(&str, &str)]| get(&bench, "common/discovery/instance", query).await;
    for foreign in [
        "https://login.elsewhere.example/common/oauth2/v2.0/authorize",
        "https://localhost.elsewhere.example/common/oauth2/v2.0/authorize",
        "https://user@elsewhere.example/localhost",
    ] {
        check(ask(&with("authorization_endpoint", foreign)).await, 50049, "invalid_instance");
    }
    for malformed in ["", "not a URL", "http://localhost/common/oauth2/v2.0/authorize", "urn:localhost"] {
        check(ask(&with("authorization_endpoint", malformed)).await, 50050, "invalid_request");
    }
    for version in ["", "2.0", "1.1 "] {
        check(ask(&with("api-version", version)).await, 50050, "invalid_request");
    }
    check(ask(&good[..1]).await, 50050, "invalid_request");
    check(ask(&good[1..]).await, 50050, "invalid_request");
    check(ask(&[]).await, 50050, "invalid_request");
    check(ask(&[good[0], good[1], good[1]]).await, 9_000_411, "invalid_request");
    check(get(&bench, "nobody.example/discovery/instance", &good).await, 90002, "invalid_request");
    assert_eq!(ask(&good).await.0, 200);
}

#[tokio::test]
async fn metadata_has_exactly_the_fields_of_its_version() {
    let bench = Bench::start().await;
    let both = "authorization_endpoint claims_supported cloud_graph_host_name cloud_instance_name \
                device_authorization_endpoint end_session_endpoint frontchannel_logout_supported http_logout_supported \
                id_token_signing_alg_values_supported issuer jwks_uri kerberos_endpoint msgraph_host rbac_url \
                request_uri_parameter_supported response_modes_supported response_types_supported scopes_supported \
                subject_types_supported tenant_region_scope token_endpoint token_endpoint_auth_methods_supported \
                userinfo_endpoint x-emulator";
    let (_, v2) = get(&bench, "common/v2.0/.well-known/openid-configuration", &[]).await;
    assert_eq!(names(&v2), both);
    let (_, v1) = get(&bench, "common/.well-known/openid-configuration", &[]).await;
    let more = both
        .replace(" claims_supported", " check_session_iframe claims_supported")
        .replace("kerberos_endpoint", "kerberos_endpoint microsoft_multi_refresh_token");
    assert_eq!(names(&v1), more);

    let methods = json!(["client_secret_post", "private_key_jwt", "client_secret_basic"]);
    for document in [&v1, &v2] {
        assert_eq!(document["token_endpoint_auth_methods_supported"], methods);
        assert_eq!(document["response_modes_supported"], json!(["query", "fragment", "form_post"]));
        assert_eq!(document["subject_types_supported"], json!(["pairwise"]));
        assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256"]));
    }
    assert_eq!(
        v2["response_types_supported"],
        json!(["code", "id_token", "code id_token", "id_token token"])
    );
    assert_eq!(v2["scopes_supported"], json!(["openid", "profile", "email", "offline_access"]));
    assert_eq!(v2["userinfo_endpoint"], format!("{}/oidc/userinfo", bench.emulator.graph_url()));
    let v1_types = json!(["code", "id_token", "code id_token", "token id_token", "token"]);
    assert_eq!(v1["response_types_supported"], v1_types);
    assert_eq!(v1["scopes_supported"], json!(["openid"]));
    assert!(v1["claims_supported"].as_array().unwrap().contains(&"amr".into()));
    assert!(v2["claims_supported"].as_array().unwrap().contains(&"preferred_username".into()));
}

#[tokio::test]
async fn issuer_and_endpoints_follow_the_tenant_segment() {
    let bench = Bench::start().await;
    let base = bench.emulator.authority_url();
    let (tenant, foreign) = (ids::TENANT.to_string(), ids::FOREIGN_TENANT.to_string());
    // Segment asked, segment in the URLs, tenant in the issuer, region.
    for (asked, segment, issuer, region) in [
        (tenant.as_str(), tenant.as_str(), tenant.as_str(), json!("EU")),
        (ids::DOMAIN, &tenant, &tenant, json!("EU")),
        ("CONTOSO.example", &tenant, &tenant, json!("EU")),
        ("fabrikam.example", &foreign, &foreign, json!("EU")),
        ("common", "common", "{tenantid}", Value::Null),
        ("organizations", "organizations", "{tenantid}", Value::Null),
        ("consumers", "consumers", CONSUMER_TENANT, Value::Null),
        (CONSUMER_TENANT, CONSUMER_TENANT, CONSUMER_TENANT, Value::Null),
    ] {
        let path = format!("{asked}/v2.0/.well-known/openid-configuration");
        let (status, v2) = get(&bench, &path, &[("appid", "7e57c000-0000-4000-8000-000000000001")]).await;
        assert_eq!(status, 200, "{v2}");
        assert_eq!(v2["issuer"], format!("{base}/{issuer}/v2.0"), "{asked}");
        for (field, end) in [
            ("authorization_endpoint", "oauth2/v2.0/authorize"),
            ("token_endpoint", "oauth2/v2.0/token"),
            ("device_authorization_endpoint", "oauth2/v2.0/devicecode"),
            ("end_session_endpoint", "oauth2/v2.0/logout"),
            ("jwks_uri", "discovery/v2.0/keys"),
            ("kerberos_endpoint", "kerberos"),
        ] {
            assert_eq!(v2[field], format!("{base}/{segment}/{end}"), "{asked}");
        }
        assert_eq!(v2["tenant_region_scope"], region, "{asked}");
        let (_, v1) = get(&bench, &format!("{asked}/.well-known/openid-configuration"), &[]).await;
        assert_eq!(v1["issuer"], format!("{base}/sts/{issuer}/"), "{asked}");
        for (field, end) in [
            ("authorization_endpoint", "oauth2/authorize"),
            ("token_endpoint", "oauth2/token"),
            ("device_authorization_endpoint", "oauth2/devicecode"),
            ("end_session_endpoint", "oauth2/logout"),
            ("check_session_iframe", "oauth2/checksession"),
            ("userinfo_endpoint", "openid/userinfo"),
            ("jwks_uri", "discovery/keys"),
        ] {
            assert_eq!(v1[field], format!("{base}/{segment}/{end}"), "{asked}");
        }
    }
}

#[tokio::test]
async fn every_segment_publishes_the_same_keys() {
    let bench = Bench::start().await;
    let (_, v2) = get(&bench, &format!("{}/discovery/v2.0/keys", ids::TENANT), &[]).await;
    let (_, v1) = get(&bench, &format!("{}/discovery/keys", ids::TENANT), &[]).await;
    for segment in [ids::DOMAIN, "common", "organizations", "consumers", CONSUMER_TENANT] {
        let appid = [("appid", "7e57c000-0000-4000-8000-000000000001")];
        assert_eq!(get(&bench, &format!("{segment}/discovery/v2.0/keys"), &appid).await, (200, v2.clone()));
        assert_eq!(get(&bench, &format!("{segment}/discovery/keys"), &[]).await, (200, v1.clone()));
    }
    let consumer = format!("{}/{CONSUMER_TENANT}/v2.0", bench.emulator.authority_url());
    let issuers = v2["keys"].as_array().unwrap().iter().filter(|k| k["issuer"] == consumer);
    assert_eq!(issuers.count(), 1);
}

#[tokio::test]
async fn segments_that_are_no_tenants_are_refused() {
    let bench = Bench::start().await;
    let path = |segment: &str| format!("{segment}/v2.0/.well-known/openid-configuration");
    for (segment, code) in [
        ("nobody.example", 90002),
        ("7e57a000-0000-4000-8000-00000000ffff", 90002),
        ("nobody", 900_023),
        ("%20", 900_023),
        ("..example", 900_023),
    ] {
        check(get(&bench, &path(segment), &[]).await, code, "invalid_request");
    }
    assert_eq!(get(&bench, &path("common"), &[]).await.0, 200);
}
