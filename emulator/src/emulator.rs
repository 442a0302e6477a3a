//! The handle of a running emulator: its addresses, and everything a test may do to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::faults::Faults;
use crate::forge::{self, MintError, Signer};
use crate::keys::{KeyError, KeyIssuer, KeyRing, SigningKey};
use crate::options::{Options, StartError};
use crate::registrations::{Registrations, TokenVersion};
use crate::server;
use crate::state::{Origins, RevocationReason, State};
use crate::tls::Authority;

/// A running emulator. Dropping it stops it.
pub struct Emulator {
    state: Arc<State>,
    address: SocketAddr,
    ca_pem: String,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Makes keys and certificates, opens the port and serves. Needs a tokio runtime.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        options.check()?;
        let keys = tokio::task::spawn_blocking(KeyRing::generate).await.map_err(|_| KeyError::Generate)??;
        let authority = Authority::open(options.state.as_deref())?;
        let tls = authority.server_config(names(&options))?;
        let bind = |source| StartError::Bind { address: options.bind, source };
        let listener = TcpListener::bind(options.bind).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let origins = origins(&options, address.port());
        let split = (!options.login_host.eq_ignore_ascii_case(&options.graph_host))
            .then(|| (options.login_host.clone(), options.graph_host.clone()));
        let state = Arc::new(State::new(origins, split, options, keys));
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(server::serve(listener, tls, state.clone(), stopped));
        Ok(Self { state, address, ca_pem: authority.pem().to_owned(), stop, task })
    }

    /// Closes the port and all connections, and waits until that is done.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        // The task cannot fail in a way that matters to somebody who wants it gone.
        let _ = (&mut self.task).await;
    }

    /// `https://HOST:PORT` of login. A tenant's authority is this, `/`, and the tenant's id.
    pub fn authority_url(&self) -> String {
        self.state.origins.authority.clone()
    }

    /// `https://HOST:PORT` of Graph; its paths begin with `/v1.0/`.
    pub fn graph_url(&self) -> String {
        self.state.origins.graph.clone()
    }

    /// The address listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Certificate of the emulator's authority, PEM: what a client must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Issuer of access tokens of `version` in `tenant`.
    pub fn issuer(&self, version: TokenVersion, tenant: Uuid) -> String {
        crate::tokens::issuer(&self.state, version, tenant)
    }

    /// The registrations as they are now.
    pub fn registrations(&self) -> Arc<Registrations> {
        self.state.registrations()
    }

    /// Changes the registrations while running, e.g. adds a redirect URI whose port was not known before.
    /// The result is not checked for contradictions.
    pub fn change_registrations(&self, change: impl FnOnce(&mut Registrations)) {
        self.state.change_registrations(change);
    }

    /// Forgets what users consented to, so that the consent page shows again.
    pub fn forget_consents(&self) {
        self.state.forget_consents();
    }

    /// Ends what `user` (principal name or object id) was granted until now. The emulator's clock goes forward by a second,
    /// so that what was granted before can be told from what is granted afterwards.
    pub fn revoke(&self, user: &str, reason: RevocationReason) -> Result<(), MintError> {
        let all = self.state.registrations();
        let user = all.user(user).ok_or_else(|| MintError::User(user.to_owned()))?;
        self.state.revoke(user.id, reason);
        Ok(())
    }

    /// The next `polls` polls of device codes nobody has decided about yet are answered `slow_down` (RFC 8628 section 3.5),
    /// which Entra never does on its own.
    pub fn slow_down_device_codes(&self, polls: u32) {
        self.state.devices.slow_down(polls);
    }

    /// Puts the emulator's clock forward: codes and tokens expire without waiting. Only the emulator's clock; a
    /// server under test must be given the same time.
    pub fn advance_clock(&self, by: Duration) {
        self.state.clock.advance(by);
    }

    /// Sets how far the emulator's clock is ahead of the system's, in seconds; 0 is the time of day again.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.state.clock.set_ahead(seconds);
    }

    /// The fault plan and the counters of requests.
    pub fn faults(&self) -> Arc<Faults> {
        self.state.faults.clone()
    }

    /// Names of the published keys.
    pub fn kids(&self) -> Vec<String> {
        self.state.keys().kids()
    }

    /// Name of the key that signs tokens.
    pub fn signing_kid(&self) -> String {
        self.state.keys().signer().kid().to_owned()
    }

    /// Publishes a new key and lets it sign; earlier keys stay published. Returns its name. Takes the time of
    /// making an RSA key.
    pub fn rotate_keys(&self) -> Result<String, KeyError> {
        let key = SigningKey::generate(KeyIssuer::Work)?;
        let kid = key.kid().to_owned();
        self.state.keys_mut().rotate(key);
        Ok(kid)
    }

    /// Stops publishing a key. Returns false for an unknown key, the consumer key and the last work key.
    pub fn remove_key(&self, kid: &str) -> bool {
        self.state.keys_mut().remove(kid)
    }

    /// A perfect access token for `user` (principal name or object id), issued to `client`, for `api`, with these
    /// scope values. Nobody is asked for consent. A token for [`crate::GRAPH_APP_ID`] has Graph's signature. The user
    /// may be a guest or a personal account: the token then has their tenant, key and claims.
    pub fn access_token(
        &self,
        user: &str,
        client: Uuid,
        api: Uuid,
        scopes: &[&str],
    ) -> Result<String, MintError> {
        forge::user_token(&self.state, user, client, api, scopes)
    }

    /// The claims of such a token, to be changed and given to [`Self::forge`].
    pub fn claims_of(
        &self,
        user: &str,
        client: Uuid,
        api: Uuid,
        scopes: &[&str],
    ) -> Result<Value, MintError> {
        forge::user_claims(&self.state, user, client, api, scopes)
    }

    /// A perfect app-only token in the client's home tenant.
    pub fn app_token(&self, client: Uuid, api: Uuid, roles: &[&str]) -> Result<String, MintError> {
        forge::app_token(&self.state, client, api, roles)
    }

    /// A perfect id token for `client`.
    pub fn id_token(&self, user: &str, client: Uuid, nonce: Option<&str>) -> Result<String, MintError> {
        forge::id_token(&self.state, user, client, nonce)
    }

    /// The header that belongs to a token of `version` signed by `signer`, to be changed and given to
    /// [`Self::forge`].
    pub fn header(&self, version: TokenVersion, signer: Signer) -> Value {
        forge::header(&self.state, version, signer)
    }

    /// A compact JWS of exactly this header and these claims, signed RS256 by `signer` whatever the header says.
    pub fn forge(&self, header: Value, claims: Value, signer: Signer) -> String {
        self.forge_text(&header.to_string(), &claims.to_string(), signer)
    }

    /// The same with Graph's signature: `header` should have a `nonce`, and only Graph can check the token.
    pub fn forge_for_graph(&self, header: &Value, claims: &Value, signer: Signer) -> String {
        forge::sign_for_graph(&self.state, header, claims, signer)
    }

    /// The same as [`Self::forge`] from text, for JSON that [`Value`] cannot hold: duplicate members, odd numbers, not JSON at all.
    pub fn forge_text(&self, header: &str, claims: &str, signer: Signer) -> String {
        forge::sign(&self.state, header, claims, signer)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Nobody listens any more if the task has already ended.
        let _ = self.stop.send(());
        self.task.abort();
    }
}

fn names(options: &Options) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    for extra in [options.login_host.clone(), options.graph_host.clone(), options.bind.ip().to_string()] {
        if !names.contains(&extra) {
            names.push(extra);
        }
    }
    names
}

fn origins(options: &Options, port: u16) -> Origins {
    let origin = |host: &str| match port {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    };
    let authority = origin(&options.login_host);
    let v1_issuer = options.v1_issuer.clone().unwrap_or_else(|| format!("{authority}/sts/{{tenantid}}/"));
    Origins { graph: origin(&options.graph_host), authority, v1_issuer }
}
