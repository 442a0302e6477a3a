//! A stand-in for Entra or Graph that answers whatever bytes it is told to, for answers that the emulator would never give.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates;

/// A running stand-in.
pub struct StandIn {
    port: u16,
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    answers: Vec<(&'static str, Vec<u8>)>,
    requests: Vec<String>,
}

impl StandIn {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = TlsAcceptor::from(certificates::server("localhost"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, tls.clone(), Arc::clone(&shared)));
            }
        });
        Self { port, state, task }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Answers each request whose target contains `part` with these bytes from now on, and closes the connection.
    pub fn answer(&self, part: &'static str, bytes: impl Into<Vec<u8>>) {
        self.state.lock().unwrap().answers.push((part, bytes.into()));
    }

    /// The heads of the requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, state: Arc<Mutex<State>>) {
    let Ok(mut stream) = tls.accept(stream).await else { return };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let length =
        head.lines().find_map(|field| field.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let answer = {
        let mut state = state.lock().unwrap();
        let target = head.lines().next().unwrap_or_default();
        let latest = state.answers.iter().rev().find(|(part, _)| target.contains(part));
        let answer = latest.map(|(_, bytes)| bytes.clone()).unwrap_or_default();
        state.requests.push(head);
        answer
    };
    // A client that has seen enough may be gone.
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}

/// An HTTP answer with the right length.
#[must_use]
pub fn http(status: &str, fields: &[(&str, &str)], body: &str) -> String {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
