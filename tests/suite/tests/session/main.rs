//! Sign-in through our own authorization server, from outside: a browser without a screen, an OAuth client, the emulator, `valet serve`.
//!
//! Each refusal is an otherwise perfect flow with one thing wrong, and is followed by a good one that works.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod absent;
mod addresses;
mod administration;
mod bound;
mod callback;
mod cases;
mod claims;
mod clock;
mod consent;
mod crash;
mod documents;
mod facade;
mod faults;
mod fields;
mod floods;
mod flow;
mod id_token;
mod meanwhile;
mod metadata;
mod redirects;
mod refresh;
mod refusals;
mod registrations;
mod sealing_keys;
mod secrecy;
mod shared;
mod sign_out;
mod signing_keys;
mod site;
mod step_up;
mod store;
mod tenants;
mod two_servers;

use valet_suite::Rig;
use valet_suite::rig::{emulator, shared_emulator};

/// A server with our own authorization server, and the shared emulator.
async fn rig() -> Rig {
    Rig::start_with(shared_emulator().await, |config| config.with_sessions()).await
}

/// The same with an emulator of its own, for faults, clocks and policies.
async fn own_rig() -> Rig {
    Rig::start_with(emulator().await, |config| config.with_sessions()).await
}
