//! An OAuth 2.1 authorization server for MCP clients, in front of Microsoft Entra ID.
#![forbid(unsafe_code)]

pub mod account;
pub mod at_jwt;
pub mod authorize;
pub mod callback;
pub mod client;
pub mod code;
pub mod consent;
pub mod cookie;
pub mod document;
pub mod error;
pub mod facade;
pub mod form;
mod html;
pub mod http;
pub mod limits;
pub mod metadata;
pub mod page;
pub mod pkce;
pub mod redirect;
pub mod refresh;
pub mod registration;
pub mod revoke;
pub mod route;
pub mod scope;
pub mod secret;
pub mod settings;
pub mod sign_out;
pub mod token;
pub mod transaction;
mod uri;
pub mod user;

#[cfg(test)]
mod testing;

pub use secrecy::{ExposeSecret, SecretString};
pub use uri::UriError;
