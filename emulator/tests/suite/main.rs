//! The emulator from outside, over HTTPS: flows, refusals, token shapes, Graph, faults, keys.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod bench;
mod flows;
mod graph;
mod keys;
mod pages;
mod refusals;
mod shapes;
mod token_credentials;
mod token_rules;
mod token_table;
