//! A stand-in for Entra, Graph or a client's site that answers whatever bytes it is told to, for answers that the emulator would never give.

use std::pin::Pin;
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
    /// None for silence.
    answers: Vec<(&'static str, Option<Vec<u8>>)>,
    requests: Vec<String>,
}

/// A request as it arrived.
pub struct Asked {
    /// The request line and the fields, up to the empty line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// The bytes that answer a request, in their time.
pub type Answering = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;

impl StandIn {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        Self::named("localhost").await
    }

    /// Starts one on a free port, with a certificate for this name.
    pub async fn named(name: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let told = Arc::clone(&state);
        let answering = move |asked: Asked| -> Answering {
            let target = asked.head.lines().next().unwrap_or_default().to_owned();
            let state = told.lock().unwrap();
            let latest = state.answers.iter().rev().find(|(part, _)| target.contains(part));
            match latest.map_or_else(|| Some(Vec::new()), |(_, bytes)| bytes.clone()) {
                Some(bytes) => Box::pin(async { bytes }),
                None => Box::pin(std::future::pending()),
            }
        };
        Self::with_state(name, state, answering).await
    }

    /// Starts one on a free port that answers as `answering` says.
    pub async fn answering(answering: impl Fn(Asked) -> Answering + Send + Sync + 'static) -> Self {
        Self::with_state("localhost", Arc::default(), answering).await
    }

    async fn with_state(
        name: &str,
        state: Arc<Mutex<State>>,
        answering: impl Fn(Asked) -> Answering + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = TlsAcceptor::from(certificates::server(name));
        let (shared, answering) = (Arc::clone(&state), Arc::new(answering));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, shared, answering) = (tls.clone(), Arc::clone(&shared), Arc::clone(&answering));
                tokio::spawn(async move { connection(stream, tls, &shared, &*answering).await });
            }
        });
        Self { port, state, task }
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Answers each request whose target contains `part` with these bytes from now on, and closes the connection.
    pub fn answer(&self, part: &'static str, bytes: impl Into<Vec<u8>>) {
        self.state.lock().unwrap().answers.push((part, Some(bytes.into())));
    }

    /// Says nothing to each request whose target contains `part` from now on, and keeps the connection.
    pub fn be_silent(&self, part: &'static str) {
        self.state.lock().unwrap().answers.push((part, None));
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

async fn connection(
    stream: TcpStream,
    tls: TlsAcceptor,
    state: &Mutex<State>,
    answering: &(impl Fn(Asked) -> Answering + Sync),
) {
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
    state.lock().unwrap().requests.push(head.clone());
    let answer = answering(Asked { head, body }).await;
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
