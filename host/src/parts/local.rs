//! The local-custodian artifact: `downstream` alone, in a fresh store for each call that a tool makes. In the place of `entra-tokens` is the sign-in of
//! the user of this machine.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use wasmtime::component::{Component, HasSelf, Linker, Resource};
use wasmtime::{Engine, Store};

use super::bindings::custodian::valet::capability::egress_graph;
use super::bindings::identity::valet::capability::settings;
use super::bindings::local_custodian::exports::valet::downstream::requests as guest;
use super::bindings::local_custodian::valet::downstream::tokens;
use super::bindings::local_custodian::{LocalCustodian as Artifact, LocalCustodianPre};
use super::budget::{self, Budget, Budgeted};
use super::custodian::{Failure, Request, Response};
use super::principal::{self, Principal, Principals};
use crate::capabilities::{Capabilities, Lent};
use crate::local::{LocalUser, Wanted};

/// Calls Graph for the user of this machine.
pub(crate) struct LocalCustodian {
    engine: Engine,
    artifact: LocalCustodianPre<State>,
    lent: Arc<Lent>,
    user: Arc<LocalUser>,
}

struct State {
    capabilities: Capabilities,
    principals: Principals,
    tokens: Tokens,
    budget: Budget,
}

/// The place of `entra-tokens`.
struct Tokens {
    user: Arc<LocalUser>,
    /// Who calls.
    caller: principal::Caller,
}

impl Budgeted for State {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

impl LocalCustodian {
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        lent: Arc<Lent>,
        user: Arc<LocalUser>,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<State>::new(engine);
        principal::link(&mut linker, |state| &mut state.principals)?;
        tokens::add_to_linker::<_, HasSelf<Tokens>>(&mut linker, |state| &mut state.tokens)?;
        settings::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| &mut state.capabilities)?;
        egress_graph::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| {
            &mut state.capabilities
        })?;
        let artifact = LocalCustodianPre::new(linker.instantiate_pre(component)?)?;
        Ok(Self { engine: engine.clone(), artifact, lent, user })
    }

    /// Sends `request` for `principal`. The error of the outer result is a fault of ours.
    pub(crate) async fn send(
        &self,
        principal: Principal,
        request: Request,
    ) -> wasmtime::Result<Result<Response, Failure>> {
        let (mut store, artifact) = self.fresh(principal.caller().clone()).await?;
        let caller = store.data_mut().principals.push(principal)?;
        let caller = Resource::new_borrow(caller.rep());
        let Request { method, path, query, scopes } = request;
        let request = guest::Request { method, path, query, scopes };
        let answer = artifact.valet_downstream_requests().call_send(&mut store, caller, &request).await?;
        Ok(answer
            .map(|guest::Response { status, body, request_id }| Response { status, body, request_id })
            .map_err(failure))
    }

    async fn fresh(&self, caller: principal::Caller) -> wasmtime::Result<(Store<State>, Artifact)> {
        let state = State {
            capabilities: Capabilities::new(Arc::clone(&self.lent)),
            principals: Principals::default(),
            tokens: Tokens { user: Arc::clone(&self.user), caller },
            budget: Budget::new(),
        };
        let mut store = budget::store(&self.engine, state);
        let artifact = self.artifact.instantiate_async(&mut store).await?;
        Ok((store, artifact))
    }
}

impl tokens::Host for Tokens {
    /// Whoever the principal is, it is the user of this machine: there is no other, and nothing that a tool sends chooses one. Where another account has come into
    /// use since the call began, there is no token.
    async fn acquire(
        &mut self,
        _of: Resource<Principal>,
        scopes: Vec<String>,
        claims: Option<String>,
    ) -> Result<String, tokens::Failure> {
        match self.user.token(&self.caller, &scopes, claims.as_deref()).await {
            Ok(token) => Ok(token.token.expose_secret().to_owned()),
            Err(Wanted::Action { words, page }) => Err(tokens::Failure::ActionRequired((words, page))),
            Err(Wanted::Operator(why)) => Err(tokens::Failure::Misconfigured(why)),
            Err(Wanted::Patience(why)) => Err(tokens::Failure::Unavailable(why)),
        }
    }

    async fn forget(&mut self, _of: Resource<Principal>, scopes: Vec<String>) {
        self.user.forget(&scopes);
    }
}

/// The two artifacts have types of their own for one variant.
fn failure(failure: guest::Failure) -> Failure {
    match failure {
        guest::Failure::Refused(rule) => Failure::Refused(rule),
        guest::Failure::InteractionRequired(claims) => Failure::InteractionRequired(claims),
        guest::Failure::ActionRequired(action) => Failure::ActionRequired(action),
        guest::Failure::AssertionRefused(detail) => Failure::AssertionRefused(detail),
        guest::Failure::Throttled(seconds) => Failure::Throttled(seconds),
        guest::Failure::Misconfigured(detail) => Failure::Misconfigured(detail),
        guest::Failure::Unavailable(detail) => Failure::Unavailable(detail),
    }
}
