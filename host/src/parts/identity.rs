//! The identity artifact: validator, authenticator and signing keys, in stores that live long.
//!
//! It holds keys and settings, which are the same for everyone, and nothing of a user past a call. A store is thrown away after a trap and after
//! [`CALLS_PER_STORE`] calls. There are as many as requests authenticate at the same time, which is about one a thread.
//!
//! The host remembers for seconds whom a token was verified as ([`crate::capabilities::RememberedTokens`]), and asks the artifact about any other.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

use super::bindings::identity::exports::valet::identity::principal as guest;
use super::bindings::identity::{Identity as Artifact, IdentityPre, valet::capability, valet::crypto, wasi};
use super::bindings::request::valet::identity::authenticator::{Failure, Refusal};
use super::bindings::request::valet::identity::refusals::Reason;
use super::budget::{self, Budget, Budgeted};
use super::principal::{Caller, Kind, Principal};
use crate::capabilities::{Capabilities, Check, Lent, Seconds, now};
use crate::limits;

/// Calls after which a store is thrown away, so that nothing can pile up in it.
const CALLS_PER_STORE: u32 = 10_000;

/// Turns tokens into principals.
pub(crate) struct Identity {
    engine: Engine,
    artifact: IdentityPre<State>,
    lent: Arc<Lent>,
    idle: Mutex<Vec<Part>>,
    places: Arc<Semaphore>,
}

/// One long-lived instance.
struct Part {
    store: Store<State>,
    artifact: Artifact,
    calls: u32,
    /// When its guest read the keys that it has. It goes on with them for [`limits::REMEMBERED_TOKEN_TIME`].
    keys_read: Seconds,
}

struct State {
    capabilities: Capabilities,
    budget: Budget,
}

impl Budgeted for State {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

impl Identity {
    /// For at most `places` checks at the same time.
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        lent: Arc<Lent>,
        places: u32,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<State>::new(engine);
        let view: fn(&mut State) -> &mut Capabilities = |state| &mut state.capabilities;
        type Lends = HasSelf<Capabilities>;
        crypto::signature::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::settings::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::key_cache::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::own_keys::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::live_sessions::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::egress_keys::add_to_linker::<_, Lends>(&mut linker, view)?;
        wasi::clocks::wall_clock::add_to_linker::<_, Lends>(&mut linker, view)?;
        let artifact = IdentityPre::new(linker.instantiate_pre(component)?)?;
        let places = Arc::new(Semaphore::new(places as usize));
        Ok(Self { engine: engine.clone(), artifact, lent, idle: Mutex::default(), places })
    }

    /// Verifies `token`. The error of the outer result is a fault of ours.
    pub(crate) async fn authenticate(
        self: &Arc<Self>,
        token: String,
    ) -> wasmtime::Result<Result<Principal, Failure>> {
        if let Some(caller) = self.remembered(&token).await {
            return Ok(Ok(Principal::assertion(caller, token)));
        }
        let identity = Arc::clone(self);
        self.to_its_end(async move {
            let mut part = identity.take().await?;
            let answer = part.authenticate(token).await;
            // Of a refused token as well: its check can have read the keys.
            let check = part.last_check();
            if let (Ok(Ok(principal)), Some(check)) = (&answer, check) {
                let caller = principal.caller();
                identity.lent.verified.keep(principal.token(), caller.clone(), check, caller.expires_at);
            }
            identity.give_back(part, answer.is_ok());
            answer
        })
        .await
    }

    /// Whom `token` was verified as a moment ago. A session can be ended at any moment, so whether it lives is asked each time; the artifact has the words for one that does not.
    async fn remembered(&self, token: &str) -> Option<Caller> {
        let caller = self.lent.verified.recall(token, now())?;
        let lives = match &caller.session_id {
            Some(id) => self.lent.ranges.is_live(id).await == Ok(true),
            None => true,
        };
        lives.then_some(caller)
    }

    /// Whether tokens can be checked.
    pub(crate) async fn ready(self: &Arc<Self>) -> wasmtime::Result<Result<(), String>> {
        let identity = Arc::clone(self);
        self.to_its_end(async move {
            let mut part = identity.take().await?;
            let answer = part.artifact.valet_identity_authenticator().call_ready(&mut part.store).await;
            identity.give_back(part, answer.is_ok());
            answer
        })
        .await
    }

    /// Does `work` to its end, for at most [`limits::REQUEST_TIME`], whether or not whoever asked for it is still there: it may be what renews the keys, and nobody
    /// who leaves must be able to break that off for the others. There are places for as much of it as for requests.
    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = wasmtime::Result<T>> + Send + 'static,
    ) -> wasmtime::Result<T> {
        let place = Arc::clone(&self.places).acquire_owned().await?;
        let work = async move {
            let _place = place;
            work.await
        };
        tokio::spawn(tokio::time::timeout(limits::REQUEST_TIME, work)).await??
    }

    async fn take(&self) -> wasmtime::Result<Part> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut part) = idle {
            part.store.data_mut().budget.renew();
            return Ok(part);
        }
        let state = State { capabilities: Capabilities::new(Arc::clone(&self.lent)), budget: Budget::new() };
        let mut store = budget::store(&self.engine, state);
        let artifact = self.artifact.instantiate_async(&mut store).await?;
        Ok(Part { store, artifact, calls: 0, keys_read: 0 })
    }

    fn give_back(&self, mut part: Part, whole: bool) {
        part.calls += 1;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if whole && part.calls < CALLS_PER_STORE && idle.len() < limits::IDLE_IDENTITIES as usize {
            idle.push(part);
        }
    }
}

impl Part {
    async fn authenticate(&mut self, token: String) -> wasmtime::Result<Result<Principal, Failure>> {
        use super::bindings::identity::exports::valet::identity::authenticator::Failure as Guest;

        self.store.data_mut().capabilities.first_look = None;
        let authenticator = self.artifact.valet_identity_authenticator();
        let handle = match authenticator.call_authenticate(&mut self.store, &token).await? {
            Ok(handle) => handle,
            Err(Guest::Unavailable(why)) => return Ok(Err(Failure::Unavailable(why))),
            Err(Guest::Refused(refusal)) => {
                let reason = reason(refusal.reason);
                return Ok(Err(Failure::Refused(Refusal { reason, detail: refusal.detail })));
            }
        };
        let caller =
            self.artifact.valet_identity_principal().principal().call_caller(&mut self.store, handle).await?;
        handle.resource_drop_async(&mut self.store).await?;
        Ok(Ok(Principal::assertion(local(caller), token)))
    }

    /// When the check that has just ended began, by the clock that the guest saw, and with keys of when: the guest reads them again at the first check after their time, and after the clock was
    /// set back (`components/authenticator/src/lib.rs`). Where that failed there was no answer, and the next check reads them.
    fn last_check(&mut self) -> Option<Check> {
        let began = self.store.data().capabilities.first_look?;
        let has_keys = self.keys_read..self.keys_read.saturating_add(limits::REMEMBERED_TOKEN_TIME);
        if !has_keys.contains(&began) {
            self.keys_read = began;
        }
        Some(Check { began, keys_read: self.keys_read })
    }
}

/// The two sides of the host have types of their own for one record.
fn local(caller: guest::Caller) -> Caller {
    Caller {
        tenant_id: caller.tenant_id,
        object_id: caller.object_id,
        kind: match caller.kind {
            guest::Kind::User => Kind::User,
            guest::Kind::Application => Kind::Application,
        },
        client_id: caller.client_id,
        display_name: caller.display_name,
        scopes: caller.scopes,
        roles: caller.roles,
        token_id: caller.token_id,
        session_id: caller.session_id,
        expires_at: caller.expires_at,
    }
}

fn reason(reason: super::bindings::identity::valet::identity::refusals::Reason) -> Reason {
    use super::bindings::identity::valet::identity::refusals::Reason as Guest;
    match reason {
        Guest::Malformed => Reason::Malformed,
        Guest::Unsupported => Reason::Unsupported,
        Guest::UnknownKey => Reason::UnknownKey,
        Guest::KeyIssuerMismatch => Reason::KeyIssuerMismatch,
        Guest::BadSignature => Reason::BadSignature,
        Guest::MissingClaim => Reason::MissingClaim,
        Guest::WrongIssuer => Reason::WrongIssuer,
        Guest::ForeignTenant => Reason::ForeignTenant,
        Guest::ForeignClient => Reason::ForeignClient,
        Guest::WrongAudience => Reason::WrongAudience,
        Guest::Expired => Reason::Expired,
        Guest::NotYetValid => Reason::NotYetValid,
        Guest::NotAnAccessToken => Reason::NotAnAccessToken,
        Guest::BoundToken => Reason::BoundToken,
        Guest::SessionEnded => Reason::SessionEnded,
        Guest::UnusableConfiguration => Reason::UnusableConfiguration,
    }
}
