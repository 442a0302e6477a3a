//! Everything that is needed to serve: layouts, host, emulator, and the native layout compiled ahead of time.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

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

impl Built {
    /// The folder with the native layout whose tools are the fixtures of the conformance suite.
    pub(crate) fn conformance(&self) -> PathBuf {
        self.native.with_file_name("conformance")
    }
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
    for part in ["identity", "request", "custodian", "authorization", "local-custodian"] {
        compile(&built, &built.native.join(part))?;
    }
    compile(&built, &built.conformance().join("request"))?;
    for part in ["identity.cwasm", "custodian.cwasm"] {
        std::fs::copy(built.native.join(part), built.conformance().join(part))
            .with_context(|| format!("copying {part}"))?;
    }
    Ok(built)
}

/// Compiles the artifact at `path`, which has no ending.
fn compile(built: &Built, path: &Path) -> Result<()> {
    let mut compile = std::process::Command::new(&built.valet);
    compile.arg("compile").arg(path.with_extension("wasm"));
    compile.arg("--output").arg(path.with_extension("cwasm"));
    run(compile)
}
