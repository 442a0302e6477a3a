//! The emulator from outside, over HTTPS: flows, refusals, token shapes, Graph, faults, keys.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod admin;
mod bench;
mod command;
mod faults_plan;
mod faults_wire;
mod flows;
mod graph;
mod keys;
mod listener;
mod pages;
mod refusals;
mod shapes;
