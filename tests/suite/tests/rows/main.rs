//! Bad requests and bad crowds, a row each: whatever comes, the answer is the one named here, the next good call works, and the server keeps
//! its size. `http.toml` and `mcp.toml` are the rows that are one request; `crowd.rs` has those that are many clients.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod crowd;
mod http;
mod mcp;
mod size;
