//! `valet stdio` as a child process, spoken to line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio as Pipe};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::config;
use crate::log::Log;

/// How long a line or an end that has to come may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running command. Never outlives its handle.
pub struct Stdio {
    child: Child,
    /// None once it was closed.
    input: Option<ChildStdin>,
    lines: UnboundedReceiver<String>,
    log: Log,
}

impl Stdio {
    /// Starts it with this configuration, and nothing in its environment but `variables`.
    #[must_use]
    pub fn start(file: &Path, variables: &[(&str, &str)]) -> Self {
        Self::start_with(&[], file, variables)
    }

    /// The same with further arguments.
    #[must_use]
    pub fn start_with(arguments: &[&str], file: &Path, variables: &[(&str, &str)]) -> Self {
        let mut stdio = Self::spawn(arguments, file, variables);
        let output = stdio.child.stdout.take().unwrap();
        let (sender, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        stdio.lines = lines;
        stdio
    }

    /// The same, without anyone who reads its output; [`Stdio::close_output`] closes it.
    #[must_use]
    pub fn without_output(file: &Path, variables: &[(&str, &str)]) -> Self {
        Self::spawn(&[], file, variables)
    }

    fn spawn(arguments: &[&str], file: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(config::command());
        command
            .args(["stdio", "--log", "debug", "--log-format", "json", "--config"])
            .arg(file)
            .args(arguments);
        command.env_clear().envs(variables.iter().copied());
        command.stdin(Pipe::piped()).stdout(Pipe::piped()).stderr(Pipe::piped());
        let mut child = command.spawn().unwrap();
        let log = Log::default();
        log.gather(child.stderr.take().unwrap());
        Self { input: child.stdin.take(), child, lines: unbounded_channel().1, log }
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends bytes. It may have ended, which is then seen elsewhere.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let input = self.input.as_mut().unwrap();
        let _ = input.write_all(bytes.as_ref()).and_then(|()| input.flush());
    }

    /// Sends a message.
    pub fn message(&mut self, message: &Value) {
        self.send(format!("{message}\n"));
    }

    /// Ends its input.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Closes its output. Only after [`Stdio::without_output`].
    pub fn close_output(&mut self) {
        drop(self.child.stdout.take());
    }

    /// The next line of its output, as JSON; none at the end.
    pub async fn line(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
        let line = line.unwrap_or_else(|_| panic!("no line in time; the log:\n{}", self.log.text()))?;
        Some(serde_json::from_str(&line).unwrap_or_else(|_| panic!("output that is no message: {line}")))
    }

    /// Sends it SIGTERM.
    pub fn terminate(&self) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
    }

    /// Waits for its end.
    pub async fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it has not ended; the log:\n{}", self.log.text());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Stdio {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
