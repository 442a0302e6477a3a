//! Bytes over TLS, for requests that no HTTP client would send.

use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::{self, SERVER_NAME};

/// A connection to the server under test.
pub struct Wire(TlsStream<TcpStream>);

impl Wire {
    /// Connects for HTTP/1.1.
    pub async fn open(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).await.unwrap();
        let tls = TlsConnector::from(certificates::client("http/1.1"));
        Self(tls.connect(ServerName::try_from(SERVER_NAME).unwrap(), tcp).await.unwrap())
    }

    /// Sends bytes. The server may have had enough before the last of them; what it answered is still to be read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
        let _ = self.0.flush().await;
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub async fn stop_sending(&mut self) {
        let _ = self.0.shutdown().await;
    }

    /// Everything until the server closes, at most for `time`; none if it did not close.
    pub async fn rest(&mut self, time: Duration) -> Option<String> {
        let mut bytes = Vec::new();
        // A close without TLS close_notify is a close.
        let read = tokio::time::timeout(time, self.0.read_to_end(&mut bytes)).await;
        read.is_ok().then(|| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A complete HTTP/1.1 request that closes its connection: a first line and fields as given, and a body.
#[must_use]
pub fn request(first_line: &str, fields: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{first_line}\r\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{text}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
