//! One connection, in a task of its own: handshake, HTTP/1.1 or HTTP/2, until either side has had enough.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::connections::{Admitted, Order};
use super::http::Front;
use crate::limits;

/// Serves `stream`, which came from `peer`, to its end.
pub(super) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<TlsAcceptor>,
    front: Arc<Front>,
    mut admitted: Admitted,
) {
    // Answers are small and complete, or go out piece by piece: waiting for more to send (RFC 896) only adds delay.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return http(TokioIo::new(stream), peer, front, admitted).await };
    let handshake = tokio::select! {
        handshake = tokio::time::timeout(limits::TLS_HANDSHAKE_TIME, tls.accept(stream)) => handshake,
        _ = admitted.order() => return,
    };
    match handshake {
        Ok(Ok(stream)) => http(TokioIo::new(stream), peer, front, admitted).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn http<S>(stream: S, peer: IpAddr, front: Arc<Front>, mut admitted: Admitted)
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let connection = Arc::clone(&admitted.connection);
    connection.ready();
    // Where the client leaves, hyper drops what this gives, and with it the components that work for it.
    let service = hyper::service::service_fn(move |request| {
        let (front, open) = (Arc::clone(&front), connection.begin());
        async move { Ok::<_, Infallible>(front.answer(request, peer, open).await) }
    });
    let builder = builder();
    let serving = builder.serve_connection(stream, service);
    tokio::pin!(serving);
    let ended = loop {
        tokio::select! {
            ended = serving.as_mut() => break ended,
            order = admitted.order() => match order {
                Order::Serve => {}
                Order::Close => serving.as_mut().graceful_shutdown(),
                Order::Cut => return tracing::debug!("a connection was cut"),
            },
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// hyper with our limits; those that are not here are hyper's own and fine: a hundred fields, no half-closed connections.
fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::REQUEST_HEAD_TIME)
        .max_buf_size(limits::REQUEST_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        // Also bounds what CONTINUATION frames can add up to.
        .max_header_list_size(limits::REQUEST_HEAD_BYTES as u32)
        .max_concurrent_streams(limits::HTTP2_STREAMS)
        .max_pending_accept_reset_streams(limits::HTTP2_RESETS)
        .max_local_error_reset_streams(limits::HTTP2_ERRORS)
        .max_send_buf_size(limits::HTTP2_SEND_BYTES)
        .initial_stream_window_size(limits::HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(limits::HTTP2_WINDOW_BYTES)
        .keep_alive_interval(limits::HTTP2_PING_TIME)
        .keep_alive_timeout(limits::HTTP2_PING_TIME);
    builder
}
