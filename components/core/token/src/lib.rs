//! Verification of Microsoft Entra access tokens: from a compact JWS to a [`Verified`] caller, or a [`TokenError`].
//!
//! The crate owns every rule that decides whether a token is good. It does no I/O, reads no clock and holds no state: the
//! key set, the rules and the time are arguments, and the RSA arithmetic is lent through [`SignatureCheck`]. It does not decide
//! what a verified caller may do.
//!
//! The order of the checks is the order of trust: size and shape, then header, then key, then signature, and only then a
//! single look at the claims. Nothing that the token says is believed before its signature is.
//!
//! # An Entra token in ten lines
//!
//! ```
//! # use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};
//! # use valet_core_token::{KeySet, RsaKey, Rules, SignatureCheck, SignatureFailure, TokenError, verify};
//! # struct AwsLc;
//! # impl SignatureCheck for AwsLc {
//! #     fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
//! #         PublicKeyComponents { n: &key.n, e: &key.e }
//! #             .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
//! #             .map_err(|_| SignatureFailure::Mismatch)
//! #     }
//! # }
//! # let (key, now) = (valet_minting::key(), 1_800_000_000);
//! # let jwks = format!(r#"{{"keys":[{}]}}"#, valet_minting::jwk(&key, valet_minting::KEY_ID));
//! # let token = valet_minting::mint(&key, &valet_minting::header(), &valet_minting::claims(now));
//! let rules = Rules {
//!     authority: "https://login.microsoftonline.com",
//!     v1_authority: "https://sts.windows.net",
//!     tenants: &["72f988bf-86f1-41af-91ab-2d7cd011db47"],       // yours
//!     audiences: &["11111111-2222-3333-4444-555555555555"],     // your application's client id
//!     clients: None,
//!     leeway: 60,
//! };
//! let keys = KeySet::parse(&jwks)?; // the body of {authority}/{tenant}/discovery/v2.0/keys; `key_cache` says when to fetch it
//! let caller = verify(&token, &keys, &rules, now, &AwsLc)?.into_caller();
//! # assert_eq!(caller.scopes, ["Mail.Read", "access_as_user"]);
//! # let later = verify(&token, &keys, &rules, now + 86_400, &AwsLc);
//! # assert_eq!(later, Err(TokenError::Expired { expires_at: now + 3600, now: now + 86_400 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The RSA arithmetic is any library's; with aws-lc-rs:
//!
//! ```
//! use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};
//! use valet_core_token::{RsaKey, SignatureCheck, SignatureFailure};
//!
//! struct AwsLc;
//! impl SignatureCheck for AwsLc {
//!     fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
//!         PublicKeyComponents { n: &key.n, e: &key.e }
//!             .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
//!             .map_err(|_| SignatureFailure::Mismatch)
//!     }
//! }
//! ```
//!
//! # What is refused, and why
//!
//! Each is a variant of [`TokenError`] with the compared values. Its text is for a log; [`TokenError::reason`] leads to the table of audit words and
//! answers, [`Reason::consequence`].
//!
//! | refused | why | source |
//! |---|---|---|
//! | more than 16 KiB, 128 members or 32 levels | a stranger's text must cost little | RFC 8259 §9 |
//! | not three segments, another spelling of base64url, a member twice | one token has one reading | RFC 7515 §2 and §4, RFC 7519 §4 |
//! | an algorithm other than RS256 | the verifier fixes the algorithm; Entra uses one | RFC 8725 §3.1 |
//! | `jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`, `enc`, `zip`, `cty` | the token must not choose its key or its reading | RFC 8725 §3.10, RFC 7515 §4.1.11 |
//! | `nonce` in the header | a token of Microsoft Graph, which only Graph can verify | Entra, "Access tokens" |
//! | a `typ` of another kind of token | `id+jwt` and the like are no access tokens, an `at+jwt` has its own rules ([`verify_at_jwt`]) | RFC 8725 §3.11 and §3.12 |
//! | a `kid` that no key of the set has | keys come from the authority alone, and by name | RFC 8725 §3.10, Entra, "Signing key rollover" |
//! | a signature that does not verify | anybody could have written the rest | RFC 7515 §5.2, RFC 7518 §3.3 |
//! | a key of another issuer | a key for personal accounts must not sign for a company | Entra, "Claims validation" |
//! | `cnf` | bound to a key, so it proves nothing by itself | RFC 7800 §3 |
//! | `exp`, `nbf`, `iat`, `aud`, `iss`, `tid`, `oid`, `azp`/`appid` or `ver` absent or of another type | an absent claim must not pass for a good one | RFC 7519 §4.1 |
//! | `tid`, `oid` or client in another spelling than a GUID in lower case | one user has one name in policies and records | Entra writes no other |
//! | after `exp`, before `nbf` or `iat`, beyond the leeway of at most 300 s; `exp` not after `nbf` | a token ends, and a clock that differs more is wrong | RFC 7519 §4.1.4 to §4.1.6 |
//! | an issuer that is not exactly that of version and tenant, a tenant, client or audience that is not listed | compared whole, never as patterns | Entra, "Claims validation" |
//! | neither `scp` nor `roles` | an ID token would otherwise pass | Entra, "Claims validation" |
//!
//! Names and mail addresses are never compared: a user is `tid` and `oid`. Keys are as strictly kept, see [`KeySet`]; an authority's documents are
//! pinned to its issuer and host, see [`key_cache`].
#![forbid(unsafe_code)]

mod at_jwt;
mod claims;
mod error;
mod hint;
mod json;
mod jwt;
pub mod key_cache;
mod keys;
mod limits;
mod reason;
mod rules;
pub mod settings;
mod verify;

#[cfg(test)]
mod tests;

pub use at_jwt::AtJwtRules;
pub use claims::{Caller, Kind};
pub use error::TokenError;
pub use hint::{Hint, hint};
pub use keys::{KeySet, KeySetError, RsaKey, SignatureCheck, SignatureFailure};
pub use limits::{MAX_DEPTH, MAX_KEYS, MAX_LEEWAY, MAX_TOKEN_BYTES};
pub use reason::{Consequence, Outcome, Reason};
pub use rules::Rules;
pub use verify::{Verified, verify, verify_at_jwt};
