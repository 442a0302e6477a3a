//! The HTTP front: listen, bound, hand to the components, drain.

mod http;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::config;
use crate::limits;
use crate::runtime::Runtime;

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("server.listen {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The certificate or its key.
    #[error("{}: {why}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// A server that is bound to its address.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    front: Arc<http::Front>,
}

impl Server {
    /// Opens the socket. Everything that can fail for configuration has failed before.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn bind(
        server: &config::Server,
        concurrent_requests: u32,
        runtime: Runtime,
    ) -> Result<Self, StartError> {
        let tls = server.tls.as_ref().map(tls::acceptor).transpose()?;
        let listener = TcpListener::bind(server.listen)
            .await
            .map_err(|error| StartError::Listen { address: server.listen, error })?;
        Ok(Self { listener, tls, front: Arc::new(http::Front::new(runtime, concurrent_requests)) })
    }

    /// Where it listens: the port that was taken, if port 0 was asked for.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done, then lets open requests end, at most for [`limits::DRAIN_TIME`].
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let connections = Arc::new(Semaphore::new(limits::CONNECTIONS));
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.listener, &connections) => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, place)) => self.connection(stream, place, &graceful),
                // Out of file descriptors, usually. Accepting again at once would only burn time.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(limits::EPOCH_TICK).await;
                }
            }
        }
        drop(self.listener);
        tracing::info!("stopping: waiting for open requests");
        if tokio::time::timeout(limits::DRAIN_TIME, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
    }

    /// Serves one connection in a task of its own; the handshake is in that task too, so a slow client delays nobody.
    fn connection(&self, stream: TcpStream, place: OwnedSemaphorePermit, graceful: &GracefulShutdown) {
        let (front, tls, watcher) = (Arc::clone(&self.front), self.tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _place = place;
            // Answers are small and complete: waiting for more to send (RFC 896) only adds delay.
            let _ = stream.set_nodelay(true);
            match tls {
                None => serve_stream(TokioIo::new(stream), front, watcher).await,
                Some(tls) => match tokio::time::timeout(limits::TLS_HANDSHAKE_TIME, tls.accept(stream)).await
                {
                    Ok(Ok(stream)) => serve_stream(TokioIo::new(stream), front, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                },
            }
        });
    }
}

/// The next connection, once there is a place for one.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(connections).acquire_owned().await.expect("the semaphore is never closed");
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn serve_stream<S>(stream: S, front: Arc<http::Front>, watcher: hyper_util::server::graceful::Watcher)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::REQUEST_HEAD_TIME)
        .max_buf_size(limits::REQUEST_HEAD_BYTES);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(limits::REQUEST_HEAD_BYTES as u32);
    let service = hyper::service::service_fn(move |request| {
        let front = Arc::clone(&front);
        async move { Ok::<_, std::convert::Infallible>(front.answer(request).await) }
    });
    let connection = builder.serve_connection(stream, service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
