//! The emulator from outside, over HTTPS: flows, refusals, token shapes, Graph, faults, keys.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod bench;
mod flows;
mod graph;
mod hosts;
mod keys;
mod managed_identity;
mod pages;
mod refusals;
mod shapes;
mod vault;
