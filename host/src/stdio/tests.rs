//! The loop over pipes, with a stand-in for the components that understands a few words.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines as TokioLines, ReadHalf,
    WriteHalf,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;

/// `ID WORD`: a request. `cancel ID`: a cancellation. Anything else is neither.
#[derive(Default)]
struct Words {
    /// Answers that are being worked on.
    open: Arc<AtomicU32>,
    /// Whether it was told that the client leaves.
    left: watch::Sender<bool>,
    /// Whether it was waited for what would outlive the server, after that.
    settled: Arc<AtomicBool>,
}

/// Counts as long as it lives.
struct Counted(Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Messages for Words {
    async fn inspect(&self, message: &[u8]) -> Result<Kind, RunError> {
        let text = String::from_utf8_lossy(message);
        Ok(match text.split_once(' ') {
            Some(("cancel", id)) => Kind::Cancellation(id.to_owned()),
            Some((id, _)) => Kind::Request(id.to_owned()),
            None if text == "inspect-fails" => return Err(RunError::TimedOut),
            None => Kind::Other,
        })
    }

    async fn answer(&self, message: Vec<u8>, sink: &Sink) -> Result<(), RunError> {
        self.open.fetch_add(1, Ordering::SeqCst);
        let _counted = Counted(Arc::clone(&self.open));
        let text = String::from_utf8_lossy(&message);
        let (id, word) = text.split_once(' ').unwrap_or(("", &text));
        let say = |what: &str| sink.send(format!("{id}: {what}").into_bytes());
        match word {
            "hello" => say("hello").await,
            "lines" => say("a\nb\r\nc").await,
            "forever" => {
                say("begun").await;
                std::future::pending().await
            }
            "person" => {
                say("begun").await;
                let _ = self.left.subscribe().wait_for(|left| *left).await;
                say("nobody is there any more").await;
            }
            "stream" => {
                for piece in ["one", "two", "three"] {
                    say(piece).await;
                }
            }
            "late" => return Err(RunError::TimedOut),
            "trap" => return Err(RunError::Trapped(wasmtime::Error::msg("unreachable"))),
            "panic" => panic!("as asked"),
            _ => {}
        }
        Ok(())
    }

    fn leave(&self) {
        self.left.send_replace(true);
    }

    async fn settle(&self) {
        tokio::task::yield_now().await;
        self.settled.store(*self.left.borrow(), Ordering::SeqCst);
    }
}

struct Client {
    input: WriteHalf<DuplexStream>,
    output: TokioLines<BufReader<ReadHalf<DuplexStream>>>,
    open: Arc<AtomicU32>,
    settled: Arc<AtomicBool>,
    server: JoinHandle<Ended>,
}

impl Client {
    fn start() -> Self {
        let words = Words::default();
        let (open, settled) = (Arc::clone(&words.open), Arc::clone(&words.settled));
        let (ours, theirs) = tokio::io::duplex(4096);
        let (from, to) = tokio::io::split(theirs);
        let server = tokio::spawn(serve(words, from, to, std::future::pending()));
        let (output, input) = tokio::io::split(ours);
        Self { input, output: BufReader::new(output).lines(), open, settled, server }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.input.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(Duration::from_secs(10), self.output.next_line()).await;
        line.expect("a line in time").unwrap().expect("a line")
    }

    /// The next good message works.
    async fn well(&mut self) {
        self.send("9 hello\n").await;
        assert_eq!(self.line().await, "9: hello");
    }

    async fn open(&self, count: u32) {
        let is_so = async {
            while self.open.load(Ordering::SeqCst) != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), is_so).await.expect("so many answers are worked on");
    }
}

#[tokio::test]
async fn messages_are_answered_a_line_each() {
    let mut client = Client::start();
    client.well().await;
    client.send("1 stream\n").await;
    assert_eq!(
        [client.line().await, client.line().await, client.line().await],
        ["1: one", "1: two", "1: three"]
    );
    client.send("2 lines\n").await;
    assert_eq!(client.line().await, "2: a b  c", "an answer is one line");
    client.send("notification\n").await;
    client.well().await;
}

#[tokio::test]
async fn requests_run_side_by_side() {
    let mut client = Client::start();
    client.send("1 forever\n").await;
    assert_eq!(client.line().await, "1: begun");
    client.well().await;
    client.open(1).await;
}

#[tokio::test]
async fn a_cancelled_request_ends_and_nothing_more_is_sent_for_it() {
    let mut client = Client::start();
    client.send("\"a\" forever\n1 forever\n").await;
    let mut begun = [client.line().await, client.line().await];
    begun.sort();
    assert_eq!(begun, ["\"a\": begun", "1: begun"]);
    client.send("cancel \"a\"\ncancel \"a\"\ncancel 7\n").await;
    client.open(1).await;
    client.well().await;
    client.send("cancel 1\n").await;
    client.open(0).await;
    client.well().await;
}

#[tokio::test]
async fn what_waits_to_be_written_for_a_cancelled_request_is_not_written() {
    let (lines, queue) = mpsc::channel(8);
    let (mine, other) = (Ticket::default(), Ticket::default());
    let sink = |ticket: &Ticket| Sink::new(lines.clone(), ticket.clone());
    sink(&mine).send(b"mine".to_vec()).await;
    sink(&other).send(b"other".to_vec()).await;
    mine.void();
    drop(lines);
    let mut written = Vec::new();
    output::write(&mut written, queue).await;
    assert_eq!(written, b"other\n");
}

#[tokio::test]
async fn an_id_that_is_used_again_is_the_newer_request_s() {
    let mut client = Client::start();
    client.send("1 hello\n").await;
    assert_eq!(client.line().await, "1: hello");
    client.send("1 forever\n").await;
    assert_eq!(client.line().await, "1: begun");
    client.well().await;
    client.send("cancel 1\n").await;
    client.open(0).await;
}

#[tokio::test]
async fn failures_are_answered_with_the_id_and_no_detail() {
    let mut client = Client::start();
    for (word, message) in
        [("late", "the request took too long"), ("trap", "Internal error"), ("panic", "Internal error")]
    {
        client.send(format!("\"x\" {word}\n")).await;
        let expected =
            format!(r#"{{"jsonrpc":"2.0","id":"x","error":{{"code":-32603,"message":"{message}"}}}}"#);
        assert_eq!(client.line().await, expected);
        client.well().await;
    }
    client.send("inspect-fails\n").await;
    assert_eq!(
        client.line().await,
        r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"}}"#
    );
    client.well().await;
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_once() {
    let mut client = Client::start();
    let chunk = vec![b'a'; 64 * 1024];
    for _ in 0..64 {
        client.send(&chunk).await;
    }
    client.send("\n").await;
    let refused = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"the message is longer than 1 MiB"}}"#;
    assert_eq!(client.line().await, refused);
    client.well().await;
}

#[tokio::test]
async fn the_end_of_the_input_waits_for_answers() {
    let mut client = Client::start();
    client.send("1 stream\n2 hello").await;
    client.input.shutdown().await.unwrap();
    let mut lines = Vec::new();
    while let Some(line) = client.output.next_line().await.unwrap() {
        lines.push(line);
    }
    lines.sort();
    assert_eq!(lines, ["1: one", "1: three", "1: two", "2: hello"]);
    assert_eq!(client.server.await.unwrap(), Ended::Input);
}

#[tokio::test]
async fn whoever_waits_for_a_person_is_told_of_the_end_of_the_input() {
    let mut client = Client::start();
    client.send("1 person\n").await;
    assert_eq!(client.line().await, "1: begun");
    client.input.shutdown().await.unwrap();
    // Only what is told of the end answers; what has to be ended for want of time does not.
    assert_eq!(client.line().await, "1: nobody is there any more");
    assert_eq!(client.server.await.unwrap(), Ended::Input);
    assert!(client.settled.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_end_of_the_input_does_not_wait_for_ever() {
    let mut client = Client::start();
    client.send("1 forever\n").await;
    client.input.shutdown().await.unwrap();
    assert_eq!(client.server.await.unwrap(), Ended::Input);
    assert_eq!(client.open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn closed_output_ends_it() {
    let mut client = Client::start();
    client.send("1 forever\n").await;
    client.open(1).await;
    // A duplex has one end for both directions, so what is written last is in its buffer.
    client.send("2 stream\n").await;
    drop((client.input, client.output));
    let ended = client.server.await.unwrap();
    assert!(matches!(ended, Ended::Output | Ended::Input), "{ended:?}");
    assert!(client.settled.load(Ordering::SeqCst));
    assert_eq!(client.open.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_signal_ends_it_at_once() {
    let (_ours, theirs) = tokio::io::duplex(64);
    let (from, to) = tokio::io::split(theirs);
    let words = Words::default();
    let settled = Arc::clone(&words.settled);
    assert_eq!(serve(words, from, to, async {}).await, Ended::Stopped);
    assert!(settled.load(Ordering::SeqCst), "after the user was told that nobody waits for them");
}
