//! The custodian artifact: `downstream` and `entra-tokens`, in a fresh store for each call that a tool makes, and for each use of a session.
//!
//! The only artifact that the credential, the stores of tokens and sessions, and `assertion` are linked to.

use std::sync::Arc;

use wasmtime::component::{Component, HasSelf, Linker, Resource};
use wasmtime::{Engine, Store};

use super::bindings::custodian::exports::valet::oauth::{forwarding, sessions};
use super::bindings::custodian::{Custodian as Artifact, CustodianPre, valet::capability, wasi};
use super::bindings::identity::valet::capability::settings;
use super::bindings::identity::wasi::clocks::wall_clock;
use super::budget::{self, Budget, Budgeted};
use super::principal::{self, Principal, Principals};
use crate::capabilities::{Capabilities, Lent};

pub(crate) use super::bindings::custodian::exports::valet::downstream::requests::{
    Failure, Request, Response,
};

/// Calls Graph for principals.
pub(crate) struct Custodian {
    engine: Engine,
    artifact: CustodianPre<State>,
    lent: Arc<Lent>,
}

struct State {
    capabilities: Capabilities,
    principals: Principals,
    budget: Budget,
}

impl Budgeted for State {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

impl Custodian {
    pub(crate) fn new(engine: &Engine, component: &Component, lent: Arc<Lent>) -> wasmtime::Result<Self> {
        let mut linker = Linker::<State>::new(engine);
        let view: fn(&mut State) -> &mut Capabilities = |state| &mut state.capabilities;
        type Lends = HasSelf<Capabilities>;
        principal::link(&mut linker, |state| &mut state.principals)?;
        principal::link_assertion(&mut linker, |state| &mut state.principals)?;
        settings::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::credential::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::token_store::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::session_store::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::egress_authority::add_to_linker::<_, Lends>(&mut linker, view)?;
        capability::egress_graph::add_to_linker::<_, Lends>(&mut linker, view)?;
        wall_clock::add_to_linker::<_, Lends>(&mut linker, view)?;
        wasi::random::random::add_to_linker::<_, Lends>(&mut linker, view)?;
        let artifact = CustodianPre::new(linker.instantiate_pre(component)?)?;
        Ok(Self { engine: engine.clone(), artifact, lent })
    }

    /// Sends `request` for `principal`. The error of the outer result is a fault of ours.
    pub(crate) async fn send(
        &self,
        principal: Principal,
        request: Request,
    ) -> wasmtime::Result<Result<Response, Failure>> {
        let (mut store, artifact) = self.fresh().await?;
        let caller = store.data_mut().principals.push(principal)?;
        let caller = Resource::new_borrow(caller.rep());
        artifact.valet_downstream_requests().call_send(&mut store, caller, &request).await
    }

    /// Opens a session with what came back from the authority.
    pub(crate) async fn open_session(
        &self,
        of: sessions::SignIn,
    ) -> wasmtime::Result<Result<sessions::Session, sessions::Failure>> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_oauth_sessions().call_open(&mut store, &of).await
    }

    /// The session as it is now.
    pub(crate) async fn renew_session(
        &self,
        id: &str,
    ) -> wasmtime::Result<Result<sessions::Session, sessions::Failure>> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_oauth_sessions().call_renew(&mut store, id).await
    }

    /// Goes on with a session, with what came back from the authority.
    pub(crate) async fn step_session_up(
        &self,
        id: &str,
        of: sessions::SignIn,
    ) -> wasmtime::Result<Result<bool, sessions::Failure>> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_oauth_sessions().call_step_up(&mut store, id, &of).await
    }

    /// Ends a session.
    pub(crate) async fn close_session(&self, id: &str) -> wasmtime::Result<Result<(), sessions::Failure>> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_oauth_sessions().call_close(&mut store, id).await
    }

    /// Sends a client's token request with our credential.
    pub(crate) async fn forward(
        &self,
        form: &str,
    ) -> wasmtime::Result<Result<forwarding::Answer, forwarding::Failure>> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_oauth_forwarding().call_send(&mut store, form).await
    }

    async fn fresh(&self) -> wasmtime::Result<(Store<State>, Artifact)> {
        let state = State {
            capabilities: Capabilities::new(Arc::clone(&self.lent)),
            principals: Principals::default(),
            budget: Budget::new(),
        };
        let mut store = budget::store(&self.engine, state);
        let artifact = self.artifact.instantiate_async(&mut store).await?;
        Ok((store, artifact))
    }
}

/// What whoever asked is told of a fault of ours; what it was is for the log.
pub(crate) fn failed(error: &wasmtime::Error) -> String {
    tracing::error!(error = format!("{error:#}"), "the custodian failed");
    "the custodian failed".to_owned()
}
