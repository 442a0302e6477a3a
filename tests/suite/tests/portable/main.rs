//! The portable layouts in a plain `wasi:http` host, the manifests that deploy them, and components that mean harm.
//!
//! The host here is wasmtime with `wasmtime-wasi` and `wasmtime-wasi-http`, WASI 0.2 only, and the two snapshots of `valet::portable`: nothing
//! of the native layout. It reads Spin's manifests and grants what they say, so the end-to-end cases test the manifests as well. It is not Spin;
//! what Spin itself does is in `deploy/spin/README.md`.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed, which is what it should do")]

mod application;
mod bench;
mod cases;
mod documents;
mod end_to_end;
mod hostile;
mod imports;
mod keys;
mod manifest;
mod manifests;
mod senders;
mod shapes;
mod split;
