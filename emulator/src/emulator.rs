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
use crate::hosts::Hosts;
use crate::keys::{self, KeyError, KeyRing};
use crate::managed_identity::{self, Endpoints};
use crate::options::{Options, StartError};
use crate::registrations::{Registrations, TokenVersion};
use crate::server;
use crate::state::{Issued, Origins, RevocationReason, State};
use crate::tls::Authority;

/// A running emulator. Dropping it stops it.
pub struct Emulator {
    state: Arc<State>,
    address: SocketAddr,
    ca_pem: String,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
    identity: Option<(Arc<Endpoints>, JoinHandle<()>)>,
}

impl Emulator {
    /// Makes certificates, opens the port and serves. Needs a tokio runtime. Signing keys are made in the background; the
    /// methods that need one hold the thread until it is there, a tenth of a second or so.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        options.check()?;
        let authority = Authority::open(options.state.as_deref())?;
        // Unless they were kept they are in the making from here on; a request waits for those it needs.
        let keys = KeyRing::open(options.state.as_deref())?;
        let (listener, address) = bind(options.bind).await?;
        let identity = match options.managed_identity {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let arc_keys = options.arc_keys.clone();
        let hosts = Hosts::new(&options, address.port());
        let tls = authority.server_config(names(&hosts, options.bind))?;
        let state = Arc::new(State::new(origins(&hosts, &options), hosts, options, keys));
        let (stop, stopped) = watch::channel(());
        let identity = identity.map(|(listener, address)| {
            let endpoints = Endpoints::new(state.clone(), address, arc_keys);
            let serve = managed_identity::serve(listener, endpoints.clone(), stopped.clone());
            (endpoints, tokio::spawn(serve))
        });
        let task = tokio::spawn(server::serve(listener, tls, state.clone(), stopped));
        Ok(Self { state, address, ca_pem: authority.pem().to_owned(), stop, task, identity })
    }

    /// Closes the port and all connections, and waits until that is done.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        // The task cannot fail in a way that matters to somebody who wants it gone.
        let _ = (&mut self.task).await;
        if let Some((_, task)) = &mut self.identity {
            let _ = task.await;
        }
    }

    /// `https://HOST:PORT` of login. A tenant's authority is this, `/`, and the tenant's id.
    pub fn authority_url(&self) -> String {
        self.state.origins.authority.clone()
    }

    /// `https://HOST:PORT` of Graph; its paths begin with `/v1.0/`.
    pub fn graph_url(&self) -> String {
        self.state.origins.graph.clone()
    }

    /// `https://HOST:PORT` of the vault `name`.
    pub fn vault_url(&self, name: &str) -> String {
        self.state.hosts.vault_origin(name)
    }

    /// `http://ADDRESS` of IMDS and Arc, where managed identity was asked for: `AZURE_POD_IDENTITY_AUTHORITY_HOST` of
    /// Microsoft's libraries.
    pub fn imds_url(&self) -> Option<String> {
        self.identity.as_ref().map(|(endpoints, _)| endpoints.origin())
    }

    /// `IDENTITY_ENDPOINT` of App Service, where managed identity was asked for.
    pub fn identity_endpoint(&self) -> Option<String> {
        self.identity.as_ref().map(|(endpoints, _)| endpoints.app_service())
    }

    /// `IDENTITY_HEADER` of App Service: a secret made at each start.
    pub fn identity_header(&self) -> Option<&str> {
        self.identity.as_ref().map(|(endpoints, _)| endpoints.secret())
    }

    /// Object id of an app in a tenant, the `oid` and `sub` of its app-only tokens.
    pub fn object_id(&self, client: Uuid, tenant: Uuid) -> Uuid {
        crate::tokens::service_principal(client, tenant)
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

    /// Has Graph answer every token of `user` (principal name or object id) that was issued until now with a claims challenge, as continuous
    /// access evaluation does where something about the user has changed and no sign-in has ended: whoever refreshes with the
    /// claims gets a token that will do, unless a policy wants more. The emulator's clock goes forward by a second.
    pub fn outdate_graph_tokens(&self, user: &str) -> Result<(), MintError> {
        let all = self.state.registrations();
        let user = all.user(user).ok_or_else(|| MintError::User(user.to_owned()))?;
        self.state.outdate(user.id);
        Ok(())
    }

    /// Ends each refresh token that was used until now. Entra itself lets them live, so that a client which drops the newer ones
    /// goes on unnoticed; after this it does not. Those that nobody has used stay good, also where their answer was lost.
    pub fn end_used_refresh_tokens(&self) {
        self.state.end_used_refresh();
    }

    /// The codes and refresh tokens that were given out, so that a test can look for them where they must not be.
    pub fn issued(&self) -> Issued {
        self.state.issued()
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
        let key = keys::new_key()?;
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
        if let Some((_, task)) = &self.identity {
            task.abort();
        }
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

fn names(hosts: &Hosts, bind: SocketAddr) -> Vec<String> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    for extra in hosts.certificate_names().into_iter().chain([bind.ip().to_string()]) {
        if !names.contains(&extra) {
            names.push(extra);
        }
    }
    names
}

fn origins(hosts: &Hosts, options: &Options) -> Origins {
    let v1_issuer = options.v1_issuer.clone().unwrap_or_else(|| hosts.v1_issuer());
    Origins { authority: hosts.authority(), graph: hosts.graph(), v1_issuer }
}
