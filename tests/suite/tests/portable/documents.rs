//! Fetching clients' metadata documents from URLs that strangers choose, by the host's library: where it goes, and how much of it (rows E of the security baseline).

use valet::egress::{AddressPolicy, Connector, Documents, Failure, Response, trust};
use valet_suite::certificates;
use valet_suite::stand_in::{StandIn, http};

fn documents(addresses: AddressPolicy) -> Documents {
    // Fails if another test was first, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Documents::new(Connector::new(trust(Some(certificates::ca_pem().as_bytes())).unwrap(), addresses))
}

/// Nobody else fetches anything here, so there is always a place.
async fn fetched(documents: &Documents, url: &str) -> Result<Response, Failure> {
    documents.get(url).await.unwrap()
}

#[tokio::test]
async fn private_addresses_are_not_dialled_whatever_they_are_called() {
    let server = StandIn::start().await;
    server.answer("/", http("200 OK", &[("content-type", "application/json")], "{}"));
    let strangers = documents(AddressPolicy::PublicOnly);
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    for host in [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
    ] {
        let url = format!("https://{host}:{port}/client.json");
        let refused = fetched(&strangers, &url).await.unwrap_err();
        assert!(matches!(refused, Failure::Denied(_)), "{host}: {refused:?}");
    }
    assert!(server.requests().is_empty(), "nobody was asked anything");
    let refused =
        fetched(&strangers, &format!("{}/client.json", server.url())).await.unwrap_err().to_string();
    let setting = "; set oauth.client_documents_at_private_addresses to allow them";
    assert!(refused.ends_with(setting), "the setting is that of documents: {refused}");
    // The same where an operator allows it.
    let allowed = documents(AddressPolicy::PrivateToo);
    let answer = fetched(&allowed, &format!("{}/client.json", server.url())).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"{}"[..]));
    let metadata = fetched(&allowed, "https://169.254.169.254/client.json").await;
    assert!(matches!(metadata, Err(Failure::Denied(_))), "never the cloud's metadata service: {metadata:?}");
}

#[tokio::test]
async fn a_request_carries_nothing_of_ours_and_follows_nobody() {
    let server = StandIn::start().await;
    let elsewhere = format!("{}/elsewhere", server.url());
    server.answer("/client.json", http("302 Found", &[("location", &elsewhere)], ""));
    let fetch = documents(AddressPolicy::PrivateToo);
    let answer = fetched(&fetch, &format!("{}/client.json", server.url())).await.unwrap();
    assert_eq!(answer.status, 302, "a redirection is an answer like another, and no document");
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    let head = requests[0].to_ascii_lowercase();
    assert!(
        head.starts_with("get /client.json http/1.1\r\n") && head.contains("accept: application/json"),
        "{head}"
    );
    for field in ["cookie", "authorization", "referer", "origin", "x-"] {
        assert!(!head.contains(&format!("\r\n{field}")), "{field}: {head}");
    }
    for url in [
        "http://localhost/client.json",
        "file:///etc/passwd",
        "https://user:secret@localhost/client.json",
        "ftp://localhost/",
        "client.json",
    ] {
        assert!(matches!(fetched(&fetch, url).await, Err(Failure::Denied(_))), "{url}");
    }
}

#[tokio::test]
async fn little_is_read_and_not_for_long() {
    let server = StandIn::start().await;
    let (fits, long) = ("x".repeat(16 * 1024), "x".repeat(16 * 1024 + 1));
    server.answer("/fits", http("200 OK", &[("content-type", "application/json")], &fits));
    server.answer("/long", http("200 OK", &[("content-type", "application/json")], &long));
    // Announces more than it sends.
    server.answer("/cut", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}");
    server.answer("/noise", "this is not HTTP\r\n\r\n");
    let fetch = documents(AddressPolicy::PrivateToo);
    let get = async |path: &str| fetched(&fetch, &format!("{}{path}", server.url())).await;
    assert_eq!(get("/fits").await.unwrap().body.len(), 16 * 1024);
    assert_eq!(get("/long").await.unwrap_err(), Failure::TooLarge);
    assert!(matches!(get("/cut").await, Err(Failure::Protocol(_))));
    assert!(matches!(get("/noise").await, Err(Failure::Protocol(_))));
    assert_eq!(get("/fits").await.unwrap().status, 200);
}
