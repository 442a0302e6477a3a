//! Lines on their way out: whole, one after the other, and none for a request that was cancelled.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// The right to have lines written for one request.
#[derive(Clone, Default)]
pub(super) struct Ticket(Arc<AtomicBool>);

impl Ticket {
    /// From now on no line of it begins to be written.
    pub(super) fn void(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_void(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A line, and for which request.
pub(super) struct Outgoing {
    line: Vec<u8>,
    ticket: Ticket,
}

/// Where the messages that answer one request go.
pub struct Sink {
    lines: mpsc::Sender<Outgoing>,
    ticket: Ticket,
}

impl Sink {
    pub(super) fn new(lines: mpsc::Sender<Outgoing>, ticket: Ticket) -> Self {
        Self { lines, ticket }
    }

    /// Sends one JSON-RPC message, once there is room for it. Where nobody reads any more, this session is about to end.
    pub async fn send(&self, message: Vec<u8>) {
        let _ = self.lines.send(Outgoing { line: message, ticket: self.ticket.clone() }).await;
    }
}

/// Writes lines until there are no more, or nobody reads them.
///
/// It is a task of its own: whoever is cancelled in the middle of a line must not leave half of it behind.
pub(super) async fn write(mut output: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some(Outgoing { line, ticket }) = queue.recv().await {
        if ticket.is_void() {
            continue;
        }
        if let Err(error) = write_line(&mut output, line).await {
            return tracing::debug!(%error, "nobody reads the output any more");
        }
    }
}

async fn write_line(output: &mut (impl AsyncWrite + Unpin), mut line: Vec<u8>) -> io::Result<()> {
    // Between the tokens of a JSON text a line break means what a space means, and within a string there is none (RFC 8259 sections 2 and 7).
    for byte in line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    line.push(b'\n');
    output.write_all(&line).await?;
    output.flush().await
}
