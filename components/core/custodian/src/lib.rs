//! The wire between the two parts of the split layout: `custodian-client` in the public part, `custodian-front` in the private one.
//!
//! Owns the routes and the JSON messages, nothing else. Both parts are built and shipped together, so there is no version on the wire;
//! unknown members are refused all the same, because a mix-up should be loud.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};

/// `POST`: a [`Request`] for the bearer of the `Authorization` field; the answer is a [`Reply`].
pub const REQUESTS: &str = "/requests";
/// `GET`, with the tenant behind it: the key set to verify with now.
pub const KEYS: &str = "/keys/current/";
/// `GET`, with the tenant behind it: the key set after a token named an unknown key.
pub const NEWER_KEYS: &str = "/keys/newer/";

/// `valet:downstream/requests.request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the WIT record, documented there")]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub scopes: Vec<String>,
}

/// `valet:downstream/requests.response`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the WIT record, documented there")]
pub struct Response {
    pub status: u16,
    #[serde(with = "as_base64")]
    pub body: Vec<u8>,
    pub request_id: Option<String>,
}

/// `valet:downstream/requests.failure`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the variants are those of the WIT variant, documented there")]
pub enum Failure {
    Refused(String),
    InteractionRequired(Option<String>),
    ActionRequired((String, Option<String>)),
    AssertionRefused(String),
    Throttled(Option<u32>),
    Misconfigured(String),
    Unavailable(String),
}

/// What [`REQUESTS`] answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reply {
    /// The API's answer.
    Response(Response),
    /// Why there is none.
    Failure(Failure),
}

/// The JSON text of a message.
#[must_use]
pub fn encode(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("text, numbers and lists serialise")
}

/// Reads a message.
///
/// # Errors
/// What is wrong with `bytes`, for the log.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

mod as_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_wire() {
        let response = Response { status: 200, body: vec![0, 255, 10], request_id: Some("r".into()) };
        for reply in [
            Reply::Response(response),
            Reply::Failure(Failure::InteractionRequired(None)),
            Reply::Failure(Failure::Throttled(Some(7))),
        ] {
            assert_eq!(decode::<Reply>(&encode(&reply)), Ok(reply));
        }
    }

    #[test]
    fn an_unknown_member_is_refused() {
        let json = br#"{"method":"GET","path":"/","query":[],"scopes":[],"host":"evil.example"}"#;
        assert!(decode::<Request>(json).is_err());
    }
}
