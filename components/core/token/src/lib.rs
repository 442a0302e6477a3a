//! Verification of Microsoft Entra access tokens: from a compact JWS to a [`Verified`] caller, or a [`TokenError`].
//!
//! The crate owns every rule that decides whether a token is good. It does no I/O, reads no clock and holds no state: the
//! key set, the rules and the time are arguments, and the RSA arithmetic is lent through [`SignatureCheck`]. It does not decide
//! what a verified caller may do.
//!
//! The order of the checks is the order of trust: size and shape, then header, then key, then signature, and only then a
//! single look at the claims. Nothing that the token says is believed before its signature is.
//!
//! ```
//! use valet_core_token::{verify, KeySet, RsaKey, Rules, SignatureCheck, SignatureFailure, TokenError};
//!
//! struct MyCrypto; // in earnest: aws-lc-rs, ring, rsa …
//! impl SignatureCheck for MyCrypto {
//!     fn rs256(&self, _: &RsaKey, _: &[u8], _: &[u8]) -> Result<(), SignatureFailure> {
//!         Err(SignatureFailure::Mismatch)
//!     }
//! }
//!
//! let keys = KeySet::parse(r#"{"keys":[]}"#)?;
//! let rules = Rules {
//!     authority: "https://login.microsoftonline.com",
//!     v1_authority: "https://sts.windows.net",
//!     tenants: &["72f988bf-86f1-41af-91ab-2d7cd011db47"],
//!     audiences: &["11111111-2222-3333-4444-555555555555"],
//!     clients: None,
//!     leeway: 60,
//! };
//! let refused = verify("not a token", &keys, &rules, 1_800_000_000, &MyCrypto);
//! assert!(matches!(refused, Err(TokenError::Malformed { .. })));
//! # Ok::<(), valet_core_token::KeySetError>(())
//! ```
#![forbid(unsafe_code)]

mod at_jwt;
mod claims;
mod error;
mod hint;
mod json;
mod jwt;
pub mod key_cache;
mod keys;
mod rules;
pub mod settings;
mod verify;

#[cfg(test)]
mod tests;

pub use at_jwt::AtJwtRules;
pub use claims::{Caller, Kind};
pub use error::{Reason, TokenError};
pub use hint::{Hint, hint};
pub use keys::{KeySet, KeySetError, RsaKey, SignatureCheck, SignatureFailure};
pub use rules::{MAX_LEEWAY, Rules};
pub use verify::{Verified, verify, verify_at_jwt};

/// Longest token that is looked at, in bytes. Entra's access tokens are 1.2 to 3 kB; with 200 group ids about 9 kB. What is
/// longer would only cost time.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
