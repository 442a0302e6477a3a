//! Connections and what they hold: clients that leave, that take nothing, that do nothing, and floods.

use std::time::Duration;

use bytes::Bytes;
use entra_emulator::ids;
use h2::client::SendRequest;
use rustix::process::{Resource, Rlimit, prlimit};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use valet_suite::certificates::{self, SERVER_NAME};
use valet_suite::check::audited;
use valet_suite::wire::Wire;
use valet_suite::{Ask, Rig, run};

const TOOL: &str = "GetUserDetailsFromGraph";

/// How long something that has to happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Graph that never answers, and tells when a request has come (true) and when its connection has ended (false).
async fn silent_graph() -> (String, UnboundedReceiver<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let tls = TlsAcceptor::from(certificates::server("localhost"));
    let (events, seen) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, events) = (tls.clone(), events.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = tls.accept(stream).await else { return };
                let mut bytes = [0; 4096];
                let mut asked = false;
                while let Ok(1..) = stream.read(&mut bytes).await {
                    if !std::mem::replace(&mut asked, true) {
                        let _ = events.send(true);
                    }
                }
                if asked {
                    let _ = events.send(false);
                }
            });
        }
    });
    (url, seen)
}

async fn next(seen: &mut UnboundedReceiver<bool>) -> Option<bool> {
    tokio::time::timeout(PATIENCE, seen.recv()).await.expect("Graph sees something")
}

#[test]
fn a_client_that_leaves_ends_its_call() {
    run(async {
        let (graph, mut seen) = silent_graph().await;
        // One place, so that a call that is not given up would be seen in the next one.
        let rig =
            Rig::changed(|config| config.set("graph.url", graph).set("limits.concurrent_requests", 1)).await;
        let token = rig.token(ids::ADELE_UPN);
        let one = rig.client().http1_only().build().unwrap();
        let two = rig.client().build().unwrap();
        for http in [one, two] {
            let ask = Ask::tool(TOOL).bearer(&token);
            let call = async { rig.send_with(&http, ask).await.status };
            let left = async { assert_eq!(next(&mut seen).await, Some(true)) };
            tokio::select! {
                status = call => panic!("answered {status}"),
                () = left => {}
            }
            drop(http);
            assert_eq!(next(&mut seen).await, Some(false), "the call to Graph is broken off");
            rig.call("whoami", &rig.good()).await.result();
        }
    });
}

/// A connection for HTTP/2 with a receive window of so many bytes for each answer.
async fn http2(rig: &Rig, window: u32) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let tcp = TcpStream::connect(rig.address).await.unwrap();
    let tls = TlsConnector::from(certificates::client("h2"));
    let tls = tls.connect(ServerName::try_from(SERVER_NAME).unwrap(), tcp).await.unwrap();
    let mut builder = h2::client::Builder::new();
    let (sender, connection) = builder.initial_window_size(window).handshake(tls).await.unwrap();
    (sender, tokio::spawn(connection))
}

/// A connection for HTTP/2 whose frames are written by hand (RFC 9113 section 3.4).
async fn raw_http2(rig: &Rig) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(rig.address).await.unwrap();
    let tls = TlsConnector::from(certificates::client("h2"));
    let mut tls = tls.connect(ServerName::try_from(SERVER_NAME).unwrap(), tcp).await.unwrap();
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &[])].concat();
    tls.write_all(&preface).await.unwrap();
    tls
}

// RFC 9113 sections 6 and 7.
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

/// A frame (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Why a peer that sent these frames gave up: the error code of its last GOAWAY.
fn reason(mut frames: &[u8]) -> Option<u32> {
    let mut reason = None;
    while let Some((&[high, middle, low, kind, ..], rest)) = frames.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        let payload = rest.get(..length)?;
        if kind == GOAWAY {
            reason = payload.get(4..8).map(|code| u32::from_be_bytes(code.try_into().unwrap()));
        }
        frames = &rest[length..];
    }
    reason
}

fn health() -> http::Request<()> {
    http::Request::get(format!("https://{SERVER_NAME}/healthz")).body(()).unwrap()
}

#[test]
fn an_http_2_client_without_a_window_is_cut_off() {
    run(async {
        let rig = Rig::start().await;
        let (mut sender, connection) = http2(&rig, 0).await;
        let (answer, _) = sender.send_request(health(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
        let ended = tokio::time::timeout(Duration::from_secs(30) + PATIENCE, connection).await;
        // What remains of it does not matter.
        let _ = ended.expect("the connection is cut off").unwrap();
        audited(&rig, async {}).await;
    });
}

#[test]
fn rapid_resets_end_their_connection_only() {
    run(async {
        let rig = Rig::start().await;
        let mut tls = raw_http2(&rig).await;
        // `GET https://valet.example/` (RFC 7541 appendix A, section 6.2.2), and at once its end.
        let head = [&[0x82, 0x87, 0x84, 0x01, 13], SERVER_NAME.as_bytes()].concat();
        let mut flood = Vec::new();
        for stream in (1..20_000).step_by(2) {
            flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, &head));
            flood.extend(frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()));
        }
        // The server may have had enough before the last of them.
        let _ = tls.write_all(&flood).await;
        let mut said = Vec::new();
        let _ =
            tokio::time::timeout(PATIENCE, tls.read_to_end(&mut said)).await.expect("the connection ends");
        assert_eq!(reason(&said), Some(ENHANCE_YOUR_CALM));
        audited(&rig, async {}).await;
    });
}

#[test]
fn connections_that_never_ask_are_closed() {
    run(async {
        let rig = Rig::start().await;
        let mut wire = Wire::open(rig.address).await;
        let (sender, connection) = http2(&rig, 65_535).await;
        let one = async { wire.rest(PATIENCE).await.expect("HTTP/1.1: still open") };
        let two = async { tokio::time::timeout(PATIENCE, connection).await.expect("HTTP/2: still open") };
        let (said, _) = tokio::join!(one, two);
        assert_eq!(said, "");
        drop(sender);
        audited(&rig, async {}).await;
    });
}

/// Those who never ask for anything make room for those who do.
#[test]
fn a_server_without_descriptors_serves_on() {
    run(async {
        let rig = Rig::start().await;
        rig.call("whoami", &rig.good()).await.result();
        let few = Rlimit { current: Some(64), maximum: Some(64) };
        prlimit(Some(rig.process.id()), Resource::Nofile, few).unwrap();
        let mut idle = Vec::new();
        for _ in 0..300 {
            idle.push(TcpStream::connect(rig.address).await.unwrap());
        }
        rig.call("whoami", &rig.good()).await.result();
        let refused = |event: &serde_json::Value| event["message"] == "a connection could not be accepted";
        rig.log().wait(0, "failure to accept", refused).await;
        audited(&rig, async {}).await;
        drop(idle);
        audited(&rig, async {}).await;
    });
}

#[test]
fn tls_on_the_plain_port_and_noise_are_refused() {
    run(async {
        let url = "http://localhost/mcp";
        let plain = Rig::changed(|config| {
            config.set("server.public_url", url).without("server.tls_certificate").without("server.tls_key")
        });
        let rig = plain.await;
        let http = rig.client().resolve("localhost", rig.address).build().unwrap();
        let mut hello = vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];
        hello.extend([7; 506]);
        for (name, bytes) in [("a TLS hello", hello), ("noise", (0..=255).cycle().take(64 * 1024).collect())]
        {
            let mut tcp = TcpStream::connect(rig.address).await.unwrap();
            // The server may have had enough before the last byte.
            let _ = tcp.write_all(&bytes).await;
            let mut said = Vec::new();
            let _ = tokio::time::timeout(PATIENCE, tcp.read_to_end(&mut said)).await.expect(name);
            let said = String::from_utf8_lossy(&said);
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 "), "{name}: {said}");
            let good = rig.send_with(&http, Ask::tool("whoami").bearer(&rig.good()).at(url)).await;
            assert_eq!(good.status, 200, "after {name}");
        }
    });
}

/// A head that goes on for ever in CONTINUATION frames (RFC 9113 section 6.10).
#[test]
fn continuation_floods_end_their_connection_only() {
    run(async {
        let rig = Rig::start().await;
        let mut tls = raw_http2(&rig).await;
        // A literal field without indexing (RFC 7541 section 6.2.2): a name of one byte and a value of a hundred.
        let field = [&[0, 1, b'x', 100], [b'y'; 100].as_slice()].concat();
        tls.write_all(&frame(HEADERS, 0, 1, &field)).await.unwrap();
        let more = frame(CONTINUATION, 0, 1, &field.repeat(100));
        let flooding = async {
            for _ in 0..10_000 {
                if tls.write_all(&more).await.is_err() {
                    return true;
                }
            }
            false
        };
        assert!(
            tokio::time::timeout(PATIENCE, flooding).await.expect("in time"),
            "the server took a hundred megabytes"
        );
        audited(&rig, async {}).await;
    });
}

#[test]
fn the_server_ends_at_a_signal_though_clients_stay() {
    run(async {
        let mut rig = Rig::start().await;
        let (mut sender, _connection) = http2(&rig, 65_535).await;
        let (answer, _) = sender.send_request(health(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
        let _wire = Wire::open(rig.address).await;
        assert_eq!(rig.process.stop().and_then(|status| status.code()), Some(0));
    });
}
