//! Connections: resolve, check the address, dial that address, shake hands.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::AddressPolicy;
use crate::limits;

/// Makes connections to `https` origins under an [`AddressPolicy`].
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
    addresses: AddressPolicy,
}

/// What the peer's certificate has to chain to: Mozilla's roots, and those in `extra`, a PEM bundle.
///
/// # Errors
/// When `extra` is not a PEM bundle of usable certificates.
pub fn trust(extra: Option<&[u8]>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let before = roots.len();
    for certificate in extra.map(CertificateDer::pem_slice_iter).into_iter().flatten() {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if extra.is_some() && roots.len() == before {
        return Err("no certificate in it".to_owned());
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

impl Connector {
    /// A connector that trusts what `trust` gave.
    #[must_use]
    pub fn new(trust: ClientConfig, addresses: AddressPolicy) -> Self {
        Self { tls: TlsConnector::from(Arc::new(trust)), addresses }
    }

    async fn connect(self, uri: Uri) -> Result<Tls, ConnectError> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let name = ServerName::try_from(host.clone()).map_err(|_| ConnectError::Name)?;
        let work = async {
            let stream = self.dial(&host, port).await?;
            // One small request after another: waiting for more to send (RFC 896) only adds delay.
            stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
            self.tls.connect(name, stream).await.map_err(ConnectError::Tls)
        };
        let stream = tokio::time::timeout(limits::EGRESS_CONNECT_TIME, work)
            .await
            .map_err(|_| ConnectError::TimedOut)??;
        Ok(Tls(TokioIo::new(stream)))
    }

    /// Dials the first allowed address that answers. The address that was checked is the address that is dialled: the name is not resolved
    /// a second time.
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
        let resolved: Vec<SocketAddr> =
            tokio::net::lookup_host((host, port)).await.map_err(ConnectError::Resolve)?.collect();
        let allowed: Vec<SocketAddr> =
            resolved.iter().copied().filter(|address| self.addresses.allows(address.ip())).collect();
        if allowed.is_empty() {
            return Err(ConnectError::Address { host: host.to_owned(), addresses: resolved });
        }
        let mut last = None;
        for address in allowed {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(ConnectError::Tcp(last.expect("at least one address was tried")))
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The host is not a name that a certificate could have.
    Name,
    /// The name has no address.
    Resolve(io::Error),
    /// The name has no address that may be dialled.
    Address {
        /// The name.
        host: String,
        /// Its addresses.
        addresses: Vec<SocketAddr>,
    },
    /// No address answered.
    Tcp(io::Error),
    /// The handshake failed, usually because the certificate is not trusted.
    Tls(io::Error),
    /// [`limits::EGRESS_CONNECT_TIME`] passed.
    TimedOut,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(f, "the host is not a name that a certificate could have"),
            Self::Resolve(error) => write!(f, "the name cannot be resolved: {error}"),
            Self::Address { host, addresses } => {
                write!(f, "{host} resolves to private addresses only ({addresses:?})")
            }
            Self::Tcp(error) => write!(f, "no connection: {error}"),
            Self::Tls(error) => {
                write!(f, "no TLS session: {error}")?;
                let why = error.to_string();
                if ["UnknownIssuer", "BadSignature"].iter().any(|sign| why.contains(sign)) {
                    f.write_str(
                        "; certificate authorities beside the public ones belong into egress.ca_file",
                    )?;
                }
                Ok(())
            }
            Self::TimedOut => write!(f, "no connection within {} s", limits::EGRESS_CONNECT_TIME.as_secs()),
        }
    }
}

impl std::error::Error for ConnectError {}

impl tower_service::Service<Uri> for Connector {
    type Response = Tls;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Tls, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A TLS connection that hyper's pool can hold.
pub struct Tls(TokioIo<TlsStream<TcpStream>>);

impl Connection for Tls {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Tls {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl Write for Tls {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
