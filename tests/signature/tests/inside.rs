//! The tests of `valet-core-rs256`, all of them, with the check inside WebAssembly: whole checks by the component that ships, exponentiations
//! by the probe.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

use std::path::Path;
use std::sync::LazyLock;

use valet_core_rs256::{EXPONENT, Failure, PublicKey};
use valet_signature_tests::{Form, Guests};

#[path = "../../../components/core/rs256/src/tests/mod.rs"]
mod tests;

static GUESTS: LazyLock<Guests> = LazyLock::new(|| {
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the folder lies in the target folder");
    Guests::new(target, Form::Simd128)
});

fn verify(key: &PublicKey<'_>, message: &[u8], signature: &[u8]) -> Result<(), Failure> {
    let inside = GUESTS.verify(key, message, signature);
    assert_eq!(inside, valet_core_rs256::verify(key, message, signature), "the two forms differ");
    inside
}

fn recover(key: &PublicKey<'_>, signature: &[u8]) -> Result<Vec<u8>, Failure> {
    GUESTS.recover(key.n, signature)
}
