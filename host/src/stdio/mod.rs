//! MCP over standard input and output (MCP `basic/transports/stdio`): one JSON-RPC message a line, requests side by side, cancellation.
//!
//! Framing is all that is known here. What a message means is asked of the components, which are reached through [`Messages`].

mod lines;
mod messages;
mod output;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{AbortHandle, JoinSet};

use self::lines::{Line, Lines};
use self::output::Ticket;
use crate::limits;
use crate::runtime::{Kind, RunError};

pub use messages::{Gateway, Messages};
pub use output::Sink;

/// Lines that wait to be written. Whoever has another waits for room, and with it the work for what would come after.
const WAITING_LINES: usize = 16;

/// Why there is nothing more to do. None of these is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The input ended, and open requests were answered or had [`limits::STDIO_DRAIN_TIME`] for it.
    Input,
    /// Nobody reads the output any more.
    Output,
    /// It was told to stop.
    Stopped,
}

/// Answers the messages of `input` on `output` until the input ends, the output is closed, or `stop` is done.
pub async fn serve<M: Messages>(
    messages: M,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin + Send + 'static,
    stop: impl Future<Output = ()>,
) -> Ended {
    let (lines, queue) = mpsc::channel(WAITING_LINES);
    let mut writer = tokio::spawn(output::write(output, queue));
    let mut session = Session {
        messages: Arc::new(messages),
        lines,
        tasks: JoinSet::new(),
        open: HashMap::new(),
        started: 0,
        places: Arc::new(Semaphore::new(limits::STDIO_REQUESTS as usize)),
        room: Arc::new(Semaphore::new(limits::STDIO_BUFFER_BYTES as usize)),
    };
    let messages = Arc::clone(&session.messages);
    let work = async {
        session.read(Lines::new(input)).await;
        messages.leave();
        if tokio::time::timeout(limits::STDIO_DRAIN_TIME, session.finish()).await.is_err() {
            tracing::warn!("some requests did not end in time");
        }
    };
    let ended = tokio::select! {
        () = work => Ended::Input,
        _ = &mut writer => Ended::Output,
        () = stop => Ended::Stopped,
    };
    // However it ended, nobody is there for the user's answer.
    messages.leave();
    // Ends the tasks, and with the last sender gone the writer.
    drop(session);
    if ended == Ended::Input && tokio::time::timeout(limits::STDIO_DRAIN_TIME, &mut writer).await.is_err() {
        tracing::warn!("the last answers were not read in time");
    }
    writer.abort();
    messages.settle().await;
    ended
}

/// One client.
struct Session<M> {
    messages: Arc<M>,
    lines: mpsc::Sender<output::Outgoing>,
    /// One a message that is being answered. Each gives its id, if it has one, and its number.
    tasks: JoinSet<(Option<String>, u64)>,
    /// Requests that can be cancelled, by id.
    open: HashMap<String, Request>,
    /// How many tasks there have been.
    started: u64,
    /// Places in the components.
    places: Arc<Semaphore>,
    /// Room for messages, a permit a byte.
    room: Arc<Semaphore>,
}

struct Request {
    number: u64,
    ticket: Ticket,
    task: AbortHandle,
}

impl<M: Messages> Session<M> {
    /// Reads to the end of the input.
    async fn read(&mut self, mut lines: Lines<impl AsyncRead + Unpin>) {
        loop {
            match lines.next().await {
                Ok(Some(Line::Message(message))) => self.message(message).await,
                Ok(Some(Line::TooLong)) => {
                    tracing::warn!("a message is longer than {} bytes", limits::REQUEST_BODY_BYTES);
                    self.refuse(-32600, "the message is longer than 1 MiB").await;
                }
                Ok(None) => return,
                Err(error) => return tracing::warn!(%error, "standard input cannot be read"),
            }
            while let Some(done) = self.tasks.try_join_next() {
                // An error is a task that was cancelled, which is in no list any more.
                let Ok((Some(id), number)) = done else { continue };
                if self.open.get(&id).is_some_and(|request| request.number == number) {
                    self.open.remove(&id);
                }
            }
        }
    }

    /// Waits for all answers.
    async fn finish(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    async fn message(&mut self, message: Vec<u8>) {
        match self.messages.inspect(&message).await {
            Ok(Kind::Cancellation(id)) => self.cancel(&id),
            Ok(Kind::Request(id) | Kind::Opening((id, _)) | Kind::Declining(id)) => {
                self.answer(Some(id), message).await
            }
            Ok(Kind::Other) => self.answer(None, message).await,
            Err(error) => {
                tracing::error!(%error, "a message could not be inspected");
                self.refuse(-32603, "Internal error").await;
            }
        }
    }

    /// Ends a request: its work, and whatever of it has not begun to be written (MCP `basic/utilities/cancellation`).
    fn cancel(&mut self, id: &str) {
        // Without one it has been answered already, which clients cannot avoid.
        let Some(request) = self.open.remove(id) else { return };
        request.ticket.void();
        request.task.abort();
        tracing::debug!(id, "cancelled");
    }

    /// Answers a message in a task of its own.
    async fn answer(&mut self, id: Option<String>, message: Vec<u8>) {
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).max(limits::STDIO_MESSAGE_BYTES);
        let room = Arc::clone(&self.room).acquire_many_owned(length).await.expect("never closed");
        self.started += 1;
        let (number, ticket) = (self.started, Ticket::default());
        let sink = Sink::new(self.lines.clone(), ticket.clone());
        let (messages, places, named) = (Arc::clone(&self.messages), Arc::clone(&self.places), id.clone());
        let task = self.tasks.spawn(async move {
            let _room = room;
            let _place = places.acquire_owned().await;
            let answer = AssertUnwindSafe(messages.answer(message, &sink)).catch_unwind().await;
            let fault = match answer {
                Ok(Ok(())) => None,
                Ok(Err(error @ (RunError::TimedOut | RunError::Endless))) => {
                    tracing::error!(%error);
                    Some("the request took too long")
                }
                Ok(Err(error)) => {
                    tracing::error!(%error);
                    Some("Internal error")
                }
                Err(_) => {
                    tracing::error!("a request panicked in the host");
                    Some("Internal error")
                }
            };
            // Nobody waits for an answer to what is no request.
            if let (Some(fault), Some(id)) = (fault, &named) {
                sink.send(error(Some(id), -32603, fault)).await;
            }
            (named, number)
        });
        if let Some(id) = id {
            self.open.insert(id, Request { number, ticket, task });
        }
    }

    /// Answers what cannot be read, so whose id is not known (JSON-RPC section 5; MCP leaves the id out).
    async fn refuse(&self, code: i32, message: &str) {
        Sink::new(self.lines.clone(), Ticket::default()).send(error(None, code, message)).await;
    }
}

/// A JSON-RPC error. `id` is JSON, and `message` a text that needs no escapes.
fn error(id: Option<&str>, code: i32, message: &str) -> Vec<u8> {
    let id = id.map_or_else(String::new, |id| format!(r#""id":{id},"#));
    format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":{code},"message":"{message}"}}}}"#).into_bytes()
}

#[cfg(test)]
mod tests;
