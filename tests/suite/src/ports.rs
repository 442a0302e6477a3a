//! Ports for servers of tests. `host/store` has this file among its tests too.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// A port at which nobody listens, below those that the system gives to whoever connects or asks for any (Linux: from 32768). One of those could be given to
/// a test beside this one before the server has it.
pub(crate) fn free() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(process::id() % 12_000).unwrap();
    loop {
        let port = 20_000 + (begin + TAKEN.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
