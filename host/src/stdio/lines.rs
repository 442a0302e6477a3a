//! Lines of bounded length.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use crate::limits;

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A message, without its line break.
    Message(Vec<u8>),
    /// More than [`limits::REQUEST_BODY_BYTES`]. Said once, as soon as it is known; what follows up to the line break is skipped.
    TooLong,
}

/// Reads lines. Nothing is lost where waiting for one is given up.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    /// What there is of the present line.
    line: Vec<u8>,
    /// Whether the present line was too long.
    skipping: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(64 * 1024, input), line: Vec::new(), skipping: false }
    }

    /// The next line that is not blank; none at the end of the input, which also ends the last line.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.input.fill_buf().await?;
            let end = available.is_empty();
            let line_break = available.iter().position(|&byte| byte == b'\n');
            let part = &available[..line_break.unwrap_or(available.len())];
            let too_long = !self.skipping && self.line.len() + part.len() > limits::REQUEST_BODY_BYTES;
            if !self.skipping && !too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(line_break.is_some());
            self.input.consume(used);
            if too_long {
                self.line = Vec::new();
                self.skipping = line_break.is_none();
                return Ok(Some(Line::TooLong));
            }
            if line_break.is_some() || end {
                self.skipping = false;
                let line = std::mem::take(&mut self.line);
                if !line.iter().all(u8::is_ascii_whitespace) {
                    return Ok(Some(Line::Message(line)));
                }
            }
            if end {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(input: &[u8]) -> Vec<Line> {
        let mut lines = Lines::new(input);
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            found.push(line);
        }
        found
    }

    fn message(text: &[u8]) -> Line {
        Line::Message(text.to_vec())
    }

    #[tokio::test]
    async fn a_line_is_a_message() {
        assert_eq!(lines(b"").await, []);
        assert_eq!(lines(b"{}\n[]\r\n").await, [message(b"{}"), message(b"[]\r")]);
        assert_eq!(lines(b"\n \t\r\n{}\n\n").await, [message(b"{}")], "blank lines are none");
        assert_eq!(lines(b"{}\n{\"a").await, [message(b"{}"), message(b"{\"a")], "the end ends a line");
        assert_eq!(lines(b"\xff\xfe\n").await, [message(b"\xff\xfe")], "what is no text is not our business");
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped() {
        let most = vec![b'a'; limits::REQUEST_BODY_BYTES];
        let longest = [most.as_slice(), b"\n{}\n"].concat();
        assert!(lines(&longest).await == [message(&most), message(b"{}")]);
        let long = [most.as_slice(), b"b\n{}\n"].concat();
        assert!(lines(&long).await == [Line::TooLong, message(b"{}")]);
        let very_long = [most.repeat(3).as_slice(), b"\n\n{}\n"].concat();
        assert!(lines(&very_long).await == [Line::TooLong, message(b"{}")]);
        assert!(lines(&most.repeat(2)).await == [Line::TooLong], "without an end");
    }
}
