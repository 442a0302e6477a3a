//! The body of an answer on its way to the client: whole or growing, in chunks, so that it is known when nobody takes it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::connections::Open;
use crate::limits;
use crate::runtime::Pieces;

/// The rest of an answer was not to be had; the log says why. hyper breaks the connection off at it (over HTTP/2, the stream), so that the client does not take
/// what it has for all there is.
#[derive(Debug, thiserror::Error)]
#[error("the answer broke off")]
pub(super) struct BrokenOff;

/// A body. Dropping it ends the work for what has not been sent.
#[derive(Default)]
pub(super) struct AnswerBody {
    /// What can be sent now.
    ready: Bytes,
    /// What is still to be made.
    more: Option<BoxStream<'static, Result<Bytes, BrokenOff>>>,
    open: Option<Open>,
}

impl AnswerBody {
    /// A body that is complete.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { ready: bytes.into(), ..Self::default() }
    }

    /// A body that is made as it is sent. `place` is held for as long as that goes on.
    pub(super) fn growing(pieces: Pieces, place: OwnedSemaphorePermit, request_id: String) -> Self {
        let more = stream::unfold(Some((pieces, place, request_id)), |state| async {
            let (mut pieces, place, request_id) = state?;
            let error = match AssertUnwindSafe(pieces.next()).catch_unwind().await {
                Ok(Ok(None)) => return None,
                Ok(Ok(Some(piece))) => return Some((Ok(piece.into()), Some((pieces, place, request_id)))),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "a piece panicked in the host".to_owned(),
            };
            tracing::error!(request = request_id, error, "an answer broke off");
            Some((Err(BrokenOff), None))
        });
        Self { more: Some(more.boxed()), ..Self::default() }
    }

    /// The same, as the answer to `open`.
    pub(super) fn for_request(self, open: Open) -> Self {
        Self { open: Some(open), ..self }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(open) = &self.open {
            open.taken();
        }
        while self.ready.is_empty() {
            let Some(more) = &mut self.more else { return Poll::Ready(None) };
            match ready!(more.poll_next_unpin(context)) {
                Some(Ok(piece)) => self.ready = piece,
                end => {
                    self.more = None;
                    return Poll::Ready(end.map(|broken| broken.map(Frame::data)));
                }
            }
        }
        let length = self.ready.len().min(limits::ANSWER_CHUNK_BYTES);
        let chunk = self.ready.split_to(length);
        if let Some(open) = &self.open {
            open.given();
        }
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.more.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.more {
            None => SizeHint::with_exact(self.ready.len() as u64),
            Some(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_whole_body_comes_in_chunks() {
        let bytes: Vec<u8> = (0..=255).cycle().take(limits::ANSWER_CHUNK_BYTES * 2 + 1).collect();
        let mut body = AnswerBody::whole(bytes.clone());
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let mut lengths = Vec::new();
        let mut found = Vec::new();
        while let Some(frame) = body.frame().await {
            let chunk = frame.unwrap().into_data().unwrap();
            lengths.push(chunk.len());
            found.extend_from_slice(&chunk);
        }
        assert_eq!(lengths, [limits::ANSWER_CHUNK_BYTES, limits::ANSWER_CHUNK_BYTES, 1]);
        assert!(found == bytes && body.is_end_stream());
        assert!(AnswerBody::default().is_end_stream());
    }
}
