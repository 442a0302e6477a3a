//! JSON Web Key Sets (RFC 7517 section 5), as Entra serves them, and the check that a key is lent to.
//!
//! Owns key hygiene. It does not fetch: see [`crate::key_cache`] for when to.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::TokenError;
use crate::json::Object;
use crate::limits::MAX_KEYS;

/// Sizes of RSA moduli in bytes, of which the first bit is set: 2048 to 4096 bits. Below is breakable (NIST SP 800-131A), above only costs time, and
/// sizes between whole bytes are made by no authority and not taken by the signature checks.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// 65537 in base64url, the only public exponent that Entra uses. Others (1, 3, even numbers) are classic forgeries.
const EXPONENT: &str = "AQAB";

/// An RSA public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaKey {
    /// Modulus, big-endian, without leading zero bytes.
    pub n: Vec<u8>,
    /// Public exponent, big-endian, without leading zero bytes.
    pub e: Vec<u8>,
}

/// The signature arithmetic that the caller of [`crate::verify`] lends.
pub trait SignatureCheck {
    /// Succeeds only if `signature` is a valid RS256 signature (RFC 7518 section 3.3) of `message` under `key`.
    fn rs256(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureFailure>;
}

/// Why a [`SignatureCheck`] refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFailure {
    /// The key's size or exponent is not one that the check supports.
    UnsupportedKey,
    /// The signature does not verify.
    Mismatch,
}

/// A usable key set: every key in it is an RSA signing key of sound size with a `kid` of its own.
///
/// A key is passed over, as RFC 7517 section 5 has it, unless
/// - `kty` is `RSA` and the modulus has 2048 to 4096 bits in whole bytes (NIST SP 800-131A asks for 2048), is odd, and is written in canonical
///   base64url without leading zero (RFC 7518 section 6.3.1.1);
/// - the public exponent is 65537, the only one that Entra uses;
/// - `use` is `sig`, `alg` is `RS256` and `key_ops` has `verify`, where they are present (RFC 7517 sections 4.2 to 4.4);
/// - it has a `kid`, since tokens name their key by it (RFC 7517 section 4.5).
///
/// A document is refused whole where no honest authority would serve it: more than [`crate::MAX_KEYS`] keys (Entra's guidance on rollover is to be able to
/// hold 10 to 1000), one `kid` for two keys that could sign, a symmetric key, or a member twice among those that are read ([`KeySetError`]).
#[derive(Debug, Clone)]
pub struct KeySet<'a> {
    keys: Vec<Key<'a>>,
    /// How many keys the document has, with those that are passed over.
    listed: usize,
}

/// A usable key, and the same decoded: once a set, not once a token.
#[derive(Debug, Clone)]
struct Key<'a> {
    jwk: Jwk<'a>,
    rsa: RsaKey,
}

/// Why a document is not a usable key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetError {
    /// Not a JSON object with an array `keys` of keys.
    NotAKeySet,
    /// A member of the document, or of a key that could not be read, occurs twice.
    DuplicateMember {
        /// Its name as it is written the second time, shortened.
        member: String,
    },
    /// A document or key that could not be read has more members than any authority's.
    TooManyMembers {
        /// The most that are accepted.
        limit: usize,
    },
    /// No key at all. The caller of [`KeySet::parse`] decides whether that is an error; [`crate::key_cache`] takes it for one.
    NoKeys,
    /// No key that could verify an access token; as above.
    NoUsableKey {
        /// How many keys there are.
        count: usize,
    },
    /// More keys than any authority has.
    TooManyKeys {
        /// How many there are.
        count: usize,
    },
    /// Two keys with one `kid`: which one signs would depend on their order.
    DuplicateKeyId,
    /// A symmetric key in a public document: whoever reads it could sign with it.
    SymmetricKey,
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeySet => write!(f, "the document is not a JSON Web Key Set"),
            Self::DuplicateMember { member } => write!(f, "member `{member}` of the key set occurs twice"),
            Self::TooManyMembers { limit } => {
                write!(f, "the key set, or a key of it, has more than {limit} members")
            }
            Self::NoKeys => write!(f, "the key set has no keys"),
            Self::NoUsableKey { count } => {
                write!(f, "no key of the set can verify an access token: all {count} are passed over")
            }
            Self::TooManyKeys { count } => write!(f, "the key set has {count} keys, more than {MAX_KEYS}"),
            Self::DuplicateKeyId => write!(f, "two keys of the set have the same kid"),
            Self::SymmetricKey => write!(f, "the key set contains a symmetric key"),
        }
    }
}

impl std::error::Error for KeySetError {}

#[derive(Debug, Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// A key set as it is written again.
#[derive(Serialize)]
struct Reduced<'s, 'a> {
    keys: Vec<&'s Jwk<'a>>,
}

/// One key, with the members that decide anything.
#[derive(Debug, Clone, Deserialize, Serialize)]
struct Jwk<'a> {
    #[serde(borrow)]
    kty: Cow<'a, str>,
    #[serde(borrow, default)]
    kid: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    n: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    e: Cow<'a, str>,
    #[serde(borrow, default, rename = "use", skip_serializing_if = "Option::is_none")]
    purpose: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    alg: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "key_ops", skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    issuer: Option<Cow<'a, str>>,
}

impl<'a> Jwk<'a> {
    /// The key, if it may sign access tokens here. RFC 7517 section 5: keys of other kinds are passed over, not errors.
    fn usable(self) -> Option<Key<'a>> {
        let usable = self.kty == "RSA"
            && !self.kid.is_empty()
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_deref().is_none_or(|algorithm| algorithm == "RS256")
            && self
                .operations
                .as_ref()
                .is_none_or(|operations| operations.iter().any(|known| known == "verify"))
            && self.e == EXPONENT;
        let rsa = usable.then(|| self.decode())??;
        Some(Key { jwk: self, rsa })
    }

    fn into_owned(self) -> Jwk<'static> {
        fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        Jwk {
            kty: owned(self.kty),
            kid: owned(self.kid),
            n: owned(self.n),
            e: owned(self.e),
            purpose: self.purpose.map(owned),
            alg: self.alg.map(owned),
            operations: self.operations.map(|operations| operations.into_iter().map(owned).collect()),
            issuer: self.issuer.map(owned),
        }
    }

    fn decode(&self) -> Option<RsaKey> {
        let n = URL_SAFE_NO_PAD.decode(&*self.n).ok()?;
        let e = URL_SAFE_NO_PAD.decode(&*self.e).ok()?;
        // RFC 7518 section 6.3.1.1: no leading zero byte. An even modulus is no product of two large primes.
        let (first, last) = (n.first()?, n.last()?);
        (*first >= 0x80 && last % 2 == 1 && MODULUS_BYTES.contains(&n.len())).then_some(RsaKey { n, e })
    }
}

/// One key of a set. None if it is to be passed over: RFC 7517 section 5 has that for keys that miss a member or have one that is not understood, so that what
/// an authority adds for others turns nobody away. What is no object, or has a member twice, is no key in anybody's reading.
fn read(raw: &RawValue) -> Result<Option<Jwk<'_>>, KeySetError> {
    let kind = match serde_json::from_str::<Jwk<'_>>(raw.get()) {
        Ok(key) if key.kty != "oct" => return Ok(Some(key)),
        Ok(_) => Some("oct".to_owned()),
        Err(_) => {
            let members = Object::parse(raw.get().as_bytes(), "key is not one JSON object");
            members.map_err(unreadable)?.optional("kty").ok().flatten()
        }
    };
    if kind.as_deref() == Some("oct") { Err(KeySetError::SymmetricKey) } else { Ok(None) }
}

/// Why an object of a key set could not be read.
fn unreadable(error: TokenError) -> KeySetError {
    match error {
        TokenError::DuplicateMember { member } => KeySetError::DuplicateMember { member },
        TokenError::TooManyMembers { limit } => KeySetError::TooManyMembers { limit },
        _ => KeySetError::NotAKeySet,
    }
}

/// The key that a token names.
pub(crate) struct Chosen<'k> {
    pub(crate) key: &'k RsaKey,
    /// The issuer that the key may sign for, with `{tenantid}` still in it; none if the document does not say.
    pub(crate) issuer: Option<&'k str>,
}

impl<'a> KeySet<'a> {
    /// Reads a key set. Keys that cannot sign access tokens here are left out.
    ///
    /// # Errors
    /// Documents that no honest authority serves are refused whole, see [`KeySetError`].
    pub fn parse(json: &'a str) -> Result<Self, KeySetError> {
        let Document { keys } = serde_json::from_str(json).map_err(|_| {
            let members = Object::parse(json.as_bytes(), "key set is not one JSON object");
            members.err().map_or(KeySetError::NotAKeySet, unreadable)
        })?;
        let listed = keys.len();
        if listed > MAX_KEYS {
            return Err(KeySetError::TooManyKeys { count: listed });
        }
        let mut usable: Vec<Key<'_>> = Vec::new();
        let mut names = BTreeSet::new();
        for raw in keys {
            if let Some(key) = read(raw)?.and_then(Jwk::usable) {
                if !names.insert(key.jwk.kid.clone()) {
                    return Err(KeySetError::DuplicateKeyId);
                }
                usable.push(key);
            }
        }
        Ok(Self { keys: usable, listed })
    }

    /// The same set, independent of the text that it was read from.
    #[must_use]
    pub fn into_owned(self) -> KeySet<'static> {
        let owned = |Key { jwk, rsa }| Key { jwk: Jwk::into_owned(jwk), rsa };
        KeySet { keys: self.keys.into_iter().map(owned).collect(), listed: self.listed }
    }

    /// How many usable keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is usable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The same set, unless no token could be verified with it.
    pub(crate) fn usable(self) -> Result<Self, KeySetError> {
        match (self.is_empty(), self.listed) {
            (false, _) => Ok(self),
            (true, 0) => Err(KeySetError::NoKeys),
            (true, count) => Err(KeySetError::NoUsableKey { count }),
        }
    }

    /// The set again as JSON, reduced to what decides anything: a quarter of what Entra serves.
    #[must_use]
    pub fn to_json(&self) -> String {
        let keys = self.keys.iter().map(|key| &key.jwk).collect();
        serde_json::to_string(&Reduced { keys }).expect("strings serialise")
    }

    pub(crate) fn choose(&self, key_id: &str) -> Option<Chosen<'_>> {
        let Key { jwk, rsa } = self.keys.iter().find(|key| key.jwk.kid == key_id)?;
        Some(Chosen { key: rsa, issuer: jwk.issuer.as_deref().filter(|issuer| !issuer.is_empty()) })
    }
}
