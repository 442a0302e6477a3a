//! A file system of a test's own, small enough to be filled, that can be made read-only. It takes root.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::absent::not_run;
use crate::config::Folder;

/// A mounted file system.
pub struct SmallDisk(Folder);

impl SmallDisk {
    /// One of so many megabytes; none where it cannot be mounted, which is said aloud.
    #[must_use]
    pub fn mount(megabytes: u32) -> Option<Self> {
        let disk = Self(Folder::new());
        if disk.mounted(&format!("size={megabytes}m")) {
            return Some(disk);
        }
        not_run("a small file system cannot be mounted here; it takes root");
        None
    }

    fn mounted(&self, options: &str) -> bool {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(self.path("."));
        mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// The path of a file on it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// Takes all space, with a file of somebody else's.
    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.path("foreign")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Gives it back.
    pub fn clear(&self) {
        std::fs::remove_file(self.path("foreign")).unwrap();
    }

    /// Makes it read-only, or writable again. No file on it may be open for writing.
    pub fn set_read_only(&self, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        let status = Command::new("mount").args(["-o", options]).arg(self.path(".")).status();
        assert!(status.is_ok_and(|status| status.success()), "{options}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still in use goes when it no longer is.
        let _ = Command::new("umount").arg("--lazy").arg(self.path(".")).status();
    }
}
