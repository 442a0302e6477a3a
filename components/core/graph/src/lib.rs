//! Microsoft Graph as values: which request a tool makes, whether it may go out, and what of the answer is shown.
//!
//! Owns paths, `$select` lists, the shaping of resources and errors, and the rules for what may be sent. It sends nothing and knows no token.
#![forbid(unsafe_code)]

pub mod call;
pub mod challenge;
pub mod error;
pub mod profile;

/// The delegated permission `User.Read`, fully qualified. Named by Graph's own resource whatever host serves it.
pub const USER_READ: &str = "https://graph.microsoft.com/User.Read";
