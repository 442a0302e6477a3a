//! The HTTP front: listen, bound, hand to the components, drain.

mod body;
mod connection;
mod connections;
mod descriptors;
mod http;
mod tls;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use self::connections::Connections;
use crate::config;
use crate::limits;
use crate::runtime::Runtime;

pub use descriptors::raise_descriptor_limit;

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
    concurrent_requests: u32,
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
        let front = Arc::new(http::Front::new(runtime, concurrent_requests));
        Ok(Self { listener, tls, front, concurrent_requests })
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
        let connections = Connections::new(descriptors::connections(self.concurrent_requests));
        let mut patrol = tokio::time::interval(limits::PATROL_TIME);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.connection(stream, peer.ip(), &connections).await,
                    Err(error) => self.not_accepted(&error, &connections).await,
                },
                _ = patrol.tick() => connections.patrol(),
                () = &mut stop => break,
            }
        }
        drop(self.listener);
        tracing::info!("stopping: waiting for open requests");
        connections.close_all();
        let watch = async {
            loop {
                patrol.tick().await;
                connections.patrol();
            }
        };
        tokio::select! {
            () = connections.gone() => {}
            () = watch => {}
            () = tokio::time::sleep(limits::DRAIN_TIME) => {
                tracing::warn!("some requests did not end in time");
                connections.cut_all();
            }
        }
    }

    /// Serves one connection in a task of its own; the handshake is in that task too, so a slow client delays nobody.
    async fn connection(&self, stream: TcpStream, peer: IpAddr, connections: &Arc<Connections>) {
        match connections.admit().await {
            Some(admitted) => {
                let (tls, front) = (self.tls.clone(), Arc::clone(&self.front));
                tokio::spawn(connection::serve(stream, peer, tls, front, admitted));
            }
            None => tracing::warn!("every connection has a request open; another was turned away"),
        }
    }

    /// Out of file descriptors, usually. Accepting again at once would only burn time.
    async fn not_accepted(&self, error: &io::Error, connections: &Connections) {
        tracing::warn!(%error, "a connection could not be accepted");
        connections.shed();
        tokio::time::sleep(limits::EPOCH_TICK).await;
    }
}
