//! The principal as the host passes it on: who was verified, and the token that was.
//!
//! Private fields and two makers: [`super::identity::Identity::authenticate`], and for the user of this machine [`super::request::Who`]. The artifacts hold handles; who a principal is can be read by whoever
//! is lent one, its token only by the artifact that `assertion` is linked to.

use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};

use super::bindings::custodian::valet::identity::{assertion, principal};

pub(crate) use principal::{Caller, Kind};

/// A verified caller.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "generated bindings re-export it")]
pub struct Principal {
    caller: Caller,
    token: String,
}

impl Principal {
    /// For [`super::identity`], which has just seen the validator accept `token`.
    pub(super) fn assertion(caller: Caller, token: String) -> Self {
        Self { caller, token }
    }

    /// For the user of this machine, who is not verified by a token: there is none, and whoever could read one is not linked.
    pub(super) fn local(caller: Caller) -> Self {
        Self { caller, token: String::new() }
    }

    /// Who it is.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What was verified.
    pub(super) fn token(&self) -> &str {
        &self.token
    }
}

/// The principals of one store.
#[derive(Default)]
pub(crate) struct Principals(ResourceTable);

impl Principals {
    /// Puts `principal` into the store; the handle is the store's own.
    pub(crate) fn push(&mut self, principal: Principal) -> wasmtime::Result<Resource<Principal>> {
        Ok(self.0.push(principal)?)
    }

    /// The principal behind a handle that an artifact gave.
    pub(crate) fn get(&self, handle: &Resource<Principal>) -> wasmtime::Result<&Principal> {
        Ok(self.0.get(handle)?)
    }

    fn held(&self, handle: &Resource<Principal>) -> &Principal {
        self.get(handle).expect("wasmtime checks handles before it calls the host")
    }
}

impl principal::Host for Principals {}

impl principal::HostPrincipal for Principals {
    fn caller(&mut self, handle: Resource<Principal>) -> Caller {
        self.held(&handle).caller.clone()
    }

    fn drop(&mut self, handle: Resource<Principal>) -> wasmtime::Result<()> {
        self.0.delete(handle)?;
        Ok(())
    }
}

impl assertion::Host for Principals {
    fn token(&mut self, of: Resource<Principal>) -> String {
        self.held(&of).token.clone()
    }
}

/// Lets an artifact read who its callers are.
pub(crate) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> &mut Principals,
) -> wasmtime::Result<()> {
    principal::add_to_linker::<T, HasSelf<Principals>>(linker, view)
}

/// Lets an artifact read the tokens behind its callers. For the custodian alone.
pub(super) fn link_assertion<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> &mut Principals,
) -> wasmtime::Result<()> {
    assertion::add_to_linker::<T, HasSelf<Principals>>(linker, view)
}
