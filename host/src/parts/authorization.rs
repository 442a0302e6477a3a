//! The authorization artifact: our own authorization server, in a fresh store for each request.
//!
//! It reaches the sessions through the host: a custodian is made for each call, and the credential stays there.

use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use super::bindings::authorization::valet::capability::{
    egress_metadata, grant_store, rate_limit, token_signing,
};
use super::bindings::authorization::valet::oauth::{forwarding, sessions};
use super::bindings::authorization::{Authorization as Artifact, AuthorizationPre};
use super::bindings::custodian::exports::valet::oauth::{forwarding as guest_forwarding, sessions as guest};
use super::bindings::custodian::wasi::random::random;
use super::bindings::identity::valet::capability::{own_keys, settings};
use super::bindings::identity::valet::crypto::signature;
use super::bindings::identity::wasi::clocks::wall_clock;
use super::bindings::request::valet::capability::{audit, request_state};
use super::budget::{self, Budget, Budgeted};
use super::custodian::{self, Custodian};
use crate::capabilities::{Capabilities, Lent};

pub(crate) use super::bindings::authorization::exports::valet::oauth::authorization::{Request, Response};

/// What answers the clients of our authorization server.
pub(crate) struct Authorization {
    engine: Engine,
    artifact: AuthorizationPre<State>,
    lent: Arc<Lent>,
    custodian: Arc<Custodian>,
}

struct State {
    capabilities: Capabilities,
    sessions: Sessions,
    budget: Budget,
}

/// What the artifact is lent of the custodian.
struct Sessions(Arc<Custodian>);

impl Budgeted for State {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }
}

impl Authorization {
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        lent: Arc<Lent>,
        custodian: Arc<Custodian>,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::<State>::new(engine);
        let view: fn(&mut State) -> &mut Capabilities = |state| &mut state.capabilities;
        type Lends = HasSelf<Capabilities>;
        sessions::add_to_linker::<_, HasSelf<Sessions>>(&mut linker, |state| &mut state.sessions)?;
        forwarding::add_to_linker::<_, HasSelf<Sessions>>(&mut linker, |state| &mut state.sessions)?;
        signature::add_to_linker::<_, Lends>(&mut linker, view)?;
        settings::add_to_linker::<_, Lends>(&mut linker, view)?;
        audit::add_to_linker::<_, Lends>(&mut linker, view)?;
        request_state::add_to_linker::<_, Lends>(&mut linker, view)?;
        grant_store::add_to_linker::<_, Lends>(&mut linker, view)?;
        token_signing::add_to_linker::<_, Lends>(&mut linker, view)?;
        own_keys::add_to_linker::<_, Lends>(&mut linker, view)?;
        egress_metadata::add_to_linker::<_, Lends>(&mut linker, view)?;
        rate_limit::add_to_linker::<_, Lends>(&mut linker, view)?;
        wall_clock::add_to_linker::<_, Lends>(&mut linker, view)?;
        random::add_to_linker::<_, Lends>(&mut linker, view)?;
        let artifact = AuthorizationPre::new(linker.instantiate_pre(component)?)?;
        Ok(Self { engine: engine.clone(), artifact, lent, custodian })
    }

    /// Answers one request.
    pub(crate) async fn handle(&self, request: Request) -> wasmtime::Result<Response> {
        let (mut store, artifact) = self.instance().await?;
        artifact.valet_oauth_authorization().call_handle(&mut store, &request).await
    }

    /// Whether the settings are complete.
    pub(crate) async fn check(&self) -> wasmtime::Result<Result<(), String>> {
        let (mut store, artifact) = self.instance().await?;
        artifact.valet_oauth_authorization().call_check(&mut store).await
    }

    async fn instance(&self) -> wasmtime::Result<(wasmtime::Store<State>, Artifact)> {
        let state = State {
            capabilities: Capabilities::for_browsers(Arc::clone(&self.lent)),
            sessions: Sessions(Arc::clone(&self.custodian)),
            budget: Budget::new(),
        };
        let mut store = budget::store(&self.engine, state);
        let artifact = self.artifact.instantiate_async(&mut store).await?;
        Ok((store, artifact))
    }
}

fn fault(error: wasmtime::Error) -> sessions::Failure {
    sessions::Failure::Unavailable(custodian::failed(&error))
}

impl sessions::Host for Sessions {
    async fn open(&mut self, of: sessions::SignIn) -> Result<sessions::Session, sessions::Failure> {
        self.0.open_session(sign_in(of)).await.map_err(fault)?.map(session).map_err(failure)
    }

    async fn renew(&mut self, id: String) -> Result<sessions::Session, sessions::Failure> {
        self.0.renew_session(&id).await.map_err(fault)?.map(session).map_err(failure)
    }

    async fn step_up(&mut self, id: String, of: sessions::SignIn) -> Result<bool, sessions::Failure> {
        self.0.step_session_up(&id, sign_in(of)).await.map_err(fault)?.map_err(failure)
    }

    async fn close(&mut self, id: String) -> Result<(), sessions::Failure> {
        self.0.close_session(&id).await.map_err(fault)?.map_err(failure)
    }
}

impl forwarding::Host for Sessions {
    async fn send(&mut self, form: String) -> Result<forwarding::Answer, forwarding::Failure> {
        let sent = self
            .0
            .forward(&form)
            .await
            .map_err(|error| forwarding::Failure::Unavailable(custodian::failed(&error)))?;
        match sent {
            Ok(guest_forwarding::Answer { status, retry_after, body }) => {
                Ok(forwarding::Answer { status, retry_after, body })
            }
            Err(guest_forwarding::Failure::Refused(why)) => Err(forwarding::Failure::Refused(why)),
            Err(guest_forwarding::Failure::Misconfigured(why)) => {
                Err(forwarding::Failure::Misconfigured(why))
            }
            Err(guest_forwarding::Failure::Unavailable(why)) => Err(forwarding::Failure::Unavailable(why)),
        }
    }
}

fn sign_in(of: sessions::SignIn) -> guest::SignIn {
    let sessions::SignIn { code, redirect_uri, verifier, nonce, claims } = of;
    guest::SignIn { code, redirect_uri, verifier, nonce, claims }
}

/// The two sides of the host have types of their own for one record.
fn session(session: guest::Session) -> sessions::Session {
    let guest::Session { id, tenant_id, object_id, display_name, roles } = session;
    sessions::Session { id, tenant_id, object_id, display_name, roles }
}

fn failure(failure: guest::Failure) -> sessions::Failure {
    match failure {
        guest::Failure::Ended(why) => sessions::Failure::Ended(why),
        guest::Failure::InteractionRequired(claims) => sessions::Failure::InteractionRequired(claims),
        guest::Failure::Misconfigured(why) => sessions::Failure::Misconfigured(why),
        guest::Failure::Throttled(seconds) => sessions::Failure::Throttled(seconds),
        guest::Failure::Unavailable(why) => sessions::Failure::Unavailable(why),
    }
}
