//! Rows that are many clients at once, or one client many times.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entra_emulator::{Endpoint, Fault, ids};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use valet_suite::ask::MODERN;
use valet_suite::rig::QUIET;
use valet_suite::{Ask, Rig, run};

use crate::http::good;
use crate::size;

/// M-12: users whose messages have equal ids.
const USERS: usize = 64;

/// M-12: their calls together.
const CALLS: usize = 100_000;

/// F-31: clients that leave in the middle of a call.
const LEAVERS: usize = 10_000;

/// Those of them after which the server has its size: every place has been taken then, and the pool has touched its pages.
const FIRST_LEAVERS: usize = 1_000;

/// H-17: connections that say nothing.
const IDLE: usize = 10_000;

/// A rig without the server's debug lines, which would be gigabytes here.
async fn quiet() -> Rig {
    Rig::logging(QUIET, valet_suite::rig::emulator().await, |config| {
        config.set("limits.calls_per_minute", 1_000_000)
    })
    .await
}

#[test]
fn answers_of_users_with_equal_ids_never_cross() {
    run(async {
        let rig = Arc::new(quiet().await);
        let before = size::resident(&rig);
        let mut users = tokio::task::JoinSet::new();
        for user in 0..USERS {
            let (rig, name) = (Arc::clone(&rig), format!("User {user}"));
            let object = format!("7e57b000-0000-4000-9000-{user:012}");
            let mut claims = rig.claims();
            claims["name"] = json!(name);
            claims["oid"] = json!(object);
            let token = rig.signed(claims);
            users.spawn(async move {
                let ask = Ask::tool("whoami").bearer(&token);
                for _ in 0..CALLS / USERS {
                    let about = rig.send(ask.clone()).await.result()["structuredContent"].clone();
                    assert_eq!((&about["objectId"], &about["name"]), (&json!(object), &json!(name)));
                }
            });
        }
        while let Some(done) = users.join_next().await {
            done.unwrap();
        }
        good(&rig).await;
        size::back_to(&rig, before).await;
    });
}

/// The server over plain HTTP on loopback: what is asked here is about connections, and ten thousand TLS handshakes say nothing more about them.
struct Plain {
    rig: Rig,
    http: reqwest::Client,
    before: u64,
}

const PLAIN_URL: &str = "http://localhost/mcp";

impl Plain {
    async fn start() -> Self {
        raise_file_limit();
        let rig = Rig::logging(QUIET, valet_suite::rig::emulator().await, |config| {
            config
                .set("server.public_url", PLAIN_URL)
                .set("limits.calls_per_minute", 1_000_000)
                .without("server.tls_certificate")
                .without("server.tls_key")
        })
        .await;
        let http = rig.client().resolve("localhost", rig.address).pool_max_idle_per_host(0).build().unwrap();
        let mut plain = Self { rig, http, before: 0 };
        plain.good().await;
        plain.before = size::resident(&plain.rig);
        plain
    }

    /// The next good call, on a new connection.
    async fn good(&self) {
        let ask = Ask::tool("whoami").bearer(&self.rig.good()).at(PLAIN_URL);
        let answer = tokio::time::timeout(Duration::from_secs(30), self.rig.send_with(&self.http, ask)).await;
        let answer = answer.expect("a good call is answered");
        assert_eq!(answer.result()["structuredContent"]["objectId"], ids::ALEX.to_string());
    }

    /// Connections that say nothing come, stay while others call, and go.
    async fn idle_crowd(&self) {
        let mut idle = Vec::with_capacity(IDLE);
        for _ in 0..IDLE {
            // Where the server takes no more, the system's queue does for a while, and then nobody.
            match tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(self.rig.address)).await {
                Ok(connected) => idle.push(connected.unwrap()),
                Err(_) => break,
            }
        }
        assert!(idle.len() == IDLE, "only {} connections were taken", idle.len());
        for _ in 0..10 {
            self.good().await;
        }
        drop(idle);
        self.good().await;
    }

    async fn end(self) {
        self.good().await;
        size::back_to(&self.rig, self.before).await;
    }

    /// A call of `tool`, as bytes.
    fn call(&self, tool: &str) -> String {
        let body =
            valet_suite::ask::modern("tools/call", json!({ "name": tool, "arguments": {} })).to_string();
        format!(
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\nmcp-protocol-version: {MODERN}\r\nmcp-method: tools/call\r\n\
             mcp-name: {tool}\r\ncontent-length: {}\r\n\r\n{body}",
            self.rig.good(),
            body.len()
        )
    }
}

/// Two ends of ten thousand connections are in two processes, but each needs more than the usual 1024.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let wanted = maximum.map_or(32_768, |maximum| maximum.min(32_768));
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    run(async {
        let mut plain = Plain::start().await;
        plain.idle_crowd().await;
        // The allocator keeps what one crowd took, some 7 kB a connection, for the next; which takes no more.
        plain.before = size::resident(&plain.rig);
        plain.idle_crowd().await;
        plain.end().await;
    });
}

#[test]
fn clients_that_leave_in_the_middle_of_a_call_cost_nothing_later() {
    run(async {
        let mut plain = Plain::start().await;
        plain.rig.emulator.faults().set(Endpoint::Graph, Fault::Delay(Duration::from_secs(5)));
        let call = plain.call("GetUserDetailsFromGraph");
        leave(plain.rig.address, &call, FIRST_LEAVERS).await;
        plain.before = size::resident(&plain.rig);
        leave(plain.rig.address, &call, LEAVERS - FIRST_LEAVERS).await;
        plain.rig.emulator.faults().clear(Endpoint::Graph);
        plain.end().await;
    });
}

/// So many clients, at most 64 at a time, each of which calls and leaves.
async fn leave(address: SocketAddr, call: &str, times: usize) {
    let mut leavers = tokio::task::JoinSet::new();
    for leaver in 0..times {
        if leavers.len() >= 64 {
            leavers.join_next().await.unwrap().unwrap();
        }
        let call = call.to_owned();
        leavers.spawn(async move {
            let mut tcp = TcpStream::connect(address).await.unwrap();
            tcp.write_all(call.as_bytes()).await.unwrap();
            // Some leave while the token is checked, some while Graph is asked.
            tokio::time::sleep(Duration::from_millis(leaver as u64 % 25)).await;
        });
    }
    while let Some(done) = leavers.join_next().await {
        done.unwrap();
    }
}

#[test]
fn a_client_that_never_reads_is_cut_off() {
    run(async {
        let plain = Plain::start().await;
        let call = plain.call("whoami");
        let mut tcp = TcpStream::connect(plain.rig.address).await.unwrap();
        let began = Instant::now();
        // The server's buffers fill, then ours; then it has to give up on us.
        let cut = tokio::time::timeout(Duration::from_secs(90), async {
            while tcp.write_all(call.as_bytes()).await.is_ok() {}
        })
        .await;
        assert!(cut.is_ok(), "still connected after {:?}", began.elapsed());
        plain.end().await;
    });
}

#[test]
fn streams_that_are_reset_at_once_do_not_wear_the_server_out() {
    run(async {
        let plain = Plain::start().await;
        let tcp = TcpStream::connect(plain.rig.address).await.unwrap();
        let (client, connection) = h2::client::handshake(tcp).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let mut opened = 0;
        for _ in 0..20_000 {
            let request = http::Request::post("http://localhost/mcp").body(()).unwrap();
            let Ok((_, mut stream)) = client.send_request(request, false) else { break };
            stream.send_reset(h2::Reason::CANCEL);
            opened += 1;
            client = match client.ready().await {
                Ok(client) => client,
                Err(_) => break,
            };
        }
        assert!(opened > 10, "{opened}");
        connection.abort();
        plain.end().await;
    });
}

#[test]
fn a_head_without_end_over_http_2_is_cut_off() {
    run(async {
        let plain = Plain::start().await;
        let mut tcp = TcpStream::connect(plain.rig.address).await.unwrap();
        // RFC 9113 section 6: the preface, empty SETTINGS, HEADERS without END_HEADERS, then CONTINUATION after CONTINUATION.
        tcp.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        tcp.write_all(&frame(1, 0, &[0x82])).await.unwrap();
        // A literal field without indexing, its name and value of 1,000 bytes each.
        let mut field = vec![0x00, 0x7f, 0xe9, 0x06];
        field.extend([b'a'; 1000]);
        field.extend([0x7f, 0xe9, 0x06]);
        field.extend([b'b'; 1000]);
        let more = frame(9, 0, &field);
        let sending = async {
            let mut sent = 0_usize;
            while sent < 64 * 1024 * 1024 && tcp.write_all(&more).await.is_ok() {
                sent += more.len();
            }
            sent
        };
        let sent = tokio::time::timeout(Duration::from_secs(60), sending).await.expect("an end");
        assert!(sent < 16 * 1024 * 1024, "{sent} bytes of a head were taken");
        plain.end().await;
    });
}

/// A frame of stream 1 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
    frame.extend(payload);
    frame
}

#[test]
fn a_window_of_one_byte_holds_up_its_own_stream_only() {
    run(async {
        let plain = Plain::start().await;
        let tcp = TcpStream::connect(plain.rig.address).await.unwrap();
        let (client, connection) = h2::client::Builder::new()
            .initial_window_size(1)
            .handshake::<_, bytes::Bytes>(tcp)
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        let mut streams = Vec::new();
        let mut client = client.ready().await.unwrap();
        for _ in 0..100 {
            let request = http::Request::get("http://localhost/.well-known/oauth-protected-resource/mcp")
                .body(())
                .unwrap();
            let Ok((response, _)) = client.send_request(request, true) else { break };
            streams.push(response);
            client = client.ready().await.unwrap();
        }
        plain.good().await;
        let first: Value = {
            let mut body = streams.remove(0).await.unwrap().into_body();
            let mut bytes = Vec::new();
            while let Some(chunk) = body.data().await {
                let chunk = chunk.unwrap();
                let _ = body.flow_control().release_capacity(chunk.len());
                bytes.extend(chunk);
            }
            serde_json::from_slice(&bytes).unwrap()
        };
        assert_eq!(first["resource"], PLAIN_URL);
        drop(streams);
        connection.abort();
        plain.end().await;
    });
}

#[test]
fn noise_on_the_port_of_tls_is_cut_off() {
    run(async {
        let rig = Rig::start().await;
        for noise in [&b"GET / HTTP/1.1\r\nhost: valet.example\r\n\r\n"[..], &[0x16; 65_536], &[0; 65_536]] {
            let mut tcp = TcpStream::connect(rig.address).await.unwrap();
            let _ = tcp.write_all(noise).await;
            let mut answer = Vec::new();
            let read = tokio::time::timeout(Duration::from_secs(20), tcp.read_to_end(&mut answer)).await;
            assert!(read.is_ok(), "still open after {} bytes of noise", noise.len());
            good(&rig).await;
        }
    });
}
