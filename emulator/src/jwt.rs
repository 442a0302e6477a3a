//! Compact JWS bytes (RFC 7515 section 7.1): writing, and the reading that the token endpoint and Graph need.
//!
//! Knows nothing of claims. The twist of Graph tokens is here: [`seal_graph`] and [`open_graph`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::keys::{CONSUMER_TENANT, KeyRing, SigningKey};

/// Why a token was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwtError {
    #[error("it is not a compact JWS of JSON objects")]
    Malformed,
    #[error("its algorithm is not RS256")]
    Algorithm,
    #[error("no published key of its issuer has its kid")]
    UnknownKey,
    #[error("its signature does not verify")]
    Signature,
}

/// Signs `header` and `claims`, which are written exactly as given.
pub(crate) fn seal(header: &str, claims: &str, key: &SigningKey) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Signs as Entra does for Graph: the header carries `nonce`, but the signature covers a header in which the
/// nonce is replaced by its SHA-256. An ordinary verifier therefore fails, and only Graph can check the token.
pub(crate) fn seal_graph(header: &Map<String, Value>, claims: &str, key: &SigningKey) -> String {
    let shown = encode(&Value::Object(header.clone()).to_string());
    let signed = encode(&hashed_nonce(header).to_string());
    let claims = encode(claims);
    let signature = key.sign(format!("{signed}.{claims}").as_bytes());
    format!("{shown}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Verifies an ordinary token against the published keys and returns its claims.
pub(crate) fn open(token: &str, keys: &KeyRing) -> Result<Map<String, Value>, JwtError> {
    let parts = Parts::split(token)?;
    parts.verify(parts.header_text, keys)
}

/// Verifies a token that was sealed for Graph.
pub(crate) fn open_graph(token: &str, keys: &KeyRing) -> Result<Map<String, Value>, JwtError> {
    let parts = Parts::split(token)?;
    if !parts.header.contains_key("nonce") {
        return Err(JwtError::Signature);
    }
    parts.verify(&encode(&hashed_nonce(&parts.header).to_string()), keys)
}

/// A compact JWS taken apart; nothing in it is verified yet.
pub(crate) struct Parts<'a> {
    header_text: &'a str,
    pub(crate) header: Map<String, Value>,
    claims_text: &'a str,
    pub(crate) claims: Map<String, Value>,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// Takes a token apart.
    pub(crate) fn split(token: &'a str) -> Result<Self, JwtError> {
        let mut parts = token.split('.');
        let (Some(header_text), Some(claims_text), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwtError::Malformed);
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtError::Malformed)?;
        Ok(Self {
            header: object(header_text)?,
            claims: object(claims_text)?,
            header_text,
            claims_text,
            signature,
        })
    }

    /// What an ordinary signature covers (RFC 7515 section 5.2).
    pub(crate) fn message(&self) -> String {
        format!("{}.{}", self.header_text, self.claims_text)
    }

    /// A member of the header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// A claim that is text.
    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    fn verify(&self, header_text: &str, keys: &KeyRing) -> Result<Map<String, Value>, JwtError> {
        if self.header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return Err(JwtError::Algorithm);
        }
        let kid = self.header.get("kid").and_then(Value::as_str).ok_or(JwtError::UnknownKey)?;
        let key = keys.live(kid).ok_or(JwtError::UnknownKey)?;
        // The key's published issuer must be the token's: the key of personal accounts signs for them alone.
        let personal = self.claims.get("tid").and_then(Value::as_str) == Some(CONSUMER_TENANT);
        if personal != (kid == keys.consumer().kid()) {
            return Err(JwtError::UnknownKey);
        }
        match key.verify(format!("{header_text}.{}", self.claims_text).as_bytes(), &self.signature) {
            true => Ok(self.claims.clone()),
            false => Err(JwtError::Signature),
        }
    }
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn object(text: &str) -> Result<Map<String, Value>, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| JwtError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Malformed)
}

fn hashed_nonce(header: &Map<String, Value>) -> Value {
    let mut header = header.clone();
    if let Some(nonce) = header.get_mut("nonce") {
        *nonce = URL_SAFE_NO_PAD.encode(Sha256::digest(nonce.as_str().unwrap_or_default())).into();
    }
    Value::Object(header)
}
