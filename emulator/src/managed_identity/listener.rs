//! The plain HTTP listener of the endpoints. It is small, because a machine has few programs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::Request;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

use super::{Endpoints, routes};

/// How many connections are served at once; further ones wait.
const CONNECTIONS: usize = 256;

/// How long a client may take over the head of a request.
const HEAD: Duration = Duration::from_secs(10);

/// Accepts connections until `stop` changes.
pub(crate) async fn serve(listener: TcpListener, endpoints: Arc<Endpoints>, mut stop: watch::Receiver<()>) {
    let router = routes(endpoints);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = async {
                let place = room.clone().acquire_owned().await;
                (place, listener.accept().await)
            } => accepted,
            _ = stop.changed() => return,
        };
        // Running out of file descriptors is the usual cause; the next one may work.
        let (Ok(place), Ok((stream, _))) = accepted else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (router, mut stop) = (router.clone(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|request: Request<hyper::body::Incoming>| {
                router.clone().oneshot(request.map(Body::new))
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD);
            tokio::select! {
                // A client that hangs up in the middle is its own affair.
                _ = http.serve_connection(TokioIo::new(stream), service) => {}
                _ = stop.changed() => {}
            }
        });
    }
}
