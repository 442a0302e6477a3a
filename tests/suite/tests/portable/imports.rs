//! What the portable artifacts ask of a runtime, against what every Spin from 3.6 to 4.1 gives a WASI 0.2 component.

use std::path::PathBuf;

use crate::application::names;
use crate::manifest::root;

/// What they may import: WASI 0.2.0, which links wherever any 0.2 does, and the two snapshots. Spin gives more (sockets, files, environment,
/// its own interfaces); a portable artifact that asks for more has become less portable, and has to be thought about.
const SPIN_GIVES: [&str; 12] = [
    "wasi:cli/stderr@0.2.0",
    "wasi:clocks/monotonic-clock@0.2.0",
    "wasi:clocks/wall-clock@0.2.0",
    "wasi:config/store@0.2.0-draft-2024-09-27",
    "wasi:http/outgoing-handler@0.2.0",
    "wasi:http/types@0.2.0",
    "wasi:io/error@0.2.0",
    "wasi:io/poll@0.2.0",
    "wasi:io/streams@0.2.0",
    "wasi:keyvalue/store@0.2.0-draft2",
    "wasi:random/random@0.2.0",
    // Not imported today; a tool pack may want it.
    "wasi:random/insecure-seed@0.2.0",
];

fn artifacts() -> [PathBuf; 3] {
    ["single", "server", "custodian"].map(|name| root().join(format!("deploy/spin/artifacts/{name}.wasm")))
}

#[test]
fn artifacts_import_what_every_spin_gives_and_nothing_else() {
    for artifact in artifacts() {
        let (imports, _) = names(&artifact);
        let foreign: Vec<_> = imports.iter().filter(|name| !SPIN_GIVES.contains(&name.as_str())).collect();
        assert!(foreign.is_empty(), "{} imports {foreign:?}", artifact.display());
        assert!(!imports.iter().any(|name| name.contains("@0.3")), "{imports:?}");
    }
}

#[test]
fn artifacts_export_one_handler() {
    // Spin refuses to start a component with more than one, and picks the trigger's executor by it.
    for artifact in artifacts() {
        let (_, exports) = names(&artifact);
        assert_eq!(exports, ["wasi:http/incoming-handler@0.2.0"], "{}", artifact.display());
    }
}
