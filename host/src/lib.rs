//! The Valet host: runs the composed components, lends them their capabilities, and speaks HTTPS.
//!
//! It knows WASI, framing and operating systems. It never parses a token, an MCP message or a policy: that is the components' work, and
//! what they can reach is exactly what [`capabilities`] links.
//!
//! To embed it: read a [`config::Config`], make a [`runtime::Runtime`] of it, and give requests to [`runtime::Runtime::handle`], or
//! serve them with [`server::Server`] or [`stdio::serve`].
#![forbid(unsafe_op_in_unsafe_fn)]

#[cfg(unix)]
pub mod administration;
#[cfg(not(unix))]
#[path = "administration/absent.rs"]
pub mod administration;
pub mod artifact;
pub mod capabilities;
pub mod commands;
pub mod config;
pub mod egress;
pub mod engine;
pub mod limits;
pub mod local;
mod parts;
#[cfg(feature = "portable")]
pub mod portable;
pub mod runtime;
pub mod seal;
pub mod server;
pub mod signing_key;
pub mod stdio;
pub mod telemetry;

pub use valet_store as store;
