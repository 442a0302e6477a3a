//! The token-validator component by itself, in the host's engine, with either signature back end: the host's, or the portable component.
//!
//! It has one import, the signature check, so nothing else stands behind a verdict.

mod bindings {
    //! Generated bindings, one module a component.
    #![allow(missing_docs, unreachable_pub, reason = "generated code; the WIT carries the documentation")]

    pub mod validator {
        wasmtime::component::bindgen!({
            path: [
                "../../wit/deps/io",
                "../../wit/deps/clocks",
                "../../wit/deps/random",
                "../../wit/crypto",
                "../../wit/capability",
                "../../wit/identity",
            ],
            world: "valet:identity/token-validator",
        });
    }

    pub mod signature {
        wasmtime::component::bindgen!({ path: "../../wit/crypto", world: "valet:crypto/signature-check" });
    }
}

use std::path::{Path, PathBuf};
use std::sync::Arc;

use valet::capabilities::{SignatureChecks, SignatureFailure};
use wasmtime::Result;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Store};

use bindings::signature::exports::valet::crypto::signature as portable;
use bindings::signature::{SignatureCheck, SignatureCheckPre};
use bindings::validator::exports::valet::identity::{principal, validator};
use bindings::validator::valet::crypto::signature;
use bindings::validator::{TokenValidator, TokenValidatorPre};

pub use bindings::validator::exports::valet::identity::principal::Caller;
pub use bindings::validator::exports::valet::identity::refusals::{Reason, Refusal};
pub use bindings::validator::exports::valet::identity::validator::{AtJwtRules, Rules};

/// Who does the arithmetic.
#[derive(Clone)]
pub enum BackEnd {
    /// The host, by aws-lc. What it has found good it remembers, for as long as this lives.
    Native(Arc<SignatureChecks>),
    /// The component that layouts are composed with where the host lends nothing.
    Portable,
}

/// The two components, ready to be instantiated.
pub struct Rig {
    engine: Engine,
    validator: TokenValidatorPre<State>,
    signature: SignatureCheckPre<()>,
}

struct State(Checks);

enum Checks {
    Native(Arc<SignatureChecks>),
    Portable(Box<(Store<()>, SignatureCheck)>),
}

/// One instance of the validator, with its own of the signature check.
pub struct Instance {
    store: Store<State>,
    validator: TokenValidator,
}

impl Rig {
    /// Compiles what `cargo xtask compose` put into `folder`.
    ///
    /// # Errors
    /// When a component is not there or does not fit its interface.
    pub fn new(folder: &Path) -> Result<Self> {
        let engine = valet::engine::engine(4)?;
        let read = |name: &str| {
            let path = folder.join(name);
            Component::from_file(&engine, &path)
                .with_context(|| format!("{}: `cargo xtask compose` makes it", path.display()))
        };
        let mut linker = Linker::new(&engine);
        signature::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
        let validator = TokenValidatorPre::new(linker.instantiate_pre(&read("token-validator.wasm")?)?)?;
        let check = Linker::new(&engine).instantiate_pre(&read("signature.wasm")?)?;
        Ok(Self { validator, signature: SignatureCheckPre::new(check)?, engine })
    }

    /// A fresh instance.
    ///
    /// # Errors
    /// When the pool is exhausted.
    pub fn instance(&self, back_end: &BackEnd) -> Result<Instance> {
        let checks = match back_end {
            BackEnd::Native(checks) => Checks::Native(Arc::clone(checks)),
            BackEnd::Portable => {
                let mut store = unlimited(&self.engine, ());
                let check = self.signature.instantiate(&mut store)?;
                Checks::Portable(Box::new((store, check)))
            }
        };
        let mut store = unlimited(&self.engine, State(checks));
        let validator = self.validator.instantiate(&mut store)?;
        Ok(Instance { store, validator })
    }
}

fn unlimited<T: 'static>(engine: &Engine, data: T) -> Store<T> {
    let mut store = Store::new(engine, data);
    store.set_epoch_deadline(u64::MAX / 2);
    store
}

impl Instance {
    /// `validator.validate`, and who the principal is.
    ///
    /// # Errors
    /// When the component traps. A refusal is the inner error.
    pub fn validate(
        &mut self,
        token: &str,
        keys: &str,
        rules: &Rules,
        now: u64,
    ) -> Result<Result<Caller, Refusal>> {
        let guest = self.validator.valet_identity_validator();
        let verdict = guest.call_validate(&mut self.store, token, keys, rules, now)?;
        self.caller(verdict)
    }

    /// `validator.validate-at-jwt`, likewise.
    ///
    /// # Errors
    /// As [`Self::validate`].
    pub fn validate_at_jwt(
        &mut self,
        token: &str,
        keys: &str,
        rules: &AtJwtRules,
        now: u64,
    ) -> Result<Result<Caller, Refusal>> {
        let guest = self.validator.valet_identity_validator();
        let verdict = guest.call_validate_at_jwt(&mut self.store, token, keys, rules, now)?;
        self.caller(verdict)
    }

    fn caller(&mut self, verdict: Result<validator::Principal, Refusal>) -> Result<Result<Caller, Refusal>> {
        let handle = match verdict {
            Ok(handle) => handle,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let guest: &principal::Guest = self.validator.valet_identity_principal();
        let caller = guest.principal().call_caller(&mut self.store, handle)?;
        handle.resource_drop(&mut self.store)?;
        Ok(Ok(caller))
    }
}

impl signature::Host for State {
    fn verify(
        &mut self,
        algorithm: signature::Algorithm,
        key: signature::RsaPublicKey,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<(), signature::Failure> {
        let signature::Algorithm::Rs256 = algorithm;
        match &mut self.0 {
            Checks::Native(checks) => {
                checks.rs256(&key.n, &key.e, &message, &signature).map_err(|failure| match failure {
                    SignatureFailure::UnsupportedKey => signature::Failure::UnsupportedKey,
                    SignatureFailure::Mismatch => signature::Failure::Mismatch,
                })
            }
            Checks::Portable(part) => {
                let (store, check) = &mut **part;
                let key = portable::RsaPublicKey { n: key.n, e: key.e };
                let verdict = check.valet_crypto_signature().call_verify(
                    store,
                    portable::Algorithm::Rs256,
                    &key,
                    &message,
                    &signature,
                );
                verdict.expect("the signature component does not trap").map_err(|failure| match failure {
                    portable::Failure::UnsupportedKey => signature::Failure::UnsupportedKey,
                    portable::Failure::Mismatch => signature::Failure::Mismatch,
                })
            }
        }
    }
}

/// The folder of the components: `VALET_COMPONENTS`, or where `cargo xtask compose` puts them.
#[must_use]
pub fn components() -> PathBuf {
    std::env::var_os("VALET_COMPONENTS").map_or_else(
        || {
            // This program lies in `PROFILE` or `PROFILE/deps` of cargo's target folder.
            let program = std::env::current_exe().expect("a program has a path");
            let found =
                program.ancestors().map(|folder| folder.join("valet/components")).find(|path| path.is_dir());
            found.unwrap_or_else(|| PathBuf::from("target/valet/components"))
        },
        PathBuf::from,
    )
}
