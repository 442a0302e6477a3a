//! The listener against requests that no well-behaved client sends: each gets an answer, and the next one is served.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::bench::Bench;

async fn connect(bench: &Bench) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(bench.emulator.ca_pem().as_bytes()).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(bench.emulator.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// Sends these bytes and returns what comes until the end, or until nothing comes for a while.
async fn raw(bench: &Bench, bytes: &[u8]) -> String {
    let mut stream = connect(bench).await;
    // The listener may have seen enough before the end.
    let _ = stream.write_all(bytes).await;
    answer(&mut stream).await
}

async fn answer(stream: &mut TlsStream<TcpStream>) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(Ok(n @ 1..)) =
        tokio::time::timeout(Duration::from_millis(500), stream.read(&mut piece)).await
    {
        all.extend_from_slice(&piece[..n]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

const GOOD: &str = "GET /common/discovery/v2.0/keys HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn malformed_requests() {
    let bench = Bench::start().await;
    let long = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-long: {}\r\n\r\n", "a".repeat(1_000_000));
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x-many: 1\r\n".repeat(200));
    for (case, bytes, expected) in [
        ("not HTTP", "\x16\x03\x01 hello\r\n\r\n", "400"),
        ("no version", "GET /\r\n\r\n", "400"),
        ("a space in a header name", "GET / HTTP/1.1\r\nho st: localhost\r\n\r\n", "400"),
        ("no host", "GET / HTTP/1.1\r\n\r\n", "400"),
        ("two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400"),
        ("a length that is none", "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n", "400"),
        ("a long header", &long, "431"),
        ("many headers", &many, "431"),
        ("another path form", "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n", "404"),
        ("a tunnel", "CONNECT localhost:443 HTTP/1.1\r\nhost: localhost\r\n\r\n", "404"),
        ("the absolute form", &GOOD.replace("GET /", "GET https://localhost/"), "200"),
        ("the good one", GOOD, "200"),
    ] {
        let answer = raw(&bench, bytes.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{case}: {answer}");
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let bench = Bench::start().await;
    let token = bench.login("oauth2/v2.0/token");
    let send = async |url: &str, bytes: usize| {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let request = bench.http.post(url).header(form.0, form.1).body("a".repeat(bytes));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(send(&token, 1024 * 1024).await.0, 400, "at the bound it is read, and lacks its parameters");
    assert_eq!(send(&token, 1024 * 1024 + 1).await.0, 413);
    let graph = format!("{}/v1.0/me", bench.emulator.graph_url());
    let (code, body) = send(&graph, 4 * 1024 * 1024 + 1).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((code, &body["error"]["code"]), (413, &"RequestEntityTooLarge".into()));
    // The same without a length told beforehand.
    let chunk = format!("{:x}\r\n{}\r\n", 2 * 1024 * 1024, "a".repeat(2 * 1024 * 1024));
    let head =
        "POST /common/oauth2/v2.0/token HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = raw(&bench, format!("{head}{chunk}0\r\n\r\n").as_bytes()).await;
    assert_eq!(status(&answer), "413", "{answer}");
    assert_eq!(status(&raw(&bench, GOOD.as_bytes()).await), "200");
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends() {
    let bench = Bench::start().await;
    let head = |length: usize| {
        format!(
            "POST /common/oauth2/v2.0/token HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n"
        )
    };
    let mut stream = connect(&bench).await;
    stream.write_all(head(17).as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 100 "));
    stream.write_all(b"grant_type=novel&").await.unwrap();
    let told = answer(&mut stream).await;
    assert!(status(&told) == "400" && told.contains("AADSTS900144"), "{told}");
    let told = raw(&bench, head(50_000_000).as_bytes()).await;
    assert_eq!(status(&told), "413", "the body is not even asked for: {told}");
}

#[tokio::test]
async fn methods() {
    let bench = Bench::start().await;
    let head = bench.http.head(bench.login("discovery/v2.0/keys")).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.headers().contains_key("content-length"));
    assert_eq!(head.text().await.unwrap(), "");

    let delete = bench.http.delete(bench.login("oauth2/v2.0/token")).send().await.unwrap();
    assert_eq!(delete.status(), 400);
    let body: Value = delete.json().await.unwrap();
    assert_eq!((&body["error"], &body["error_codes"][0]), (&"invalid_request".into(), &900_561.into()));

    let post = bench.http.post(format!("{}/v1.0/me", bench.emulator.graph_url())).send().await.unwrap();
    assert_eq!(post.status(), 405);
    assert_eq!(post.json::<Value>().await.unwrap()["error"]["code"], "Request_BadRequest");
    let post = bench.http.post(bench.login("discovery/v2.0/keys")).send().await.unwrap();
    assert_eq!(post.status(), 405);
    let preflight = bench.http.request(reqwest::Method::OPTIONS, bench.login("oauth2/v2.0/token"));
    assert_eq!(preflight.send().await.unwrap().status(), 200);
}
