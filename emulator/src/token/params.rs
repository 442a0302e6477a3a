//! The form of a token request: each parameter at most once, empty means absent (RFC 6749 section 3.2).

use std::collections::HashMap;

use axum::http::{HeaderMap, header};

use crate::errors::Refusal;

/// Parameters by name.
pub(super) struct Params(HashMap<String, String>);

impl Params {
    /// Reads a body. Another content type than a form has no parameters, so the first needed one is missing:
    /// that is how Entra answers JSON.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refusal> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        let mut params = HashMap::new();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            for (name, value) in form_urlencoded::parse(body) {
                // What stands in a decoded text for bytes that are no UTF-8. No parameter holds it on purpose.
                if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
                    return Err(Refusal::Malformed("its body is not UTF-8"));
                }
                if params.insert(name.to_string(), value.into_owned()).is_some() {
                    return Err(Refusal::Duplicate(name.into_owned()));
                }
            }
        }
        Ok(Self(params))
    }

    /// A parameter, if present and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// A parameter that must be there.
    pub(super) fn need(&self, name: &'static str) -> Result<&str, Refusal> {
        self.get(name).ok_or(Refusal::Missing(name))
    }
}
