//! What records are sealed with.

use valet_core_entra::sealed::{NONCE_BYTES, SealingKeys};

use crate::bindings::valet::capability::credential;
use crate::bindings::wasi::random::random;
use crate::fault::Fault;

pub(crate) fn keys() -> Result<SealingKeys, Fault> {
    SealingKeys::new(&credential::sealing_keys()?).ok_or_else(|| {
        Fault::Misconfigured("a sealing key is not 32 bytes long, or there is none".to_owned())
    })
}

pub(crate) fn nonce() -> [u8; NONCE_BYTES] {
    bytes()
}

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&random::get_random_bytes(N as u64));
    bytes
}
