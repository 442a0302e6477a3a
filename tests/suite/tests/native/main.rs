//! The native layout from outside: `valet serve`, the emulator beside it, HTTPS in front.
//!
//! Each refusal is an otherwise perfect request with one thing wrong, and is followed by a good call that works. Every server ends with a
//! search of its log for tokens and secrets.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod answers;
mod bearer;
mod config;
mod documented;
mod downstream;
mod elsewhere;
mod fixtures;
mod good;
mod hosts;
mod keys;
mod lifecycle;
mod message;
mod permitted;
mod register;
mod rollover;
mod secrecy;
mod shapes;
mod stdio;
mod stream;
mod tenants;
mod transport;
