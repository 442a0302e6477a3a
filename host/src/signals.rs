//! How a running `valet` is told to stop.

/// Done at the first SIGTERM or Ctrl-C, with its number. They are watched from the call on, not only from the first poll. With `hang_up` also at SIGHUP: who serves
/// one person ends with their terminal.
#[cfg(unix)]
pub(crate) fn stop_signal(hang_up: bool) -> impl Future<Output = u8> {
    use futures_util::future::{pending, select_all};
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [(SignalKind::interrupt(), 2), (SignalKind::terminate(), 15), (SignalKind::hangup(), 1)];
    let watched = kinds.into_iter().take(if hang_up { 3 } else { 2 });
    let watched: Vec<_> = watched
        .map(|(kind, number)| {
            let watched = signal(kind);
            Box::pin(async move {
                match watched {
                    Ok(mut watched) => {
                        let _ = watched.recv().await;
                    }
                    Err(error) => {
                        tracing::warn!(%error, number, "a signal cannot be watched");
                        pending().await
                    }
                }
                number
            })
        })
        .collect();
    async { select_all(watched).await.0 }
}

/// Done at the first Ctrl-C, with the number that POSIX gives it.
#[cfg(not(unix))]
pub(crate) async fn stop_signal(_hang_up: bool) -> u8 {
    let _ = tokio::signal::ctrl_c().await;
    2
}
