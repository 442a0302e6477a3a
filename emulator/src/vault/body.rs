//! Bodies of Key Vault's requests and answers.
//!
//! Source: Azure REST API specification, `keyvault/data-plane`, secrets.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::VaultError;
use super::store::{Properties, Secret, Version};
use crate::clock::Instant;

/// How long a deleted secret can be recovered, days.
const RECOVERABLE_DAYS: i64 = 90;

/// Longest value, in bytes (Azure documentation, "About Key Vault secrets").
const LONGEST_VALUE: usize = 25 * 1024;

/// Bounds of what is kept beside it.
const MOST_TAGS: usize = 15;
const LONGEST_TEXT: usize = 512;

/// The body of "set" and "update".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    value: Option<String>,
    content_type: Option<String>,
    attributes: Option<Attributes>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Attributes {
    enabled: Option<bool>,
    nbf: Option<i64>,
    exp: Option<i64>,
}

impl Written {
    /// Reads a body; the bounds of what is kept hold afterwards.
    pub(super) fn parse(body: &[u8]) -> Result<Self, VaultError> {
        let bad = |what: &str| Err(VaultError::BadParameter(what.to_owned()));
        let Ok(written) = serde_json::from_slice::<Self>(body) else {
            return bad("The body is not the JSON of a secret");
        };
        let long = |text: &String| text.len() > LONGEST_TEXT;
        if written.value.as_ref().is_some_and(|v| v.len() > LONGEST_VALUE) {
            return bad("The value is longer than 25 KB");
        }
        if written.content_type.as_ref().is_some_and(long) {
            return bad("The content type is too long");
        }
        let tags = written.tags.as_ref();
        if tags
            .is_some_and(|t| t.len() > MOST_TAGS || t.iter().any(|(name, value)| long(name) || long(value)))
        {
            return bad("There are too many tags, or one is too long");
        }
        Ok(written)
    }

    /// The value that "set" needs.
    pub(super) fn take_value(&mut self) -> Result<String, VaultError> {
        self.value.take().ok_or_else(|| VaultError::BadParameter("The body has no value".into()))
    }

    /// Changes what is named and leaves the rest.
    pub(super) fn apply(self, to: &mut Properties) {
        if let Some(content_type) = self.content_type {
            to.content_type = Some(content_type);
        }
        if let Some(tags) = self.tags {
            to.tags = tags;
        }
        if let Some(Attributes { enabled, nbf, exp }) = self.attributes {
            to.disabled = enabled.map_or(to.disabled, |enabled| !enabled);
            to.not_before = nbf.or(to.not_before);
            to.expires = exp.or(to.expires);
        }
    }
}

/// A version with its value.
pub(super) fn bundle(origin: &str, secret: &Secret, version: &Version) -> Value {
    let mut body = properties(&format!("{origin}/secrets/{}/{}", secret.name, version.id), version);
    body.insert("value".into(), version.value.clone().into());
    Value::Object(body)
}

/// A version without its value, under an id that names it or not.
pub(super) fn item(id: &str, version: &Version) -> Value {
    Value::Object(properties(id, version))
}

/// A deleted secret.
pub(super) fn deleted(origin: &str, secret: &Secret, version: &Version, at: Instant) -> Value {
    let mut body = properties(&format!("{origin}/secrets/{}/{}", secret.name, version.id), version);
    body.insert("recoveryId".into(), format!("{origin}/deletedsecrets/{}", secret.name).into());
    body.insert("deletedDate".into(), at.0.into());
    body.insert("scheduledPurgeDate".into(), at.plus(RECOVERABLE_DAYS * 24 * 3600).0.into());
    Value::Object(body)
}

/// A list on one page.
pub(super) fn list(items: Vec<Value>) -> Value {
    json!({ "value": items, "nextLink": null })
}

fn properties(id: &str, version: &Version) -> Map<String, Value> {
    let Properties { content_type, disabled, not_before, expires, tags } = &version.properties;
    let mut attributes = Map::new();
    attributes.insert("enabled".into(), (!disabled).into());
    for (name, time) in [("nbf", not_before), ("exp", expires)] {
        if let Some(time) = time {
            attributes.insert(name.into(), (*time).into());
        }
    }
    attributes.insert("created".into(), version.created.0.into());
    attributes.insert("updated".into(), version.updated.0.into());
    attributes.insert("recoveryLevel".into(), "Recoverable+Purgeable".into());
    attributes.insert("recoverableDays".into(), RECOVERABLE_DAYS.into());
    let mut body = Map::new();
    body.insert("id".into(), id.into());
    if let Some(content_type) = content_type {
        body.insert("contentType".into(), content_type.clone().into());
    }
    body.insert("attributes".into(), attributes.into());
    body.insert("tags".into(), json!(tags));
    body
}
