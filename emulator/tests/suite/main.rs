//! The emulator from outside, over HTTPS: flows, refusals, token shapes, Graph, faults, keys.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod bench;
mod browser;
mod dashboard;
mod devices;
mod flows;
mod graph;
mod keys;
mod pages;
mod refusals;
mod shapes;
mod sign_in_pages;
