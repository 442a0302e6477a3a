//! Every reason for refusing a token, with the values that were compared.
//!
//! Each has two messages. The text of a [`TokenError`] is for the operator's log; what the caller is told follows from its [`Reason`], by the
//! table [`Reason::consequence`].
//!
//! Values are shown shortened, and with a question mark for whatever is not printable ASCII ([`shown`]): they are a stranger's.

use std::fmt;

use crate::limits::MAX_SHOWN;
use crate::reason::Reason;

/// Why a token was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    TooLarge {
        /// Its length in bytes.
        bytes: usize,
        /// The longest that is accepted.
        limit: usize,
    },
    /// Not a compact JWS of two JSON objects. Usually an opaque token, or one that was cut.
    Malformed {
        /// Which rule of the form was not met.
        what: &'static str,
    },
    /// A member of header or payload occurs twice, in any letter case: two readers could see two tokens.
    DuplicateMember {
        /// Its name as it is written the second time, shortened.
        member: String,
    },
    /// Header or payload has more members than any token of Entra.
    TooManyMembers {
        /// The most that are accepted.
        limit: usize,
    },
    /// Header or payload has more objects and arrays within each other than [`crate::MAX_DEPTH`].
    TooDeep {
        /// How many levels it has.
        levels: usize,
        /// The most that are accepted.
        limit: usize,
    },
    /// `alg` is missing or is not RS256. `none` and HMAC arrive here.
    Algorithm {
        /// What the header says, shortened.
        algorithm: String,
    },
    /// `typ` says that this is something other than an access token.
    Type {
        /// What the header says, shortened.
        kind: String,
    },
    /// A header parameter that is missing, is never accepted, or has the wrong type.
    HeaderParameter {
        /// Its name.
        parameter: &'static str,
        /// Its JSON text, shortened; `{...}` for an object, none if it is missing.
        found: Option<String>,
    },
    /// A token of Microsoft Graph: it belongs to Graph alone, and no one else can verify it.
    GraphToken,
    /// No key of the set has this `kid`. Usual after a key rollover.
    UnknownKey {
        /// The token's `kid`, shortened.
        key_id: String,
    },
    /// The key may not sign for the token's tenant. A consumer key under a work tenant's token arrives here.
    KeyIssuer {
        /// Issuer of the key, with the tenant filled in.
        key: String,
        /// Issuer that the token's tenant has.
        expected: String,
    },
    /// The signature does not belong to this token and key.
    Signature,
    /// The signature check does not support the key.
    UnsupportedKey,
    /// `ver` is neither `1.0` nor `2.0`.
    Version {
        /// What the token says, shortened.
        version: String,
    },
    /// A claim is missing, or has the wrong type or form.
    Claim {
        /// Its name.
        claim: &'static str,
        /// Its JSON text, shortened; `{...}` for an object, none if it is missing.
        found: Option<String>,
    },
    /// `iss` is not what the authority and the token's tenant give.
    Issuer {
        /// The token's `iss`, shortened.
        found: String,
        /// What it has to be.
        expected: String,
    },
    /// `tid` is not a tenant that may call.
    Tenant {
        /// The token's `tid`.
        found: String,
    },
    /// `azp` (v1: `appid`) is not a client application that may call.
    Client {
        /// The token's client.
        found: String,
    },
    /// `aud` is not this server. Usually a token for another API.
    Audience {
        /// The token's `aud`, shortened.
        found: String,
        /// What is accepted.
        expected: Vec<String>,
    },
    /// `exp` has passed.
    Expired {
        /// `exp`.
        expires_at: u64,
        /// The time of the check.
        now: u64,
    },
    /// `nbf` or `iat` lies ahead.
    NotYetValid {
        /// Which of the two.
        claim: &'static str,
        /// Its value.
        from: u64,
        /// The time of the check.
        now: u64,
    },
    /// `exp` is not after `nbf`: valid at no time.
    EmptyLifetime {
        /// `nbf`.
        not_before: u64,
        /// `exp`.
        expires_at: u64,
    },
    /// Neither `scp` nor `roles`, or `idtyp` contradicts them. An ID token arrives here. A token of ours without `scope` as well.
    NotAnAccessToken {
        /// How many scopes there are.
        scopes: usize,
        /// How many roles with a name there are.
        roles: usize,
        /// `idtyp`, shortened; none if it is missing.
        kind: Option<String>,
    },
    /// Bound to a key by `cnf`, and presented without proof.
    BoundToken,
    /// The rules themselves are unusable.
    UnusableRules {
        /// The setting at fault.
        setting: &'static str,
    },
}

impl TokenError {
    /// The rule that was not met.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::TooLarge { .. }
            | Self::TooDeep { .. }
            | Self::Malformed { .. }
            | Self::DuplicateMember { .. }
            | Self::TooManyMembers { .. }
            | Self::EmptyLifetime { .. } => Reason::Malformed,
            Self::Algorithm { .. }
            | Self::Type { .. }
            | Self::HeaderParameter { .. }
            | Self::GraphToken
            | Self::Version { .. } => Reason::Unsupported,
            Self::UnknownKey { .. } => Reason::UnknownKey,
            Self::KeyIssuer { .. } => Reason::KeyIssuerMismatch,
            Self::Signature => Reason::BadSignature,
            Self::Claim { .. } => Reason::MissingClaim,
            Self::Issuer { .. } => Reason::WrongIssuer,
            Self::Tenant { .. } => Reason::ForeignTenant,
            Self::Client { .. } => Reason::ForeignClient,
            Self::Audience { .. } => Reason::WrongAudience,
            Self::Expired { .. } => Reason::Expired,
            Self::NotYetValid { .. } => Reason::NotYetValid,
            Self::NotAnAccessToken { .. } => Reason::NotAnAccessToken,
            Self::BoundToken => Reason::BoundToken,
            Self::UnusableRules { .. } | Self::UnsupportedKey => Reason::UnusableConfiguration,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "the token has {bytes} bytes, more than {limit}"),
            Self::TooDeep { levels, limit } => write!(f, "nested {levels} levels deep, more than {limit}"),
            Self::Malformed { what } => write!(f, "not a compact JWS: {what}"),
            Self::DuplicateMember { member } => write!(f, "member `{member}` occurs twice"),
            Self::TooManyMembers { limit } => write!(f, "more than {limit} members"),
            Self::Algorithm { algorithm } => write!(f, "alg `{algorithm}` is not RS256"),
            Self::Type { kind } => write!(f, "typ `{kind}` is not that of an access token"),
            Self::HeaderParameter { parameter, found: None } => {
                write!(f, "header parameter `{parameter}` is missing")
            }
            Self::HeaderParameter { parameter, found: Some(found) } => {
                write!(f, "header parameter `{parameter}` is not accepted: `{found}`")
            }
            Self::GraphToken => write!(f, "a Microsoft Graph token, which only Graph can accept"),
            Self::UnknownKey { key_id } => write!(f, "no key has kid `{key_id}`"),
            Self::KeyIssuer { key, expected } => write!(f, "the key signs for `{key}`, not for `{expected}`"),
            Self::Signature => write!(f, "the signature does not verify"),
            Self::UnsupportedKey => write!(f, "the signature check does not support the key"),
            Self::Version { version } => write!(f, "ver `{version}` is neither 1.0 nor 2.0"),
            Self::Claim { claim, found: None } => write!(f, "claim `{claim}` is missing"),
            Self::Claim { claim, found: Some(found) } => write!(f, "claim `{claim}` is malformed: `{found}`"),
            Self::Issuer { found, expected } => write!(f, "iss `{found}` is not `{expected}`"),
            Self::Tenant { found } => write!(f, "tid `{found}` is not among the tenants that may call"),
            Self::Client { found } => {
                write!(f, "client `{found}` is not among the applications that may call")
            }
            Self::Audience { found, expected } => write!(f, "aud `{found}` is none of {expected:?}"),
            Self::Expired { expires_at, now } => write!(f, "exp {expires_at} is not after {now}"),
            Self::NotYetValid { claim, from, now } => write!(f, "{claim} {from} is after {now}"),
            Self::EmptyLifetime { not_before, expires_at } => {
                write!(f, "exp {expires_at} is not after nbf {not_before}")
            }
            Self::NotAnAccessToken { scopes, roles, kind } => {
                let kind = kind.as_deref().unwrap_or("none");
                write!(f, "{scopes} scopes, {roles} roles and idtyp `{kind}` make no access token")
            }
            Self::BoundToken => write!(f, "bound to a key (cnf) and presented as a plain bearer token"),
            Self::UnusableRules { setting } => write!(f, "the verifier's setting `{setting}` is unusable"),
        }
    }
}

impl std::error::Error for TokenError {}

/// A hostile text cut to what a log line can carry.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}
