//! Generated bindings, every option they are generated with, and the export. The one place where unsafe code is allowed.
#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    reason = "generated code; the WIT carries the documentation"
)]

wit_bindgen::generate!({
    path: [
        "../../wit/deps/io",
        "../../wit/deps/clocks",
        "../../wit/deps/random",
        "../../wit/crypto",
        "../../wit/capability",
        "../../wit/identity",
        "../../wit/oauth",
    ],
    world: "valet:oauth/oauth-server",
    generate_all,
});

// On other targets the exported symbol names would reach the system linker, which cannot read them.
#[cfg(target_family = "wasm")]
use {crate::Component, valet_heap as _};
#[cfg(target_family = "wasm")]
export!(Component);
