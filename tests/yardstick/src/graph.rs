//! Microsoft Graph in the caller's name: the on-behalf-of exchange, kept in memory by token, and `GET /v1.0/me`.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::Result;
use reqwest::Client;
use serde::Deserialize;
use valet_core_graph::profile::{PATH, Profile, SELECT};

use crate::Arguments;

/// The permission that is asked for.
const SCOPE: &str = "https://graph.microsoft.com/User.Read";

/// A token this close to its end is exchanged anew, as in Valet.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Calls Graph for callers.
pub(crate) struct Graph {
    client: Client,
    token_url: String,
    profile_url: String,
    client_id: String,
    client_secret: String,
    /// Graph's token and when to exchange anew, by the caller's token.
    tokens: RwLock<HashMap<String, (String, Instant)>>,
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
    expires_in: u64,
}

impl Graph {
    pub(crate) fn new(arguments: &Arguments, client: Client) -> Self {
        let Arguments { authority, tenant, graph_url, .. } = arguments;
        Self {
            client,
            token_url: format!("{authority}/{tenant}/oauth2/v2.0/token"),
            profile_url: format!("{graph_url}{PATH}"),
            client_id: arguments.client_id.clone(),
            client_secret: arguments.client_secret.clone(),
            tokens: RwLock::default(),
        }
    }

    /// The profile of whoever `assertion` is about.
    pub(crate) async fn profile(&self, assertion: &str) -> Result<Profile> {
        let token = match self.kept(assertion) {
            Some(token) => token,
            None => self.exchange(assertion).await?,
        };
        let response = self
            .client
            .get(&self.profile_url)
            .query(&[("$select", SELECT)])
            .bearer_auth(token)
            .send()
            .await?;
        let status = response.status().as_u16();
        Profile::read(status, &response.bytes().await?).map_err(|problem| anyhow::anyhow!(problem.message()))
    }

    fn kept(&self, assertion: &str) -> Option<String> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let (token, until) = tokens.get(assertion)?;
        (*until > Instant::now()).then(|| token.clone())
    }

    async fn exchange(&self, assertion: &str) -> Result<String> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("requested_token_use", "on_behalf_of"),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("assertion", assertion),
            ("scope", SCOPE),
        ];
        let request = self.client.post(&self.token_url).form(&form);
        let Exchanged { access_token, expires_in } = request.send().await?.error_for_status()?.json().await?;
        let until = Instant::now() + Duration::from_secs(expires_in).saturating_sub(RENEW_BEFORE);
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(assertion.to_owned(), (access_token.clone(), until));
        Ok(access_token)
    }
}
