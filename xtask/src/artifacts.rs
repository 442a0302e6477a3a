//! Everything that is needed to serve: layouts, host, emulator, and the native layout compiled ahead of time.

use std::path::PathBuf;

use anyhow::Result;

use crate::layouts;
use crate::workspace::{Workspace, run, say};

/// What was built and where it is.
pub(crate) struct Built {
    /// The `valet` command.
    pub(crate) valet: PathBuf,
    /// The `entra-emulator` command.
    pub(crate) emulator: PathBuf,
    /// The folder with the native layout.
    pub(crate) native: PathBuf,
}

/// Builds all of it.
pub(crate) fn build(workspace: &Workspace, release: bool) -> Result<Built> {
    let layouts = layouts::compose(workspace)?;
    say("building the host and the emulator");
    let mut cargo = workspace.cargo(["build", "--package", "valet-mcp", "--package", "entra-emulator"]);
    if release {
        cargo.arg("--release");
    }
    run(cargo)?;
    let programs = workspace.target.join(if release { "release" } else { "debug" });
    let built = Built {
        valet: programs.join("valet"),
        emulator: programs.join("entra-emulator"),
        native: layouts.join("native"),
    };
    say("compiling the native layout ahead of time");
    for part in ["identity", "request", "custodian"] {
        let mut compile = std::process::Command::new(&built.valet);
        compile.arg("compile").arg(built.native.join(part).with_extension("wasm"));
        compile.arg("--output").arg(built.native.join(part).with_extension("cwasm"));
        run(compile)?;
    }
    Ok(built)
}
