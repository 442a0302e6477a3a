//! What the portable layouts need of a wasmtime host beside `wasmtime-wasi` and `wasmtime-wasi-http`, for embedders that run
//! `single.wasm`, or `split/server.wasm` and `split/custodian.wasm`, in a host of their own.
//!
//! * [`config`] is `wasi:config/store@0.2.0-draft-2024-09-27`
//! * [`keyvalue`] is `wasi:keyvalue/store@0.2.0-draft2`, over our [`Store`](crate::store::Store)
//! * [`egress`] is outbound `wasi:http` to listed origins only, through our [`Sender`](crate::egress::Sender)s
//!
//! The versions are the snapshots that Spin 3.x and 4.x provide. wasmtime's own crates for the two packages carry later drafts, and drafts have
//! to match exactly. Each module has the same parts: owned state, a borrowed view that the interface is implemented on, and `add_to_linker`.
//! The native layout uses none of this; `valet serve` links named capabilities instead.
//!
//! # Examples
//!
//! A store's data, and a linker for it. `wasmtime_wasi::p2::add_to_linker_async` or `wasmtime_wasi_http::p2::add_to_linker_async` adds the
//! rest of WASI 0.2.
//!
//! ```
//! use std::sync::Arc;
//!
//! use url::Url;
//! use valet::egress::{AddressPolicy, Connector, trust};
//! use valet::portable::config::{self, Variables, VariablesView};
//! use valet::portable::egress::{Egress, EgressHooks};
//! use valet::portable::keyvalue::{self, KeyValue, KeyValueView, Stores};
//! use valet::store::{Store, SystemClock};
//! use wasmtime::component::{Linker, ResourceTable};
//! use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};
//!
//! struct State {
//!     table: ResourceTable,
//!     http: WasiHttpCtx,
//!     egress: EgressHooks,
//!     variables: Arc<Variables>,
//!     keyvalue: KeyValue,
//! }
//!
//! impl WasiHttpView for State {
//!     fn http(&mut self) -> WasiHttpCtxView<'_> {
//!         WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.egress }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
//! // Once, for all instances of a component.
//! let connector = Connector::new(trust(None)?, AddressPolicy::PublicOnly);
//! let origins = [Url::parse("https://login.microsoftonline.com")?, Url::parse("https://graph.microsoft.com")?];
//! let egress = Arc::new(Egress::new(&origins, &connector));
//! let variables = Arc::new(Variables::from_iter([("leeway", "60")]));
//! let stores = Arc::new(Stores::new(&Store::memory(SystemClock), ["default"])?);
//!
//! // For each instance.
//! let state = State {
//!     table: ResourceTable::new(),
//!     http: WasiHttpCtx::new(),
//!     egress: EgressHooks::new(egress),
//!     variables,
//!     keyvalue: KeyValue::new(stores, ["default"]),
//! };
//! # drop(state);
//!
//! let engine = wasmtime::Engine::default();
//! let mut linker = Linker::<State>::new(&engine);
//! config::add_to_linker(&mut linker, |state| VariablesView::new(&state.variables))?;
//! keyvalue::add_to_linker(&mut linker, |state| KeyValueView::new(&mut state.keyvalue))?;
//! # Ok(()) }
//! ```

pub mod config;
pub mod egress;
pub mod keyvalue;

mod bindings {
    //! Generated bindings, and every option they are generated with. The world exists only so that the generator finds the interfaces.
    #![allow(missing_docs, unreachable_pub, reason = "generated code; the WIT carries the documentation")]

    wasmtime::component::bindgen!({
        path: ["../wit/deps/config", "../wit/deps/keyvalue"],
        inline: "
            package valet:portable-host;
            world snapshots {
                import wasi:config/store@0.2.0-draft-2024-09-27;
                import wasi:keyvalue/store@0.2.0-draft2;
            }
        ",
        world: "valet:portable-host/snapshots",
        imports: {
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.get": async,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.set": async,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.delete": async,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.exists": async,
            "wasi:keyvalue/store@0.2.0-draft2.[method]bucket.list-keys": async,
        },
        with: { "wasi:keyvalue/store.bucket": super::keyvalue::Bucket },
    });
}
