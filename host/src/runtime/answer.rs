//! What a request comes to: an answer, whole or growing, or none.

use tokio::time::Instant;

use crate::limits;
use crate::parts::request::Growing;

/// Why a request has no answer from the components. A fault of ours, which costs this request only.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The components trapped, ran too long, or could not be instantiated.
    #[error("the components failed: {0:#}")]
    Trapped(wasmtime::Error),
    /// The request, or one piece of its answer, took longer than [`limits::REQUEST_TIME`].
    #[error("the request took longer than {} s", limits::REQUEST_TIME.as_secs())]
    TimedOut,
    /// The answer went on for longer than [`limits::STREAM_TIME`].
    #[error("the answer went on for longer than {} s", limits::STREAM_TIME.as_secs())]
    Endless,
}

/// An answer to an HTTP request.
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer.
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// To be sent as it comes: a server-sent event stream, each piece one event or more.
    Growing(Pieces),
}

/// The answer to a single message.
pub enum Answer {
    /// None is due.
    Nothing,
    /// One JSON-RPC message without line breaks.
    Whole(Vec<u8>),
    /// Such messages, one a piece; the last is the response.
    Growing(Pieces),
}

/// The rest of an answer. The work for a piece is done when the piece is asked for; where nobody is left to send it to, drop this, which ends the work,
/// closes its connections to the API and frees its memory.
pub struct Pieces {
    /// None at the end, and after a fault.
    growing: Option<Growing>,
    /// When it has to have ended.
    end: Instant,
}

impl Pieces {
    pub(super) fn new(growing: Growing, began: Instant) -> Self {
        Self { growing: Some(growing), end: began + limits::STREAM_TIME }
    }

    /// The next piece, once there is one; none at the end.
    ///
    /// # Errors
    /// See [`RunError`]. There is no piece after one.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, RunError> {
        // What is interrupted in the middle of a piece cannot go on.
        let Some(mut growing) = self.growing.take() else { return Ok(None) };
        let left = self.end.saturating_duration_since(Instant::now());
        let piece = match tokio::time::timeout(left.min(limits::PIECE_TIME), growing.next()).await {
            Ok(piece) => piece.map_err(RunError::Trapped)?,
            Err(_) if left < limits::PIECE_TIME => return Err(RunError::Endless),
            Err(_) => return Err(RunError::TimedOut),
        };
        if piece.is_some() {
            self.growing = Some(growing);
        }
        Ok(piece)
    }
}
