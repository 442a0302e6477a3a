//! What the server under test takes for the time of day, and where names lead it. A small library that is loaded before the C library says so to it
//! (`preload/surroundings.c`), so that neither root nor waiting is needed: an hour passes at once, and a site at port 443 of a public address is a program
//! of the test's.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use crate::absent::not_run;
use crate::config::Folder;

/// Bytes of the file that both sides know.
const SIZE: usize = 4096;
/// Those of its two numbers.
const HEAD: usize = 16;

/// The surroundings of one server.
pub struct Surroundings {
    file: File,
    path: PathBuf,
    lines: Mutex<Vec<String>>,
    // Goes with it.
    _folder: Folder,
}

impl Surroundings {
    /// New ones, in which everything is as it is; none where no library can be loaded before the C library, which is said aloud.
    #[must_use]
    pub fn new() -> Option<Self> {
        if library().is_none() {
            not_run("clocks and names can be set on Linux with a C compiler alone");
            return None;
        }
        let folder = Folder::new();
        let path = folder.write("surroundings", [0; SIZE]);
        let file = File::options().write(true).open(&path).unwrap();
        Some(Self { file, path, lines: Mutex::default(), _folder: folder })
    }

    /// The variables with which a server lives in them.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let library = library().expect("there is one, or there were no surroundings");
        let text = |path: &Path| path.display().to_string();
        vec![("LD_PRELOAD".to_owned(), text(library)), ("SUITE_SURROUNDINGS".to_owned(), text(&self.path))]
    }

    /// Sets the time of day so many seconds ahead of the machine's.
    pub fn set_clock(&self, ahead: i64) {
        self.file.write_all_at(&ahead.to_ne_bytes(), 0).unwrap();
    }

    /// Lets so many seconds pass for whatever waits; it notices when it has something to do.
    pub fn pass(&self, seconds: i64) {
        self.file.write_all_at(&seconds.to_ne_bytes(), 8).unwrap();
    }

    /// Gives a host these addresses: one at each question, the last for good.
    pub fn name(&self, host: &str, addresses: &[&str]) {
        self.line(&format!("name {host} {}", addresses.join(" ")));
    }

    /// Leads whoever connects to port 443 of an address to a port of this machine.
    pub fn at(&self, address: &str, port: u16) {
        self.line(&format!("at {address} {port}"));
    }

    /// What is said of a host or an address last counts.
    fn line(&self, line: &str) {
        let subject = |line: &str| line.split(' ').nth(1).map(str::to_owned);
        let mut lines = self.lines.lock().unwrap();
        match lines.iter_mut().find(|known| subject(known) == subject(line)) {
            Some(known) => line.clone_into(known),
            None => lines.push(line.to_owned()),
        }
        let mut bytes = lines.join("\n").into_bytes();
        assert!(bytes.len() < SIZE - HEAD, "no room for more lines");
        bytes.resize(SIZE - HEAD, 0);
        self.file.write_all_at(&bytes, HEAD as u64).unwrap();
    }
}

/// The library, compiled once by each test program. Rust links with a C compiler, so there is one.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<(PathBuf, Folder)>> = OnceLock::new();
    let built = LIBRARY.get_or_init(|| {
        if !cfg!(target_os = "linux") {
            return None;
        }
        let folder = Folder::new();
        let path = folder.path("surroundings.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/preload/surroundings.c");
        let compiler =
            Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&path).arg(source).status();
        compiler.is_ok_and(|status| status.success()).then_some((path, folder))
    });
    built.as_ref().map(|(path, _)| path.as_path())
}
