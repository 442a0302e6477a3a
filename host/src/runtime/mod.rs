//! From a configuration to something that answers requests: artifacts loaded, capabilities behind them, epochs running.

mod answer;
mod set_up;

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use tokio::time::Instant;
use valet_store::{Store, SystemClock};

use crate::config::{Config, OauthMode};
use crate::local::LocalUser;
use crate::parts::authorization::{self, Authorization};
use crate::parts::custodian::Custodian;
use crate::parts::identity::Identity;
use crate::parts::local::LocalCustodian;
use crate::parts::request::{self, Api, Parts, Requests, Who};
use crate::{artifact, engine, limits};

use set_up::{lent, start_epochs};

pub use answer::{Answer, Body, Pieces, Response, RunError};
pub use set_up::{SetUpError, store};

pub use crate::parts::request::{ClientAbilities, Kind, Request};

/// The components, ready to answer.
pub struct Runtime {
    requests: Requests,
    /// None where clients get their tokens from Entra.
    authorization: Option<Arc<Authorization>>,
    store: Store,
}

impl Runtime {
    /// Loads the artifacts and sets the capabilities up as `config` says.
    ///
    /// # Errors
    /// See [`SetUpError`].
    pub async fn new(config: Config) -> Result<Self, SetUpError> {
        let engine = engine::engine(config.concurrent_requests).map_err(SetUpError::Engine)?;
        let load = |name| artifact::load(&engine, &config.artifacts, name);
        let (identity, custodian, request) = (load("identity")?, load("custodian")?, load("request")?);
        let authorization = match config.oauth_mode {
            OauthMode::Session | OauthMode::Facade => Some(load("authorization")?),
            OauthMode::Direct => None,
        };
        let places = config.concurrent_requests;
        let store = store(&config.storage).await?;
        let lent = Arc::new(lent(config, &store)?);
        let identity =
            Identity::new(&engine, &identity, Arc::clone(&lent), places).map_err(SetUpError::Link)?;
        let custodian = Custodian::new(&engine, &custodian, Arc::clone(&lent)).map_err(SetUpError::Link)?;
        let custodian = Arc::new(custodian);
        let authorization = authorization
            .map(|part| {
                Authorization::new(&engine, &part, Arc::clone(&lent), Arc::clone(&custodian)).map(Arc::new)
            })
            .transpose()
            .map_err(SetUpError::Link)?;
        let parts = Parts { who: Who::Tokens(Arc::new(identity)), api: Api::Custodian(custodian) };
        let requests = Requests::new(&engine, &request, lent, Arc::new(parts)).map_err(SetUpError::Link)?;
        start_epochs(&engine);
        Ok(Self { requests, authorization, store })
    }

    /// The same for the user of this machine: nobody presents a token, and calls to Graph carry one of `user`'s. Neither artifact is linked to the store, so the
    /// configured one stays closed, for whoever serves from it.
    ///
    /// # Errors
    /// See [`SetUpError`].
    pub async fn for_local_user(config: Config, user: LocalUser) -> Result<Self, SetUpError> {
        let engine = engine::engine(config.concurrent_requests).map_err(SetUpError::Engine)?;
        let load = |name| artifact::load(&engine, &config.artifacts, name);
        let (custodian, request) = (load("local-custodian")?, load("request")?);
        let store = Store::memory(SystemClock);
        let (lent, user) = (Arc::new(lent(config, &store)?), Arc::new(user));
        let custodian = LocalCustodian::new(&engine, &custodian, Arc::clone(&lent), Arc::clone(&user))
            .map_err(SetUpError::Link)?;
        let parts = Parts { who: Who::Local(user), api: Api::Local(custodian) };
        let requests = Requests::new(&engine, &request, lent, Arc::new(parts)).map_err(SetUpError::Link)?;
        start_epochs(&engine);
        Ok(Self { requests, authorization: None, store })
    }

    /// Where state is kept.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the components find their settings complete; the text names the one at fault. To be asked before a socket is opened.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn check(&self) -> Result<Result<(), String>, RunError> {
        if let Some(authorization) = &self.authorization {
            let checked = within(authorization.check()).await?;
            if checked.is_err() {
                return Ok(checked);
            }
        }
        within(self.requests.check()).await
    }

    /// Answers one request with a fresh instance: of the authorization server where the path is one of its, else of the MCP server. `peer` is where the connection
    /// came from.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn handle(&self, request: Request, peer: IpAddr) -> Result<Response, RunError> {
        if let Some(authorization) = &self.authorization
            && is_authorization(&request.target)
        {
            let Request { method, target, headers, body, request_id } = request;
            let peer = network(peer);
            let request = authorization::Request { method, target, headers, body, request_id, peer };
            // In a task of its own, which finishes what it began: a session that was opened is handed over or closed, also where the browser has left.
            let authorization = Arc::clone(authorization);
            let task = tokio::spawn(async move { authorization.handle(request).await });
            let joined = async { task.await.map_err(wasmtime::Error::from)? };
            let answer = within(joined).await?;
            let body = Body::Whole(answer.body);
            return Ok(Response { status: answer.status, headers: answer.headers, body });
        }
        let began = Instant::now();
        let answer = within(self.requests.handle(request)).await?;
        let body = match answer.body {
            request::Body::Whole(whole) => Body::Whole(whole),
            request::Body::Growing(growing) => Body::Growing(Pieces::new(growing, began)),
        };
        Ok(Response { status: answer.status, headers: answer.headers, body })
    }

    /// What a JSON-RPC message is: enough to match a cancellation with the request that it ends.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn inspect(&self, message: &[u8]) -> Result<Kind, RunError> {
        within(self.requests.inspect(message)).await
    }

    /// The one client is leaving: the user of this machine is not asked for anything any more, and what they were asked for ends.
    pub fn client_leaves(&self) {
        self.requests.client_leaves();
    }

    /// Waits, a few seconds at most, until nothing is left before the user of this machine that would outlive the program. To be called after
    /// [`Self::client_leaves`].
    pub async fn settle(&self) {
        self.requests.settle().await;
    }

    /// The user of this machine does not want what they are asked for.
    pub fn user_declines(&self) {
        self.requests.user_declines();
    }

    /// Answers one JSON-RPC message from whom `bearer`, an access token, stands for, and whose client has opened with `declared` ([`Kind::Opening`]). `request_id`
    /// is the caller's number for it, for the audit trail.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn message(
        &self,
        bearer: &str,
        message: &[u8],
        declared: ClientAbilities,
        request_id: &str,
    ) -> Result<Answer, RunError> {
        let began = Instant::now();
        Ok(match within(self.requests.message(bearer, message, declared, request_id)).await? {
            request::Answer::Nothing => Answer::Nothing,
            request::Answer::Whole(whole) => Answer::Whole(whole),
            request::Answer::Growing(growing) => Answer::Growing(Pieces::new(growing, began)),
        })
    }

    /// Whether requests can be served: settings are complete and keys are loaded. The text says what is missing.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn ready(&self) -> Result<Result<(), String>, RunError> {
        within(self.requests.ready()).await
    }
}

/// Whether a request is for the authorization server: everything below `/oauth/`, where Entra sends people back to, and its metadata (RFC 8414 section 3,
/// OpenID Connect Discovery section 4).
fn is_authorization(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    path.starts_with("/oauth/")
        || path == "/auth/callback"
        || path.starts_with("/.well-known/oauth-authorization-server")
        || path.starts_with("/.well-known/openid-configuration")
}

/// What one party can be taken to have of the address space: an IPv4 address, or the /64 of an IPv6 address, within which anybody can take a new one at will.
fn network(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).to_string(),
    }
}

/// A number for a request: sixteen random hexadecimal digits, unguessable enough that a caller who quotes one was given it.
///
/// # Panics
/// When the system has no randomness.
#[must_use]
pub fn request_id() -> String {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
    format!("{:016x}", u64::from_ne_bytes(bytes))
}

async fn within<T>(work: impl Future<Output = wasmtime::Result<T>>) -> Result<T, RunError> {
    match tokio::time::timeout(limits::REQUEST_TIME, work).await {
        Ok(done) => done.map_err(RunError::Trapped),
        Err(_) => Err(RunError::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_an_address_or_a_network_of_64_bits() {
        for (peer, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "::"),
        ] {
            assert_eq!(network(peer.parse().unwrap()), expected);
        }
    }
}
