//! Host names: the real ones and their aliases, which paths each serves, the issuers that follow, and TLS.

use std::net::SocketAddr;

use entra_emulator::{
    Emulator, Options, Registrations, SAMPLE_TOML, StartError, TokenVersion, VAULT_APP_ID, ids,
};
use reqwest::tls::Version;

use crate::bench::{Bench, claims};

const VAULTS: &str = r#"
[[vaults]]
name = "Contoso"
tenant = "7e57a000-0000-4000-8000-000000000001"
readers = ["7e57c000-0000-4000-8000-000000000004"]
secrets = { whose = "contoso" }

[[vaults]]
name = "fabrikam"
tenant = "7e57a000-0000-4000-8000-000000000002"
readers = ["7e57c000-0000-4000-8000-000000000005"]
secrets = { whose = "fabrikam" }
"#;

/// The names of the real services on a free port, and a client whose hosts file leads them there.
async fn real() -> Bench {
    let registrations = Registrations::from_toml(&format!("{SAMPLE_TOML}{VAULTS}")).unwrap();
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut bench = Bench::start_with(Options { bind, registrations, ..Options::real_names() }).await;
    bench.http = client(&bench.emulator).build().unwrap();
    bench
}

fn client(emulator: &Emulator) -> reqwest::ClientBuilder {
    let ca = reqwest::Certificate::from_pem(emulator.ca_pem().as_bytes()).unwrap();
    let names = [
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
        "graph.microsoft.com",
        "contoso.vault.azure.net",
        "fabrikam.vault.azure.net",
        "nobody.vault.azure.net",
    ];
    names.into_iter().fold(reqwest::Client::builder().tls_certs_only([ca]), |builder, name| {
        builder.resolve(name, emulator.address())
    })
}

#[tokio::test]
async fn every_real_name_has_a_certificate_and_serves_only_its_own_paths() {
    let bench = real().await;
    let port = bench.emulator.address().port();
    let v2 = format!("/{}/v2.0/.well-known/openid-configuration", ids::TENANT);
    let v1 = format!("/{}/.well-known/openid-configuration", ids::TENANT);
    let secret = "/secrets/whose?api-version=7.4".to_owned();
    for (host, path, status) in [
        ("login.microsoftonline.com", &v2, 200),
        ("login.windows.net", &v2, 200),
        ("login.microsoft.com", &v1, 200),
        ("sts.windows.net", &v1, 200),
        ("sts.windows.net", &v2, 421),
        ("graph.microsoft.com", &"/v1.0/me".to_owned(), 401),
        ("graph.microsoft.com", &v2, 421),
        ("login.windows.net", &"/v1.0/me".to_owned(), 421),
        ("contoso.vault.azure.net", &secret, 401),
        ("nobody.vault.azure.net", &secret, 404),
        ("contoso.vault.azure.net", &v2, 421),
        ("login.microsoftonline.com", &secret, 421),
        ("localhost", &v2, 421),
    ] {
        let answer = bench.http.get(format!("https://{host}:{port}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{host}{path}");
    }
}

#[tokio::test]
async fn urls_and_issuers_follow_the_names() {
    let bench = real().await;
    let (emulator, tenant) = (&bench.emulator, ids::TENANT);
    let port = emulator.address().port();
    assert_eq!(emulator.authority_url(), format!("https://login.microsoftonline.com:{port}"));
    assert_eq!(emulator.graph_url(), format!("https://graph.microsoft.com:{port}"));
    let issuer = format!("https://sts.windows.net:{port}/{tenant}/");
    assert_eq!(emulator.issuer(TokenVersion::V1, tenant), issuer);
    // The issuer, asked under its own name (OpenID Connect Discovery 4.3).
    let metadata = bench.json(&format!("{issuer}.well-known/openid-configuration")).await;
    assert_eq!(metadata["issuer"], issuer);
    let alias = format!("https://login.windows.net:{port}/{tenant}/v2.0/.well-known/openid-configuration");
    assert_eq!(
        bench.json(&alias).await["issuer"],
        format!("https://login.microsoftonline.com:{port}/{tenant}/v2.0")
    );
    let v1 =
        emulator.access_token(ids::ADELE_UPN, ids::DEMO_CLIENT, ids::LEDGER, &[ids::LEDGER_SCOPE]).unwrap();
    assert_eq!(claims(&v1)["iss"], issuer);
}

#[tokio::test]
async fn each_vault_answers_under_its_own_name() {
    let bench = real().await;
    let emulator = &bench.emulator;
    for (vault, app) in [("contoso", ids::DAEMON), ("fabrikam", ids::FOREIGN_APP)] {
        let token = emulator.app_token(app, VAULT_APP_ID, &[]).unwrap();
        let url = format!("{}/secrets/whose?api-version=7.4", emulator.vault_url(vault));
        let answer = bench.http.get(&url).bearer_auth(&token).send().await.unwrap();
        let secret: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(secret["value"], vault);
        assert!(secret["id"].as_str().unwrap().starts_with(&emulator.vault_url(vault)), "{secret}");
        let other = if vault == "contoso" { "fabrikam" } else { "contoso" };
        let url = url.replace(vault, other);
        assert_eq!(bench.http.get(url).bearer_auth(&token).send().await.unwrap().status(), 401);
    }
}

#[tokio::test]
async fn names_of_microsoft_stay_on_loopback() {
    let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let start = async |options: Options| Emulator::start(options).await.err();
    let remote = Options { bind: everywhere, allow_remote: true, ..Options::real_names() };
    assert!(matches!(start(remote).await, Some(StartError::RealNames { .. })));
    let one = Options {
        bind: everywhere,
        allow_remote: true,
        login_aliases: vec!["LOGIN.windows.net".into()],
        ..Options::default()
    };
    assert!(matches!(start(one).await, Some(StartError::RealNames { .. })));
    let identity = Options { managed_identity: Some(everywhere), ..Options::default() };
    assert!(matches!(start(identity).await, Some(StartError::NotLoopback(_))));
    for bad in ["https://login.example", "login.example:443", ""] {
        let odd = Options { sts_host: Some(bad.into()), ..Options::default() };
        assert!(matches!(start(odd).await, Some(StartError::HostName(_))), "{bad:?}");
    }
}

#[tokio::test]
async fn both_versions_of_tls() {
    let bench = real().await;
    let url = bench.login("v2.0/.well-known/openid-configuration");
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let client =
            client(&bench.emulator).tls_version_min(version).tls_version_max(version).build().unwrap();
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200, "{version:?}");
    }
}

#[tokio::test]
async fn a_kept_authority_serves_changed_names() {
    let folder = std::env::temp_dir().join(format!("entra-emulator-hosts-{}", uuid::Uuid::new_v4()));
    let named =
        |host: &str| Options { login_host: host.into(), state: Some(folder.clone()), ..Options::default() };
    let first = Emulator::start(named("login.first.example")).await.unwrap();
    let ca = reqwest::Certificate::from_pem(first.ca_pem().as_bytes()).unwrap();
    first.stop().await;
    let second = Emulator::start(named("login.second.example")).await.unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([ca])
        .resolve("login.first.example", second.address())
        .resolve("login.second.example", second.address())
        .build()
        .unwrap();
    let url = |host: &str| format!("https://{host}:{}/common/discovery/keys", second.address().port());
    assert_eq!(client.get(url("login.second.example")).send().await.unwrap().status(), 200);
    assert!(client.get(url("login.first.example")).send().await.is_err(), "no longer in the certificate");
    std::fs::remove_dir_all(folder).unwrap();
}
