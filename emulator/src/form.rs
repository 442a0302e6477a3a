//! Query strings and form bodies of the pages: each parameter at most once (RFC 6749 section 3.1).

use std::collections::HashMap;

use crate::errors::Refusal;

/// Parameters by name.
pub(crate) fn params(text: &[u8]) -> Result<HashMap<String, String>, Refusal> {
    let mut params = HashMap::new();
    for (name, value) in form_urlencoded::parse(text) {
        if params.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(Refusal::Duplicate(name.into_owned()));
        }
    }
    Ok(params)
}

/// A parameter that must be there and not empty.
pub(crate) fn need<'a>(params: &'a HashMap<String, String>, name: &'static str) -> Result<&'a str, Refusal> {
    params.get(name).map(String::as_str).filter(|v| !v.is_empty()).ok_or(Refusal::Missing(name))
}
