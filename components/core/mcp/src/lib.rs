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
//! 4. [`Server`] and [`Reply`]: what to answer, for each [`Call`], in the revision that the client speaks.
//!
//! What a tool pack hands over is text to it as well, and is checked before it is spliced into an answer: definitions
//! ([`definition`]), results ([`pack`]), requests for input ([`input`]).
//!
//! Rules are cited as `MCP` plus a page of the specification of 2026-07-28, or as an RFC and its section.
#![forbid(unsafe_code)]

pub mod bearer;
pub mod challenge;
pub mod definition;
pub mod fault;
pub mod http;
pub mod input;
pub mod limits;
pub mod log;
pub mod message;
pub mod mirrored;
pub mod notification;
pub mod pack;
pub mod page;
pub mod protected_resource;
pub mod reply;
pub mod revision;
pub mod server;

mod agreement;
mod authority;
mod calls;
mod cors;
mod envelope;
mod fields;
mod json;
mod meta;
mod object;
mod reader;
mod strict;
mod values;

pub use definition::Definition;
pub use fault::{Fault, HeaderProblem, RpcError};
pub use message::{Call, CallTool, Context, Id, Initialize, Message, Notification, Request};
pub use page::List;
pub use reader::{Kind, inspect, read, read_message};
pub use reply::Reply;
pub use revision::Revision;
pub use server::{Offers, Server};
