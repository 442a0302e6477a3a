//! The Model Context Protocol as a pure function: bytes and header fields in, typed calls and bytes out.
//!
//! Owned here: the transport rules of Streamable HTTP, finding a bearer token, reading one JSON-RPC message of any
//! revision we speak, writing results and errors, RFC 9728 metadata and `WWW-Authenticate` challenges. Deliberately
//! not here: whether a token is good (`core/token`), who may call what (`core/policy`), running a tool, time,
//! randomness and I/O of any kind.
//!
//! A shell uses it in this order:
//!
//! 1. [`http::TransportRules::check`]: is this a request that a browser of a third party could not have forged?
//! 2. [`bearer::bearer`]: no token, one token, or something to refuse. Authenticate before reading the body.
//! 3. [`read`](read()): the one place where a body is parsed. What comes out is typed and borrowed from the body.
//! 4. [`reply`]: what to answer, for each [`Call`], in the revision that the client speaks.
//!
//! Rules are cited as `MCP` plus a page of the specification of 2026-07-28, or as an RFC and its section.
#![forbid(unsafe_code)]

pub mod bearer;
pub mod challenge;
pub mod fault;
pub mod http;
pub mod limits;
pub mod message;
pub mod protected_resource;
pub mod reply;
pub mod revision;
pub mod tool;

mod agreement;
mod authority;
mod envelope;
mod fields;
mod json;
mod reader;
mod strict;
mod values;

pub use fault::{Fault, HeaderProblem, RpcError};
pub use message::{Call, CallTool, Context, Id, Initialize, Message, Notification, Request};
pub use reader::{read, read_message};
pub use reply::{Reply, Server};
pub use revision::Revision;
