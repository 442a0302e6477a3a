//! Verification of Microsoft Entra access tokens: from a compact JWS to a [`Verified`] caller, or a [`TokenError`].
//!
//! The crate owns every rule that decides whether a token is good. It does no I/O, reads no clock and holds no state: the
//! key set, the rules and the time are arguments, and the RSA arithmetic is lent through [`SignatureCheck`]. It does not decide
//! what a verified caller may do.
//!
//! The order of the checks is the order of trust: size and shape, then header, then key, then signature, and only then a
//! single look at the claims. Nothing that the token says is believed before its signature is: how deep the payload is nested, how many members it
//! has and whether one occurs twice is judged behind it too.
//!
//! # An Entra token in ten lines
//!
//! ```
//! use valet_core_token::{Caller, KeySet, Rules, verify};
//! # use aws_lc_rs::{rsa::PublicKeyComponents, signature::RSA_PKCS1_2048_8192_SHA256};
//! # use valet_core_token::{RsaKey, SignatureCheck, SignatureFailure, TokenError};
//! # struct AwsLc;
//! # impl SignatureCheck for AwsLc {
//! #     fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure> {
//! #         PublicKeyComponents { n: &key.n, e: &key.e }
//! #             .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
//! #             .map_err(|_| SignatureFailure::Mismatch)
//! #     }
//! # }
//!
//! fn caller(token: &str, jwks: &str, now: u64) -> Result<Caller, Box<dyn std::error::Error>> {
//!     let rules = Rules {
//!         authority: "https://login.microsoftonline.com",
//!         v1_authority: "https://sts.windows.net",
//!         tenants: &["72f988bf-86f1-41af-91ab-2d7cd011db47"],       // yours
//!         audiences: &["11111111-2222-3333-4444-555555555555"],     // your application's client id
//!         clients: None,
//!         leeway: 60,
//!     };
//!     let keys = KeySet::parse(jwks)?;
//!     Ok(verify(token, &keys, &rules, now, &AwsLc)?.into_caller())
//! }
//! # let (key, now) = (valet_minting::key(), 1_800_000_000);
//! # let jwks = format!(r#"{{"keys":[{}]}}"#, valet_minting::jwk(&key, valet_minting::KEY_ID));
//! # let token = valet_minting::mint(&key, &valet_minting::header(), &valet_minting::claims(now));
//! # assert_eq!(caller(&token, &jwks, now).unwrap().scopes, ["Mail.Read", "access_as_user"]);
//! # let later = caller(&token, &jwks, now + 86_400).unwrap_err();
//! # assert_eq!(later.downcast_ref(), Some(&TokenError::Expired { expires_at: now + 3600, now: now + 86_400 }));
//! ```
//!
//! `token` is what stands behind `Bearer `, `now` the seconds since the Unix epoch, `jwks` the body of `{authority}/{tenant}/discovery/v2.0/keys`; [`key_cache`] says
//! when to fetch it. The RSA arithmetic, `AwsLc` here, is any library's; with aws-lc-rs:
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
//! Each has a variant of [`TokenError`], with the compared values where there are any. Its text is for a log; [`TokenError::reason`] leads to the table of audit words and
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
//! | `kid` absent, no text, empty or longer than 256 bytes | it is how the key is found, and a name of sane length | RFC 7515 §4.1.4 |
//! | a `kid` that no key of the set has | keys come from the authority alone, and by name | RFC 8725 §3.10, Entra, "Signing key rollover" |
//! | a signature that does not verify | anybody could have written the rest | RFC 7515 §5.2, RFC 7518 §3.3 |
//! | a key that the lent check does not support (`UnsupportedKey`) | a fault of the configuration, not of the token | our own |
//! | a key of another issuer | a key for personal accounts must not sign for a company | Entra, "Claims validation" |
//! | `cnf` | bound to a key, so it proves nothing by itself | RFC 7800 §3 |
//! | `exp`, `nbf`, `iat`, `aud`, `iss`, `tid`, `oid`, `azp`/`appid` or `ver` absent or of another type | an absent claim must not pass for a good one | RFC 7519 §4.1 |
//! | `ver` other than `1.0` and `2.0` | each version has its own issuer and client claim | Entra, "Access token claims" |
//! | `sub`, `jti`, `name`, `uti` or `idtyp` that is no text, `roles` that is no list of texts | of another type, this is no set of claims | RFC 7519 §4.1.2 and §4.1.7, Entra, "Access token claims" |
//! | `scp` that is no text, or has other characters than printable ASCII without `"` and `\` between spaces | a tab separates nothing | RFC 6749 §3.3 |
//! | `tid`, `oid` or client in another spelling than a GUID in lower case | one user has one name in policies and records | Entra writes no other |
//! | after `exp`, before `nbf` or `iat`, beyond the leeway of at most 300 s; `exp` not after `nbf` | a token ends, and a clock that differs more is wrong | RFC 7519 §4.1.4 to §4.1.6 |
//! | an issuer that is not exactly that of version and tenant, a tenant, client or audience that is not listed | compared whole, never as patterns | Entra, "Claims validation" |
//! | neither `scp` nor `roles`, or an `idtyp` that contradicts them | an ID token would otherwise pass, or an application for a user | Entra, "Claims validation" |
//! | rules that would check nothing (`UnusableRules`) | an empty list is a mistake, not "anybody" | our own |
//!
//! [`verify_at_jwt`] has the rules of form, header, signature and time, and these of its own:
//!
//! | refused | why | source |
//! |---|---|---|
//! | no `typ` `at+jwt` | kinds of token exclude each other | RFC 9068 §4 |
//! | a key whose `issuer` is somebody else | a key signs for one issuer | RFC 8725 §3.8 |
//! | `iss`, `aud`, `iat`, `exp`, `tid` or `oid` absent or of another type; `sub` or `jti` that is no text or empty; `iss` or `aud` that is not exactly ours | the profile's required claims, compared whole | RFC 9068 §2.2 and §4 |
//! | `client_id` absent, empty, longer than 1,024 bytes or not printable ASCII | it may be a URL, and goes into audit records | RFC 6749 appendix A.1 |
//! | `sid` absent, empty, longer than 128 bytes or not printable ASCII | the session of a token of ours can be ended before the token | our own |
//! | `scope` absent, blank, or of other characters than a scope has | it would permit nothing | RFC 9068 §2.2.3, RFC 6749 §3.3 |
//! | `cnf` | bound to a key, so it proves nothing by itself | RFC 7800 §3 |
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
