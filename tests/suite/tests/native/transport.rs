//! Requests that HTTP, or MCP's use of it, does not allow, and clients that are slow.

use std::time::{Duration, Instant};

use entra_emulator::ids;
use tokio::net::TcpStream;
use valet_suite::check::{Refusal, audited, refused};
use valet_suite::wire::Wire;
use valet_suite::{Ask, Rig, run};

/// A refusal of the transport: `message` for the caller, and `got` beside it in the log.
fn bad(status: u16, message: &str, got: &str) -> Refusal {
    let got = if got.is_empty() { String::new() } else { format!(" (got {got:?})") };
    Refusal::rpc_without_id(status, -32600, message, &format!("denied transport: {message}{got}"))
}

#[test]
fn heads_that_break_a_rule_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let perfect = Ask::tool("whoami").bearer(&rig.token(ids::ADELE_UPN));
        let with = |name: &str, value: &str| perfect.clone().header(name, value);
        let (origin, media, accept) = (
            "Origin not allowed",
            "Content-Type must be application/json",
            "Accept must admit application/json",
        );
        for (name, ask, expected) in [
            (
                "a foreign origin",
                with("origin", "https://evil.example"),
                bad(403, origin, "https://evil.example"),
            ),
            (
                "our host as a foreign origin",
                with("origin", "http://valet.example"),
                bad(403, origin, "http://valet.example"),
            ),
            (
                "another port",
                with("origin", "https://valet.example:8443"),
                bad(403, origin, "https://valet.example:8443"),
            ),
            ("origin null", with("origin", "null"), bad(403, origin, "null")),
            ("no origin at all", with("origin", ""), bad(403, origin, "")),
            (
                "two origins",
                with("origin", "https://valet.example").and("origin", b"https://evil.example"),
                bad(403, "More than one Origin header", ""),
            ),
            ("text", with("content-type", "text/plain"), bad(415, media, "text/plain")),
            (
                "a form",
                with("content-type", "application/x-www-form-urlencoded"),
                bad(415, media, "application/x-www-form-urlencoded"),
            ),
            (
                "almost json",
                with("content-type", "application/json-rpc"),
                bad(415, media, "application/json-rpc"),
            ),
            ("no type", perfect.clone().without("content-type"), bad(415, media, "")),
            ("two types", perfect.clone().and("content-type", b"text/plain"), bad(415, media, "")),
            (
                "compressed",
                with("content-encoding", "gzip"),
                bad(415, "Content-Encoding is not supported", "gzip"),
            ),
            ("html only", with("accept", "text/html"), bad(406, accept, "text/html")),
            ("events only", with("accept", "text/event-stream"), bad(406, accept, "text/event-stream")),
            (
                "json refused",
                with("accept", "*/*, application/json;q=0"),
                bad(406, accept, "*/*, application/json;q=0"),
            ),
        ] {
            let expected = match name {
                "no origin at all" => Refusal {
                    audit: "denied transport: Origin not allowed (got \"\")".to_owned(),
                    ..expected
                },
                _ => expected,
            };
            refused(&rig, name, ask, &expected).await;
        }
        for verb in ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "PROPFIND"] {
            let answer = refused(
                &rig,
                verb,
                perfect.clone().verb(verb),
                &bad(405, "Method not allowed: use POST", verb),
            )
            .await;
            assert_eq!(answer.field("allow"), "POST", "{verb}");
        }
        for (name, ask) in [
            ("our own origin", with("origin", "https://valet.example")),
            ("a charset", with("content-type", "application/json; charset=utf-8")),
            ("anything", with("accept", "*/*")),
            ("no accept", perfect.clone().without("accept")),
        ] {
            assert_eq!(rig.send(ask).await.status, 200, "{name}");
        }
    });
}

#[test]
fn origins_and_hosts_that_are_configured_are_allowed() {
    run(async {
        let rig = Rig::changed(|config| {
            let list = valet_suite::config::list;
            config
                .set("server.allowed_origins", list(&["https://app.example", "vscode-webview://abc"]))
                .set("server.allowed_hosts", list(&["internal.example:8443"]))
        })
        .await;
        let perfect = Ask::tool("whoami").bearer(&rig.token(ids::ADELE_UPN));
        for origin in ["https://app.example", "vscode-webview://abc", "https://valet.example"] {
            assert_eq!(rig.send(perfect.clone().header("origin", origin)).await.status, 200, "{origin}");
        }
        let one = rig.client().http1_only().build().unwrap();
        for (host, status) in
            [("internal.example:8443", 200), ("INTERNAL.example:8443", 200), ("internal.example", 403)]
        {
            let answer = rig.send_with(&one, perfect.clone().header("host", host)).await;
            assert_eq!(answer.status, status, "{host}");
        }
    });
}

#[test]
fn plain_http_is_served_on_loopback() {
    run(async {
        let url = "http://localhost/mcp";
        let plain = Rig::changed(|config| {
            config.set("server.public_url", url).without("server.tls_certificate").without("server.tls_key")
        });
        let rig = plain.await;
        let http = rig.client().resolve("localhost", rig.address).build().unwrap();
        let perfect = Ask::tool("whoami").bearer(&rig.token(ids::ADELE_UPN)).at(url);
        assert_eq!(rig.send_with(&http, perfect.clone()).await.status, 200);
        let challenged = rig.send_with(&http, Ask::tool("whoami").at(url)).await;
        let metadata = "resource_metadata=\"http://localhost/.well-known/oauth-protected-resource/mcp\"";
        assert!(challenged.field("www-authenticate").ends_with(metadata), "{challenged:?}");
        let origin = rig.send_with(&http, perfect.header("origin", "http://evil.example")).await;
        assert_eq!(origin.status, 403);
    });
}

#[test]
fn paths_that_are_not_ours_are_not_found() {
    run(async {
        let rig = Rig::start().await;
        let perfect = Ask::tool("whoami").bearer(&rig.token(ids::ADELE_UPN));
        for path in [
            "/",
            "/mcp/",
            "/mcp/x",
            "/MCP",
            "//mcp",
            "/mcp%2f",
            "/%6dcp",
            "/mcp;x",
            "/healthz/",
            "/sse",
            "/.well-known/oauth-protected-resource/",
            "/.well-known/oauth-protected-resource/other",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        ] {
            refused(&rig, path, perfect.clone().path(path), &Refusal::plain(404, "", "")).await;
        }
        assert_eq!(rig.send(perfect.path("/mcp?x=1")).await.status, 200, "a query changes nothing");
    });
}

#[test]
fn requests_that_are_too_large_are_refused() {
    run(async {
        let rig = Rig::start().await;
        let perfect = Ask::tool("whoami").bearer(&rig.token(ids::ADELE_UPN));
        let limit = 1024 * 1024;
        let too_long = Refusal::plain(413, "the request body is longer than 1 MiB\n", "");
        refused(&rig, "one byte too many", perfect.clone().body(vec![b' '; limit + 1]), &too_long).await;
        let expected = Refusal::rpc_without_id(
            400,
            -32700,
            "Parse error: not JSON at line 1, column 1048576",
            "denied bad_request: *",
        );
        refused(&rig, "the longest", perfect.clone().body(vec![b' '; limit]), &expected).await;
        let one = rig.client().http1_only().build().unwrap();
        let answer = rig.send_with(&one, perfect.clone().body(vec![b' '; limit + 1])).await;
        assert_eq!(answer.status, 413, "over HTTP/1.1");
        let strange = perfect.clone().and("x-name", "Adélè".as_bytes());
        refused(&rig, "not ASCII", strange, &Refusal::plain(400, "a field value is not visible ASCII\n", ""))
            .await;

        for (name, text, status) in [
            ("a huge field", format!("POST /mcp HTTP/1.1\r\nhost: valet.example\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024)), "431"),
            ("many fields", format!("POST /mcp HTTP/1.1\r\nhost: valet.example\r\n{}\r\n", "x: y\r\n".repeat(200)), "431"),
            ("a huge target", format!("POST /mcp?{} HTTP/1.1\r\nhost: valet.example\r\n\r\n", "a".repeat(70 * 1024)), "4"),
            ("no HTTP", "hello\r\n\r\n".to_owned(), "400"),
            ("two lengths", "POST /mcp HTTP/1.1\r\nhost: valet.example\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_owned(), "400"),
            ("a length that is none", "POST /mcp HTTP/1.1\r\nhost: valet.example\r\ncontent-length: -1\r\n\r\n".to_owned(), "400"),
            ("length and chunks", "POST /mcp HTTP/1.1\r\nhost: valet.example\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), "4"),
            ("a chunk that is none", "POST /mcp HTTP/1.1\r\nhost: valet.example\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n".to_owned(), "400"),
            ("a chunk of 2^64", "POST /mcp HTTP/1.1\r\nhost: valet.example\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\n".to_owned(), "400"),
            ("a line break in a field", "POST /mcp HTTP/1.1\r\nhost: valet.example\r\nx: a\r\n b: c\r\ncontent-length: 0\r\n\r\n".to_owned(), "4"),
        ] {
            let mut wire = Wire::open(rig.address).await;
            wire.send(text).await;
            let answer = wire.rest(Duration::from_secs(12)).await.unwrap_or_else(|| panic!("{name}: still open"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {answer}");
            audited(&rig, async {}).await;
        }
    });
}

/// All of it at once, so that it takes as long as the longest.
#[test]
fn slow_clients_are_cut_off() {
    run(async {
        let rig = Rig::start().await;
        let began = Instant::now();
        let patience = Duration::from_secs(25);
        let silent = async {
            let mut tcp = TcpStream::connect(rig.address).await.unwrap();
            let mut byte = [0];
            let read = tokio::io::AsyncReadExt::read(&mut tcp, &mut byte);
            tokio::time::timeout(patience, read)
                .await
                .expect("a handshake that never begins is cut off")
                .unwrap_or(0);
            began.elapsed().as_secs()
        };
        let head = async {
            let mut wire = Wire::open(rig.address).await;
            wire.send("POST /mcp HTTP/1.1\r\nhost: valet").await;
            (wire.rest(patience).await.expect("a head that never ends is cut off"), began.elapsed().as_secs())
        };
        let body = async {
            let mut wire = Wire::open(rig.address).await;
            wire.send("POST /mcp HTTP/1.1\r\nhost: valet.example\r\ncontent-length: 1000\r\n\r\n{").await;
            (wire.rest(patience).await.expect("a body that never ends is cut off"), began.elapsed().as_secs())
        };
        let (silent, head, body) = tokio::join!(silent, head, body);
        assert!((9..13).contains(&silent), "{silent}");
        assert!((9..13).contains(&head.1) && !head.0.contains(" 200 "), "{head:?}");
        assert!((14..18).contains(&body.1) && body.0.starts_with("HTTP/1.1 408 "), "{body:?}");
        assert!(body.0.ends_with("the request body took too long\n"), "{body:?}");
        audited(&rig, async {}).await;
    });
}
