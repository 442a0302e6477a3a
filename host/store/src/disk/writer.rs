//! The thread that writes. A commit waits for the disk, so writes that come meanwhile share the next one.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::change::{Change, Outcome};
use super::file::File;
use super::tables;
use crate::clock::{Clock, Moment};
use crate::error::StoreError;
use crate::limits::WRITES_AT_ONCE;

/// The way to the thread.
pub(super) struct Writer {
    /// Always there until the drop, which ends the thread by it.
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

struct Request {
    change: Change,
    answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

impl Writer {
    pub(super) fn start(file: Arc<File>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let (requests, queue) = mpsc::channel(WRITES_AT_ONCE);
        let thread = thread::Builder::new()
            .name("valet-store".to_owned())
            .spawn(move || serve(queue, &file, &*clock))?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    /// Makes a change. When this returns it is on disk.
    pub(super) async fn write(&self, change: Change) -> Result<Outcome, StoreError> {
        let ended = || StoreError::Unavailable { reason: "the writer of the file has ended".to_owned() };
        let (answer, answered) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(ended)?;
        requests.send(Request { change, answer }).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It catches what panics, so there is nothing to learn from its end.
            let _ = thread.join();
        }
    }
}

fn serve(mut queue: mpsc::Receiver<Request>, file: &File, clock: &dyn Clock) {
    let mut batch = Vec::with_capacity(WRITES_AT_ONCE);
    while queue.blocking_recv_many(&mut batch, WRITES_AT_ONCE) > 0 {
        let now = Moment::now(clock);
        let requests = match batch.iter().any(|request| request.change.grows()).then(|| file.has_room()) {
            Some(Err(full)) => refuse(&mut batch, &full),
            _ => std::mem::take(&mut batch),
        };
        if requests.is_empty() {
            continue;
        }
        let changes = requests.iter().map(|request| &request.change);
        match file.with(|database| tables::commit(database, changes.clone(), now)) {
            Ok(outcomes) => {
                requests.into_iter().zip(outcomes).for_each(|(request, outcome)| reply(request, Ok(outcome)))
            }
            Err(error) => requests.into_iter().for_each(|request| reply(request, Err(error.clone()))),
        }
    }
}

/// Refuses what needs room, and gives the rest.
fn refuse(batch: &mut Vec<Request>, full: &StoreError) -> Vec<Request> {
    let (refused, rest): (Vec<_>, Vec<_>) = batch.drain(..).partition(|request| request.change.grows());
    refused.into_iter().for_each(|request| reply(request, Err(full.clone())));
    rest
}

fn reply(request: Request, answer: Result<Outcome, StoreError>) {
    // Whoever asked may have gone.
    let _ = request.answer.send(answer);
}
