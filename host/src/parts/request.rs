//! The request artifact: the gateway and the tool packs, in a fresh store for each request.
//!
//! It reaches the other two artifacts through the host: `authenticator` is the long-lived identity part, `requests` a custodian made for the call.

use std::sync::Arc;

use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceAny};
use wasmtime::{Engine, Store};

use super::bindings::custodian::wasi::random::random;
use super::bindings::identity::valet::capability::settings;
use super::bindings::identity::wasi::clocks::wall_clock;
use super::bindings::request::valet::downstream::requests;
use super::bindings::request::valet::identity::authenticator;
use super::bindings::request::{
    Request as Artifact, RequestPre, valet::capability::audit, valet::capability::rate_limit,
    valet::capability::request_state,
};
use super::budget::{self, Budget, Budgeted};
use super::custodian::{self, Custodian};
use super::identity::Identity;
use super::local::LocalCustodian;
use super::principal::{self, Principal, Principals};
use crate::capabilities::{Capabilities, Lent};
use crate::local::LocalUser;

pub use super::bindings::request::exports::valet::mcp::endpoint::Request;
pub use super::bindings::request::exports::valet::mcp::messages::Kind;
pub use super::bindings::request::valet::mcp::interaction::ClientAbilities;

use super::bindings::request::exports::valet::mcp::{endpoint, messages};

/// What answers requests.
pub(crate) struct Requests {
    engine: Engine,
    artifact: RequestPre<State>,
    lent: Arc<Lent>,
    parts: Arc<Parts>,
}

/// The artifacts behind this one.
pub(crate) struct Parts {
    pub(crate) who: Who,
    pub(crate) api: Api,
}

/// Who calls.
pub(crate) enum Who {
    /// Whoever a token was issued to.
    Tokens(Arc<Identity>),
    /// The user of this machine.
    Local(Arc<LocalUser>),
}

/// What calls Graph.
pub(crate) enum Api {
    /// With what the caller's token is exchanged for, or what their session holds.
    Custodian(Arc<Custodian>),
    /// With a token of the user of this machine.
    Local(LocalCustodian),
}

impl Who {
    async fn authenticate(
        &self,
        token: String,
    ) -> wasmtime::Result<Result<Principal, authenticator::Failure>> {
        match self {
            Self::Tokens(identity) => identity.authenticate(token).await,
            Self::Local(user) => Ok(Ok(Principal::local(user.caller().await))),
        }
    }

    async fn ready(&self) -> wasmtime::Result<Result<(), String>> {
        match self {
            Self::Tokens(identity) => identity.ready().await,
            Self::Local(_) => Ok(Ok(())),
        }
    }

    /// The user that this machine is used by, and who can be asked.
    fn local(&self) -> Option<&LocalUser> {
        match self {
            Self::Tokens(_) => None,
            Self::Local(user) => Some(user),
        }
    }
}

impl Api {
    async fn send(
        &self,
        principal: Principal,
        request: custodian::Request,
    ) -> wasmtime::Result<Result<custodian::Response, custodian::Failure>> {
        match self {
            Self::Custodian(custodian) => custodian.send(principal, request).await,
            Self::Local(local) => local.send(principal, request).await,
        }
    }
}

struct State {
    capabilities: Capabilities,
    calls: Calls,
    budget: Budget,
}

/// An answer to a request, with a body that can still grow.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    Whole(Vec<u8>),
    Growing(Growing),
}

/// The answer to a message.
pub(crate) enum Answer {
    Nothing,
    Whole(Vec<u8>),
    Growing(Growing),
}

/// The rest of an answer, with the store that it is made in. Dropping it drops the store, and with that the tool and whatever it waits for.
pub(crate) struct Growing {
    store: Store<State>,
    artifact: Artifact,
    pieces: ResourceAny,
}

impl Growing {
    /// Works until there is a piece, with time to compute as for a request of its own; none at the end. After an error there is no next call.
    pub(crate) async fn next(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        self.store.data_mut().budget.renew();
        self.artifact.valet_mcp_pieces().pieces().call_next(&mut self.store, self.pieces).await
    }
}

/// What the artifact is lent of the other two.
struct Calls {
    parts: Arc<Parts>,
    principals: Principals,
}

impl Budgeted for State {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

impl Requests {
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        lent: Arc<Lent>,
        parts: Arc<Parts>,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<State>::new(engine);
        principal::link(&mut linker, |state| &mut state.calls.principals)?;
        authenticator::add_to_linker::<_, HasSelf<Calls>>(&mut linker, |state| &mut state.calls)?;
        requests::add_to_linker::<_, HasSelf<Calls>>(&mut linker, |state| &mut state.calls)?;
        settings::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| &mut state.capabilities)?;
        audit::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| &mut state.capabilities)?;
        rate_limit::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| &mut state.capabilities)?;
        request_state::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| {
            &mut state.capabilities
        })?;
        wall_clock::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| &mut state.capabilities)?;
        random::add_to_linker::<_, HasSelf<Capabilities>>(&mut linker, |state| &mut state.capabilities)?;
        let artifact = RequestPre::new(linker.instantiate_pre(component)?)?;
        Ok(Self { engine: engine.clone(), artifact, lent, parts })
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request) -> wasmtime::Result<Response> {
        let (mut store, artifact) = self.fresh().await?;
        let answer = artifact.valet_mcp_endpoint().call_handle(&mut store, &request).await?;
        let body = match answer.body {
            endpoint::Body::Whole(whole) => Body::Whole(whole),
            endpoint::Body::Growing(pieces) => Body::Growing(Growing { store, artifact, pieces }),
        };
        Ok(Response { status: answer.status, headers: answer.headers, body })
    }

    /// See [`LocalUser::leave`].
    pub(crate) fn client_leaves(&self) {
        if let Some(user) = self.parts.who.local() {
            user.leave();
        }
    }

    /// See [`LocalUser::settle`].
    pub(crate) async fn settle(&self) {
        if let Some(user) = self.parts.who.local() {
            user.settle().await;
        }
    }

    /// See [`LocalUser::decline`].
    pub(crate) fn user_declines(&self) {
        if let Some(user) = self.parts.who.local() {
            user.decline();
        }
    }

    /// What a message is.
    pub(crate) async fn inspect(&self, message: &[u8]) -> wasmtime::Result<Kind> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_mcp_messages().call_inspect(&mut store, message).await
    }

    /// Answers one message.
    pub(crate) async fn message(
        &self,
        bearer: &str,
        message: &[u8],
        declared: ClientAbilities,
        request_id: &str,
    ) -> wasmtime::Result<Answer> {
        let (mut store, artifact) = self.fresh().await?;
        let answer = artifact
            .valet_mcp_messages()
            .call_handle(&mut store, bearer, message, declared, request_id)
            .await?;
        Ok(match answer {
            messages::Answer::Nothing => Answer::Nothing,
            messages::Answer::Whole(whole) => Answer::Whole(whole),
            messages::Answer::Growing(pieces) => Answer::Growing(Growing { store, artifact, pieces }),
        })
    }

    /// Whether the settings are complete.
    pub(crate) async fn check(&self) -> wasmtime::Result<Result<(), String>> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_mcp_endpoint().call_check(&mut store).await
    }

    /// Whether requests can be served.
    pub(crate) async fn ready(&self) -> wasmtime::Result<Result<(), String>> {
        let (mut store, artifact) = self.fresh().await?;
        artifact.valet_mcp_endpoint().call_ready(&mut store).await
    }

    async fn fresh(&self) -> wasmtime::Result<(Store<State>, Artifact)> {
        let state = State {
            capabilities: Capabilities::new(Arc::clone(&self.lent)),
            calls: Calls { parts: Arc::clone(&self.parts), principals: Principals::default() },
            budget: Budget::new(),
        };
        let mut store = budget::store(&self.engine, state);
        let artifact = self.artifact.instantiate_async(&mut store).await?;
        Ok((store, artifact))
    }
}

impl authenticator::Host for Calls {
    async fn authenticate(&mut self, token: String) -> Result<Resource<Principal>, authenticator::Failure> {
        let fault = |error: wasmtime::Error| {
            tracing::error!(error = format!("{error:#}"), "the identity part failed");
            authenticator::Failure::Unavailable("the identity part failed".to_owned())
        };
        let principal = self.parts.who.authenticate(token).await.map_err(fault)??;
        self.principals.push(principal).map_err(fault)
    }

    async fn ready(&mut self) -> Result<(), String> {
        self.parts.who.ready().await.map_err(|error| format!("the identity part failed: {error:#}"))?
    }
}

impl requests::Host for Calls {
    async fn send(
        &mut self,
        caller: Resource<Principal>,
        request: requests::Request,
    ) -> Result<requests::Response, requests::Failure> {
        let fault = |error: wasmtime::Error| requests::Failure::Unavailable(custodian::failed(&error));
        let principal = self.principals.get(&caller).map_err(fault)?.clone();
        let requests::Request { method, path, query, scopes } = request;
        let request = custodian::Request { method, path, query, scopes };
        match self.parts.api.send(principal, request).await.map_err(fault)? {
            Ok(custodian::Response { status, body, request_id }) => {
                Ok(requests::Response { status, body, request_id })
            }
            // For the user's eyes: it can have a code in it, by which whoever reads it decides who signs in.
            Err(failure @ custodian::Failure::ActionRequired(_)) => Err(local(failure)),
            Err(failure) => {
                // The tool tells its caller as little as is useful, so this is the only place where an operator sees why.
                tracing::warn!(?failure, "a tool's call to the API failed");
                Err(local(failure))
            }
        }
    }
}

/// The two sides of the host have types of their own for one variant.
fn local(failure: custodian::Failure) -> requests::Failure {
    match failure {
        custodian::Failure::Refused(rule) => requests::Failure::Refused(rule),
        custodian::Failure::InteractionRequired(claims) => requests::Failure::InteractionRequired(claims),
        custodian::Failure::ActionRequired(action) => requests::Failure::ActionRequired(action),
        custodian::Failure::AssertionRefused(detail) => requests::Failure::AssertionRefused(detail),
        custodian::Failure::Throttled(seconds) => requests::Failure::Throttled(seconds),
        custodian::Failure::Misconfigured(detail) => requests::Failure::Misconfigured(detail),
        custodian::Failure::Unavailable(detail) => requests::Failure::Unavailable(detail),
    }
}
