//! Valet as a client of Microsoft Entra: what is sent to the token endpoint, what its answers mean, and how tokens are kept.
//!
//! Owns request bodies, the reading of answers and errors, and the sealing of tokens at rest. It sends nothing, stores nothing and reads no
//! clock; nonces are arguments.
#![forbid(unsafe_code)]

pub mod answer;
pub mod on_behalf_of;
pub mod sealed;

pub use secrecy::{ExposeSecret, SecretString};
