//! Names that a request may reach the server under: DNS rebinding shows as a foreign one.

use std::time::Duration;

use entra_emulator::ids;
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use valet_suite::ask::{MODERN, modern};
use valet_suite::certificates::{self, SERVER_NAME};
use valet_suite::check::audited;
use valet_suite::wire::{Wire, request};
use valet_suite::{Rig, run};

/// Fields of a perfect request, `Host` left out, as text for the wire.
fn fields(token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("authorization", format!("Bearer {token}")),
        ("content-type", "application/json".to_owned()),
        ("mcp-protocol-version", MODERN.to_owned()),
        ("mcp-method", "tools/call".to_owned()),
        ("mcp-name", "whoami".to_owned()),
    ]
}

#[test]
fn hosts_that_are_not_ours_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let fields = fields(&rig.token(ids::ADELE_UPN));
        let body = modern("tools/call", json!({ "name": "whoami" })).to_string();
        let ours = "POST /mcp HTTP/1.1";
        for (name, line, hosts, status, audit) in [
            ("ours", ours, &[SERVER_NAME][..], "200 OK", "allowed permitted"),
            ("ours with its port", ours, &["valet.example:443"], "200 OK", "allowed permitted"),
            (
                "a rebound name",
                ours,
                &["evil.example"],
                "403 Forbidden",
                "denied transport: Host not allowed (got \"evil.example\")",
            ),
            (
                "the address",
                ours,
                &["127.0.0.1"],
                "403 Forbidden",
                "denied transport: Host not allowed (got \"127.0.0.1\")",
            ),
            (
                "another port",
                ours,
                &["valet.example:8443"],
                "403 Forbidden",
                "denied transport: Host not allowed (got \"valet.example:8443\")",
            ),
            (
                "a suffix",
                ours,
                &["valet.example.evil.example"],
                "403 Forbidden",
                "denied transport: Host not allowed (got \"valet.example.evil.example\")",
            ),
            (
                "no name",
                ours,
                &["a b"],
                "400 Bad Request",
                "denied transport: Host header malformed (got \"a b\")",
            ),
            ("none", ours, &[], "400 Bad Request", "denied transport: Host header missing"),
            (
                "none in HTTP/1.0",
                "POST /mcp HTTP/1.0",
                &[],
                "400 Bad Request",
                "denied transport: Host header missing",
            ),
            (
                "two",
                ours,
                &[SERVER_NAME, "evil.example"],
                "400 Bad Request",
                "denied transport: More than one Host header",
            ),
            (
                "the same twice",
                ours,
                &[SERVER_NAME, SERVER_NAME],
                "400 Bad Request",
                "denied transport: More than one Host header",
            ),
            (
                "absolute form",
                "POST https://valet.example/mcp HTTP/1.1",
                &[SERVER_NAME],
                "200 OK",
                "allowed permitted",
            ),
            // RFC 9112 section 3.2.2: the target counts, so a good Host beside it must not help.
            (
                "absolute form of another",
                "POST https://evil.example/mcp HTTP/1.1",
                &[SERVER_NAME],
                "400 Bad Request",
                "denied transport: More than one Host header",
            ),
        ] {
            let mut all: Vec<(&str, &str)> = hosts.iter().map(|&host| ("host", host)).collect();
            all.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
            let exchange = async {
                let mut wire = Wire::open(rig.address).await;
                wire.send(request(line, &all, &body)).await;
                wire.rest(Duration::from_secs(5)).await.unwrap()
            };
            let (answer, found) = audited(&rig, exchange).await;
            assert_eq!(answer.lines().next().unwrap().split_once(' ').unwrap().1, status, "{name}: {answer}");
            assert_eq!(found, audit, "{name}");
        }
    });
}

#[test]
fn http_2_with_two_hosts_is_refused() {
    run(async {
        let rig = Rig::start().await;
        let fields = fields(&rig.token(ids::ADELE_UPN));
        let body = modern("tools/call", json!({ "name": "whoami" })).to_string();
        for (authority, host, status) in [
            (SERVER_NAME, None, 200),
            (SERVER_NAME, Some(SERVER_NAME), 200),
            ("evil.example", None, 403),
            // RFC 9113 section 8.3.1: they must not differ.
            ("evil.example", Some(SERVER_NAME), 400),
            (SERVER_NAME, Some("evil.example"), 400),
        ] {
            let tcp = TcpStream::connect(rig.address).await.unwrap();
            let tls = TlsConnector::from(certificates::client("h2"));
            let tls = tls.connect(ServerName::try_from(SERVER_NAME).unwrap(), tcp).await.unwrap();
            let (mut sender, connection) = h2::client::handshake(tls).await.unwrap();
            let connection = tokio::spawn(connection);
            let mut ask = http::Request::post(format!("https://{authority}/mcp"));
            for (name, value) in fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .chain(host.map(|host| ("host", host)))
            {
                ask = ask.header(name, value);
            }
            let (answer, mut stream) = sender.send_request(ask.body(()).unwrap(), false).unwrap();
            stream.send_data(body.clone().into(), true).unwrap();
            assert_eq!(answer.await.unwrap().status(), status, "{authority} {host:?}");
            connection.abort();
        }
        audited(&rig, async {}).await;
    });
}
