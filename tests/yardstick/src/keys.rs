//! The authority's keys: discovery, then the key document, once at start.
//!
//! Valet fetches anew each hour and for unknown keys; no run of the benchmark is long enough for either.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use jsonwebtoken::DecodingKey;
use reqwest::Client;
use serde::Deserialize;

/// A published key.
pub(crate) struct Key {
    /// What signatures are checked with.
    pub(crate) decoding: DecodingKey,
    /// Whose tokens it may sign, with `{tenantid}` for the tenant.
    pub(crate) issuer: Option<String>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Published>,
}

#[derive(Deserialize)]
struct Published {
    kid: String,
    n: String,
    e: String,
    issuer: Option<String>,
}

/// The keys by name.
pub(crate) async fn fetch(client: &Client, authority: &str, tenant: &str) -> Result<HashMap<String, Key>> {
    let base = format!("{authority}/{tenant}/v2.0");
    let url = format!("{base}/.well-known/openid-configuration");
    let discovery: Discovery = client.get(url).send().await?.error_for_status()?.json().await?;
    ensure!(discovery.issuer == base, "the authority's issuer is {}, not {base}", discovery.issuer);
    let document: Document = client.get(discovery.jwks_uri).send().await?.error_for_status()?.json().await?;
    document
        .keys
        .into_iter()
        .map(|key| {
            let decoding = DecodingKey::from_rsa_components(&key.n, &key.e)?;
            Ok((key.kid, Key { decoding, issuer: key.issuer }))
        })
        .collect()
}
