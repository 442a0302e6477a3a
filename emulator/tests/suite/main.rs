//! The emulator from outside, over HTTPS: flows, refusals, token shapes, Graph, faults, keys.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod admin;
mod bench;
mod browser;
mod command;
mod dashboard;
mod devices;
mod faults_plan;
mod faults_wire;
mod flows;
mod graph;
mod graph_access;
mod graph_batches;
mod graph_client;
mod graph_queries;
mod graph_resources;
mod graph_writes;
mod hosts;
mod identities;
mod instances;
mod keys;
mod listener;
mod managed_identity;
mod pages;
mod policies_on_pages;
mod realms;
mod refusals;
mod resources;
mod sample_checks;
mod shapes;
mod sign_in_pages;
mod token_credentials;
mod token_rules;
mod token_table;
mod vault;
