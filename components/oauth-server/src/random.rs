//! Random bytes for secrets and names.

use valet_core_oauth::transaction::EntraSecrets;

use crate::bindings::wasi::random::random;

/// Random bytes, fit for a key.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&random::get_random_bytes(N as u64));
    bytes
}

/// What one request to Entra needs.
pub(crate) fn entra_secrets() -> EntraSecrets {
    EntraSecrets { state: bytes(), nonce: bytes(), verifier: bytes() }
}
