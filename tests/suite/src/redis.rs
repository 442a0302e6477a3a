//! A Redis server of a test's own, with a password, on a free port. Debian has it as `redis-server`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::absent::not_run;
use crate::config::Folder;
use crate::ports;

/// A running server. Its data is gone with it.
pub struct Redis {
    child: Child,
    port: u16,
    folder: Folder,
}

const PASSWORD: &str = "of-the-suite";

impl Redis {
    /// Starts one; none where there is no Redis, which is said aloud.
    #[must_use]
    pub fn start() -> Option<Self> {
        let folder = Folder::new();
        let port = ports::free();
        let Ok(child) = spawn(&folder, port) else {
            not_run("there is no redis-server here (Debian: apt-get install redis-server)");
            return None;
        };
        let server = Self { child, port, folder };
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it, as the system would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again with the data that it has on disk.
    pub fn restart(&mut self) {
        self.child = spawn(&self.folder, self.port).unwrap();
        self.wait();
    }

    /// Makes it a replica of a server that is not there, or its own master again. As a replica it has what it had and takes nothing (`replica-read-only`, which is
    /// its default).
    pub fn set_read_only(&self, read_only: bool) {
        // Nobody can listen at port 0.
        self.tell(if read_only { "REPLICAOF 127.0.0.1 0" } else { "REPLICAOF NO ONE" });
    }

    /// Has it forget everything.
    pub fn flush(&self) {
        self.tell("FLUSHALL");
    }

    /// All that it has on disk: whatever it was ever told to keep, one after the other.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut folders = vec![self.folder.path(".")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => bytes.extend(std::fs::read(path).unwrap()),
                }
            }
        }
        bytes
    }

    /// Has it do something, in a line as a person would type it, that is answered by OK.
    fn tell(&self, command: &str) {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap());
        for line in [format!("AUTH {PASSWORD}").as_str(), command] {
            stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_line(&mut answer).unwrap();
            assert_eq!(answer, "+OK\r\n", "{command}");
        }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/0", self.port)
    }
}

fn spawn(folder: &Folder, port: u16) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--requirepass", PASSWORD])
        .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
        .current_dir(folder.path("."))
        .stdout(Stdio::null())
        .spawn()
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Whether it was still there does not matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
