//! Answers that grow, as our own host sends them: piece by piece, one place each, and broken off where they break.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use valet::limits;
use valet::runtime::Runtime;
use valet::server::Server;

use super::guests::guest;
use super::native::{configured, emulator};

/// How long something that has to happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with so many places, and `streams.wat` to answer.
async fn start(places: u32) -> SocketAddr {
    let (config, _folder) = configured(&emulator().await, &guest("streams.wat", "streams"));
    let listen = config.server.clone().unwrap();
    let server = Server::bind(&listen, places, Runtime::new(config).await.unwrap()).await.unwrap();
    let address = server.address().unwrap();
    tokio::spawn(server.serve(std::future::pending()));
    address
}

/// A client for HTTP/1.1, and one for HTTP/2.
fn clients() -> [(&'static str, Client); 2] {
    let builder = || Client::builder().timeout(PATIENCE);
    [
        ("HTTP/1.1", builder().http1_only().build().unwrap()),
        ("HTTP/2", builder().http2_prior_knowledge().build().unwrap()),
    ]
}

async fn get(http: &Client, address: SocketAddr, path: &str) -> Response {
    http.get(format!("http://{address}{path}")).send().await.unwrap()
}

async fn well(http: &Client, address: SocketAddr, after: &str) {
    let answer = get(http, address, "/well").await;
    assert_eq!(answer.status().as_u16(), 200, "after {after}");
    assert_eq!(answer.text().await.unwrap(), "I am well", "after {after}");
}

/// Asks until there is a place again.
async fn place_is_free(http: &Client, address: SocketAddr, after: &str) {
    let asked = async {
        while get(http, address, "/well").await.status().as_u16() == 503 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("no place after {after}"));
    well(http, address, after).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_are_sent_as_they_come_and_the_place_is_given_back() {
    let address = start(1).await;
    for (version, http) in clients() {
        let answer = get(&http, address, "/count").await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert!(!answer.headers().contains_key("content-length"));
        let expected = "data: {\"piece\":1}data: {\"piece\":2}data: {\"piece\":3}";
        assert_eq!(answer.text().await.unwrap(), expected, "{version}");
        place_is_free(&http, address, version).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_breaks_off_is_seen_to_be_broken() {
    let address = start(1).await;
    for (version, http) in clients() {
        for path in ["/trap", "/loop"] {
            let (mut said, mut broken) = (Vec::new(), true);
            // A reset stream of HTTP/2 can overtake even its head.
            match http.get(format!("http://{address}{path}")).send().await {
                Err(error) => assert!(version == "HTTP/2", "{path}: {error:?}"),
                Ok(mut answer) => {
                    assert_eq!(answer.status().as_u16(), 200);
                    broken = loop {
                        match answer.chunk().await {
                            Ok(Some(chunk)) => said.extend_from_slice(&chunk),
                            end => break end.is_err(),
                        }
                    };
                }
            }
            let said = String::from_utf8(said).unwrap();
            assert!(broken, "{version} {path}: a clean end after {said:?}");
            // A reset stream of HTTP/2 can overtake its last piece (RFC 9113 section 6.4).
            let lost = version == "HTTP/2" && said.is_empty();
            assert!(lost || said == "data: {\"piece\":1}", "{version} {path}: {said:?}");
            place_is_free(&http, address, path).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_growing_answer_holds_its_place_until_the_client_leaves() {
    let address = start(1).await;
    for (version, http) in clients() {
        let other = clients()[0].1.clone();
        let mut answer = get(&http, address, "/endless").await;
        answer.chunk().await.unwrap().unwrap();
        assert_eq!(get(&other, address, "/well").await.status().as_u16(), 503, "{version}");
        drop(answer);
        place_is_free(&other, address, version).await;
    }
}

/// The system takes some megabytes on the client's behalf; after that nothing is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_is_cut_off() {
    let address = start(1).await;
    let http = clients()[0].1.clone();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /endless HTTP/1.1\r\nhost: localhost:1\r\n\r\n").await.unwrap();
    slow.read_u8().await.unwrap();
    assert_eq!(get(&http, address, "/well").await.status().as_u16(), 503);
    let cut = tokio::time::timeout(limits::ANSWER_CHUNK_TIME + PATIENCE, async {
        while get(&http, address, "/well").await.status().as_u16() == 503 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    cut.await.expect("its place is given to others");
    well(&http, address, "a client that takes nothing").await;
    let mut rest = Vec::new();
    // What the system holds for it can still be read; then the connection is at its end, cleanly or not.
    let _ =
        tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await.expect("the connection has ended");
    assert!(!rest.ends_with(b"0\r\n\r\n"), "a clean end");
}
