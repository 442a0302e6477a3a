//! Another user of the machine, for what only the owner of something may do.

use crate::absent::not_run;

/// The user `nobody` of most systems. It owns nothing of ours.
pub const STRANGER: u32 = 65_534;

/// Does something as [`STRANGER`]; none where that cannot be, which is said aloud.
#[must_use]
pub fn as_stranger<T: Send>(act: impl FnOnce() -> T + Send) -> Option<T> {
    if !cfg!(target_os = "linux") || !rustix::process::geteuid().is_root() {
        not_run("only root can act as another user, and only Linux has a user for each thread");
        return None;
    }
    // A thread of its own, which ends with what it did.
    let stranger = || {
        become_stranger();
        act()
    };
    Some(std::thread::scope(|scope| scope.spawn(stranger).join().unwrap()))
}

#[cfg(target_os = "linux")]
fn become_stranger() {
    rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(STRANGER)).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn become_stranger() {}
