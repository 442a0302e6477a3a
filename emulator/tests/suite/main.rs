//! The emulator from outside, over HTTPS: flows, refusals, token shapes, Graph, faults, keys.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod bench;
mod flows;
mod graph;
mod identities;
mod instances;
mod keys;
mod pages;
mod realms;
mod refusals;
mod resources;
mod sample_checks;
mod shapes;
mod token_credentials;
mod token_rules;
mod token_table;
