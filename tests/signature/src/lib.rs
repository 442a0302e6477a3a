//! The portable signature check inside WebAssembly: builds the guests, and calls them.
//!
//! The guests are the component that ships, and a probe with its arithmetic alone. They run in wasmtime with Cranelift, as everywhere.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use valet_core_rs256::{Failure, PublicKey};
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store};
use wit_component::ComponentEncoder;

mod shipped {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated code; the WIT carries the documentation"
    )]
    wasmtime::component::bindgen!({ path: "../../wit/crypto", world: "signature-check" });
}

mod probe {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated code; the WIT carries the documentation"
    )]
    wasmtime::component::bindgen!({ path: "probe/probe.wit", world: "probe" });
}

use shipped::exports::valet::crypto::signature as wit;

/// How the guests are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they ship, with `simd128`.
    Simd128,
    /// Without it, as they would be for a host that has no vectors.
    Plain,
}

/// Both guests, instantiated. Calls take turns.
pub struct Guests(Mutex<State>);

struct State {
    store: Store<()>,
    shipped: shipped::SignatureCheck,
    probe: probe::Probe,
}

impl Guests {
    /// Builds the guests below `target`, cargo's target folder, and instantiates them.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn new(target: &Path, form: Form) -> Self {
        let (engine, [shipped, probe]) = (Engine::default(), build(target, form));
        let (mut store, linker) = (Store::new(&engine, ()), Linker::new(&engine));
        let [shipped, probe] = [shipped, probe].map(|bytes| Component::new(&engine, bytes).unwrap());
        // The linker is empty: the check can reach nothing, so it needs nothing.
        let shipped = shipped::SignatureCheck::instantiate(&mut store, &shipped, &linker).unwrap();
        let probe = probe::Probe::instantiate(&mut store, &probe, &linker).unwrap();
        Self(Mutex::new(State { store, shipped, probe }))
    }

    /// `valet:crypto/signature.verify` of the component that ships.
    ///
    /// # Errors
    /// As the component has it.
    ///
    /// # Panics
    /// If the component traps.
    pub fn verify(&self, key: &PublicKey<'_>, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
        let State { store, shipped, .. } = &mut *self.0.lock().unwrap();
        let key = wit::RsaPublicKey { n: key.n.to_vec(), e: key.e.to_vec() };
        let guest = shipped.valet_crypto_signature();
        guest.call_verify(store, wit::Algorithm::Rs256, &key, message, signature).unwrap().map_err(
            |failure| match failure {
                wit::Failure::UnsupportedKey => Failure::UnsupportedKey,
                wit::Failure::Mismatch => Failure::Mismatch,
            },
        )
    }

    /// `valet_core_rs256::recover` of the probe, for keys with exponent 65537.
    ///
    /// # Errors
    /// [`Failure::Mismatch`] for whatever is refused.
    ///
    /// # Panics
    /// If the probe traps.
    pub fn recover(&self, n: &[u8], signature: &[u8]) -> Result<Vec<u8>, Failure> {
        let State { store, probe, .. } = &mut *self.0.lock().unwrap();
        let guest = probe.valet_test_signature_arithmetic();
        guest.call_recover(store, n, signature).unwrap().ok_or(Failure::Mismatch)
    }

    /// RS256 by the library `rsa` inside the probe.
    ///
    /// # Panics
    /// If the probe traps.
    pub fn verify_by_library(&self, n: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let State { store, probe, .. } = &mut *self.0.lock().unwrap();
        let guest = probe.valet_test_signature_arithmetic();
        guest.call_verify_by_library(store, n, message, signature).unwrap()
    }
}

/// The component that ships, and the probe.
fn build(target: &Path, form: Form) -> [Vec<u8>; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--target", "wasm32-unknown-unknown", "--profile", "component"]);
    cargo.args(["--package", "valet-signature", "--package", "valet-signature-probe"]);
    // Set for this test by the cargo that runs it; another package must not see them.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            cargo.env_remove(name);
        }
    }
    let folder = match form {
        Form::Simd128 => target.to_owned(),
        Form::Plain => {
            // In the place of what .cargo/config.toml says, but for its one feature.
            let flags = "-C link-arg=-zstack-size=65536 -C link-arg=--initial-heap=262144";
            cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
            target.join("plain")
        }
    };
    cargo.env("CARGO_TARGET_DIR", &folder);
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    ["valet_signature", "valet_signature_probe"].map(|name| {
        let module = folder.join("wasm32-unknown-unknown/component").join(name).with_extension("wasm");
        let module = std::fs::read(module).unwrap();
        ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
    })
}
