//! The emulator from outside, over HTTPS: flows, refusals, token shapes, Graph, faults, keys.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod bench;
mod flows;
mod graph;
mod graph_access;
mod graph_batches;
mod graph_client;
mod graph_queries;
mod graph_resources;
mod graph_writes;
mod keys;
mod pages;
mod refusals;
mod shapes;
