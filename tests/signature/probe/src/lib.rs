//! The arithmetic of `valet-core-rs256` where a test can compare every bit of it, and a library to measure beside it. Never shipped.

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        unsafe_code,
        clippy::all,
        reason = "generated code; the WIT carries the documentation"
    )]

    wit_bindgen::generate!({ path: "probe.wit", world: "probe" });

    // On other targets the exported symbol names would reach the system linker, which cannot read them.
    #[cfg(target_family = "wasm")]
    use {super::Component, valet_heap as _};
    #[cfg(target_family = "wasm")]
    export!(Component);
}

use bindings::exports::valet_test::signature::arithmetic::Guest;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;
use rsa::{BigUint, RsaPublicKey};
use valet_core_rs256::{EXPONENT, PublicKey, recover};

struct Component;

impl Guest for Component {
    fn recover(n: Vec<u8>, signature: Vec<u8>) -> Option<Vec<u8>> {
        recover(&PublicKey { n: &n, e: &EXPONENT }, &signature).ok()
    }

    fn verify_by_library(n: Vec<u8>, message: Vec<u8>, signature: Vec<u8>) -> bool {
        let Ok(key) = RsaPublicKey::new(BigUint::from_bytes_be(&n), BigUint::from(65537_u32)) else {
            return false;
        };
        Signature::try_from(signature.as_slice())
            .is_ok_and(|signature| VerifyingKey::<Sha256>::new(key).verify(&message, &signature).is_ok())
    }
}
