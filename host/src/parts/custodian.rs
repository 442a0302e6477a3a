//! The custodian artifact: `downstream` and `entra-tokens`, in a fresh store for each call that a tool makes.
//!
//! The only artifact that the credential, the token store and `assertion` are linked to.

use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker, Resource};

use super::bindings::custodian::{CustodianPre, valet::capability, wasi};
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
        let mut state = State {
            capabilities: Capabilities::new(Arc::clone(&self.lent)),
            principals: Principals::default(),
            budget: Budget::new(),
        };
        let caller = state.principals.push(principal)?;
        let mut store = budget::store(&self.engine, state);
        let artifact = self.artifact.instantiate_async(&mut store).await?;
        let caller = Resource::new_borrow(caller.rep());
        artifact.valet_downstream_requests().call_send(&mut store, caller, &request).await
    }
}
