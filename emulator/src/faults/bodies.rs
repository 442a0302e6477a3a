//! Bodies that no handler would write: slow ones, broken ones, endless ones.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep};

/// A piece of padding.
static PADDING: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// Between the first half and the end of the connection, so that the half is really sent.
const BEFORE_CUT: Duration = Duration::from_millis(20);

/// Bytes with a pause before each piece.
pub(super) struct Trickle {
    rest: Bytes,
    piece: usize,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
    /// Ends in an error, upon which hyper drops the connection.
    cut: bool,
}

impl Trickle {
    /// One byte at a time.
    pub(super) fn bytewise(all: Bytes, pause: Duration) -> Self {
        Self { rest: all, piece: 1, pause, timer: Box::pin(sleep(pause)), cut: false }
    }

    /// The first half, then the end of the connection.
    pub(super) fn half(mut all: Bytes) -> Self {
        all.truncate(all.len() / 2);
        let piece = all.len();
        Self { rest: all, piece, pause: BEFORE_CUT, timer: Box::pin(sleep(Duration::ZERO)), cut: true }
    }
}

impl Body for Trickle {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.rest.is_empty() && !self.cut {
            return Poll::Ready(None);
        }
        ready!(self.timer.as_mut().poll(cx));
        if self.rest.is_empty() {
            return Poll::Ready(Some(Err(io::Error::other("cut off as planned"))));
        }
        let piece = self.piece.min(self.rest.len());
        let piece = self.rest.split_to(piece);
        let next = Instant::now() + self.pause;
        self.timer.as_mut().reset(next);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

/// A JSON object that ends with `"padding":"xxxx…"}`, made while it is sent.
pub(super) struct Flood {
    head: Bytes,
    pieces: u64,
    at: u64,
}

impl Flood {
    /// That many megabytes of padding behind the object's beginning, which is `{` or ends with a comma.
    pub(super) fn new(head: &[u8], megabytes: u32) -> Self {
        let head = [head, b"\"padding\":\""].concat().into();
        Self { head, pieces: u64::from(megabytes) * 16, at: 0 }
    }
}

impl Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match self.at {
            0 => self.head.clone(),
            at if at <= self.pieces => Bytes::from_static(&PADDING),
            at if at == self.pieces + 1 => Bytes::from_static(b"\"}"),
            _ => return Poll::Ready(None),
        };
        self.at += 1;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
