//! Valet as a client of Microsoft Entra: what is sent to it, what its answers mean, and how tokens are kept.
//!
//! Owns the requests to the authorization, device authorization and token endpoints, the reading of answers, errors and ID tokens, and
//! the sealing of tokens at rest. It sends nothing, stores nothing and reads no clock; time and random bytes are arguments.
//!
//! | grant | request | answer |
//! |---|---|---|
//! | authorization code | [`authorize`] with [`pkce`], then [`redeem`] | [`authorize::read`], then [`answer::read_tokens`] |
//! | refresh token | [`refresh`] | [`answer::read_tokens`] |
//! | device code | [`device_code`] | [`device_code::read_codes`], [`device_code::read_poll`] |
//! | on-behalf-of | [`on_behalf_of`] | [`answer::read`] |
//!
//! Who signed in is told by [`id_token`].
#![forbid(unsafe_code)]

pub mod answer;
pub mod authorize;
pub mod claims;
mod credential;
pub mod device_code;
pub mod forwarded;
pub mod id_token;
pub mod kept;
pub mod limits;
pub mod on_behalf_of;
pub mod pkce;
pub mod redeem;
pub mod refresh;
pub mod sealed;
pub mod session;

pub use credential::{Client, ClientCredential};

/// The scopes by which a user's sign-in is asked for, beside those of an API: who they are, their names, and a refresh token
/// (OpenID Connect Core sections 5.4 and 11).
pub const OPENID_SCOPES: [&str; 3] = ["openid", "profile", "offline_access"];

/// [`OPENID_SCOPES`], and after them the `scopes` of an API.
#[must_use]
pub fn with_openid(scopes: &[String]) -> Vec<&str> {
    OPENID_SCOPES.into_iter().chain(scopes.iter().map(String::as_str)).collect()
}

pub use secrecy::{ExposeSecret, SecretString};
