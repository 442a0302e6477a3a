//! The command as a child process: started, watched, signalled. Never outlives its handle.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::config;
use crate::log::Log;

/// How long a server that was told to stop may take with no request open.
const STOP_TIME: Duration = Duration::from_secs(5);

/// A running command.
pub struct Process {
    child: Child,
    log: Log,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Process {
    /// Starts `valet ARGUMENTS --config FILE` with nothing in its environment but `variables`.
    #[must_use]
    pub fn start(arguments: &[&str], file: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(config::command());
        command.args(arguments).arg("--config").arg(file).env_clear().envs(variables.iter().copied());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Log::default();
        let reader = log.gather(child.stderr.take().unwrap());
        Self { child, log, reader: Some(reader) }
    }

    /// What it wrote to standard error.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Where it serves, once it does.
    pub async fn address(&mut self) -> SocketAddr {
        loop {
            let serving = self.log.since(0).into_iter().find(|event| event["message"] == "serving");
            if let Some(event) = serving {
                return event["address"].as_str().unwrap().parse().unwrap();
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                self.finish_reading();
                panic!("the server ended with {status}:\n{}", self.log.text());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Its id, as long as it runs.
    #[must_use]
    pub fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Kills it, as the system would.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // Once its end was seen, its id may be somebody else's.
        if self.reader.is_none() {
            return;
        }
        // It may have ended by itself; then there is nobody to tell.
        let _ = kill_process(self.id(), signal);
    }

    /// Waits for its end, at most for `time`.
    #[must_use]
    pub fn end(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.finish_reading();
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it and gives how it ended; none if it had to be killed.
    #[must_use]
    pub fn stop(&mut self) -> Option<ExitStatus> {
        self.terminate();
        self.end(STOP_TIME)
    }

    /// What it wrote to standard output, which belongs to the protocol. Only after its end.
    #[must_use]
    pub fn output(&mut self) -> String {
        std::io::read_to_string(self.child.stdout.take().unwrap()).unwrap()
    }

    fn finish_reading(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
