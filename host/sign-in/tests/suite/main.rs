//! The sign-in against the emulator: real HTTPS, a real loopback listener, a scripted person.
//!
//! What needs a desktop's services (keychain, broker) starts them on a private bus; where a machine has not got them, the test says aloud
//! that it was not run.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

#[path = "../../../../tests/suite/src/absent/mod.rs"]
mod absent;
mod accounts;
mod authority;
mod broker;
mod browser;
mod bus;
mod cache;
mod challenge;
mod device;
mod elsewhere;
mod fake_broker;
mod keychain;
mod listener;
mod log;
mod msal;
mod order;
mod person;
mod processes;
mod rig;
mod runtime;
mod terminal;
