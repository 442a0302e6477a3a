//! What is fuzzed, as plain functions of bytes: they return for every input, and panic where a property does not hold.
//!
//! `cargo xtask fuzz` gives them to libFuzzer; `cargo test -p valet-fuzz` gives them the seeds, the corpus in `corpus/`, and small injuries of
//! both. Signatures are believed here, so that what lies behind them is reached.

mod authorization;
mod keys;
mod seeds;
mod token;

pub use seeds::seeds;

/// A target: its name, the function, and the longest input in bytes that says anything.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name on the command line and in `corpus/`.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
    /// A little past the limit of what it tests.
    pub max_len: usize,
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target { name: "token", run: token::token, max_len: 17 * 1024 },
    Target { name: "header", run: token::header, max_len: 4096 },
    Target { name: "claims", run: token::claims, max_len: 4096 },
    Target { name: "at-jwt-claims", run: token::at_jwt_claims, max_len: 4096 },
    Target { name: "key-set", run: keys::key_set, max_len: 16 * 1024 },
    Target { name: "documents", run: keys::documents, max_len: 16 * 1024 },
    Target { name: "authorization", run: authorization::authorization, max_len: 20 * 1024 },
];

/// The target called `name`.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
