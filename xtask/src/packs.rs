//! What a tool pack may be made of. `cargo xtask compose` asks this of each pack before it is composed in, `cargo xtask check-pack` of any file.
//!
//! Imports decide what a pack can reach. Exports count as well: a layout links a pack's exports by name, so a pack that exported `settings` or
//! `authenticator` beside its tools could answer for the real ones.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::components::{FIXTURES, exports, imports};

/// The components that are tool packs.
pub(crate) const PACKS: [&str; 2] = ["graph-tools", FIXTURES];

/// Everything that the world `valet:mcp/tool-pack` imports, and what those interfaces need.
const MAY_IMPORT: [&str; 4] = [
    "valet:downstream/requests@0.1.0",
    "valet:identity/principal@0.1.0",
    "wasi:clocks/wall-clock@0.2.0",
    "wasi:random/random@0.2.0",
];

/// What that world exports.
const EXPORTS: [&str; 4] = [
    "valet:mcp/interaction@0.1.0",
    "valet:mcp/prompts@0.1.0",
    "valet:mcp/resources@0.1.0",
    "valet:mcp/tools@0.1.0",
];

/// Refuses the component in the file at `path` if it is not a tool pack.
pub(crate) fn check_file(path: &Path) -> Result<()> {
    let component = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    check(&component).with_context(|| path.display().to_string())
}

/// Refuses `component` if it is not a tool pack that may be composed in.
pub(crate) fn check(component: &[u8]) -> Result<()> {
    let foreign: Vec<String> =
        imports(component)?.into_iter().filter(|name| !MAY_IMPORT.contains(&name.as_str())).collect();
    if !foreign.is_empty() {
        bail!(
            "a tool pack may not import {}; build it for wasm32-unknown-unknown, which has no WASI, and see wit/mcp/worlds.wit for what there is",
            foreign.join(", ")
        );
    }
    let exported = exports(component)?;
    if exported != EXPORTS {
        bail!(
            "a tool pack exports {} and nothing else; this one exports {}",
            EXPORTS.join(", "),
            exported.join(", ")
        );
    }
    Ok(())
}
