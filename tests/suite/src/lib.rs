//! What the end-to-end tests share: a rig of the emulator and the real command, a client that can be wrong in one chosen way, and the one
//! check of refusals. No test is here, and nothing of the product is linked: what is tested is what is shipped.
#![expect(clippy::unwrap_used, reason = "a harness that panics fails the test, which is what it should do")]

mod absent;
pub mod ask;
pub mod browser;
pub mod certificates;
pub mod check;
pub mod config;
pub mod desk;
pub mod log;
pub mod oauth;
mod ports;
pub mod process;
pub mod redis;
pub mod rig;
pub mod small_disk;
pub mod stand_in;
pub mod stdio;
pub mod stranger;
pub mod surroundings;
pub mod troubles;
pub mod wire;

pub use ask::{Answer, Ask};
pub use rig::{Rig, run};
