//! `cargo xtask test`: everything that can be tested on one machine, in one command.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::artifacts::{self, Built};
use crate::workspace::{Workspace, run, say, shown};

/// What a job ends with that this machine does not allow (the convention of automake and meson).
const NOT_RUN: i32 = 77;

/// Builds, then runs the Rust tests and the real clients.
pub(crate) fn run_all(workspace: &Workspace) -> Result<()> {
    vendored_wit(workspace)?;
    let built = artifacts::build(workspace, false)?;
    say("\nrunning the Rust tests");
    run(rust_tests(workspace, &built))?;
    say("\nholding our verdicts on tokens against PyJWT's and jose's");
    token_oracles(workspace)?;
    say("\nrunning the official Python client of MCP");
    run(mcp_python(workspace, &built))?;
    say("\nrunning Microsoft's Python clients against the emulator");
    run(entra_client(workspace, &built, "python3", "entra-python/run.py"))?;
    say("\nrunning Microsoft's Node clients and a certified relying party against the emulator");
    run(entra_client(workspace, &built, "node", "entra-node/run.mjs"))?;
    say("\nrunning Microsoft's clients under Microsoft's own host names, without a way out");
    let closed_network =
        run_if_allowed(entra_client(workspace, &built, "python3", "entra-real-names/run.py"))?;
    if !closed_network {
        say("\nNOT RUN: the job with Microsoft's own host names; it says why above. Everything else passed.");
    }
    Ok(())
}

/// `wit/deps` is what the script vendors.
fn vendored_wit(workspace: &Workspace) -> Result<()> {
    let mut script = Command::new("bash");
    script.arg(workspace.root.join("wit/vendor.sh")).arg("--check");
    run(script)
}

fn rust_tests(workspace: &Workspace, built: &Built) -> Command {
    let mut cargo = workspace.cargo(["test", "--workspace"]);
    cargo.env("VALET_BIN", &built.valet).env("VALET_ARTIFACTS", &built.native);
    cargo
}

/// Makes a corpus of tokens, and lets other verifiers judge it. They are installed below `--work`, once.
fn token_oracles(workspace: &Workspace) -> Result<()> {
    let folder = workspace.artifacts().join("oracles");
    let corpus = folder.join("corpus");
    let mut make = workspace.cargo(["run", "--quiet", "--package", "valet-oracles", "--"]);
    make.arg(&corpus);
    run(make)?;
    let mut python = Command::new("python3");
    python
        .arg(workspace.root.join("tests/oracles/run.py"))
        .arg("--corpus")
        .arg(&corpus)
        .arg("--work")
        .arg(&folder);
    run(python)
}

fn mcp_python(workspace: &Workspace, built: &Built) -> Command {
    let mut python = Command::new("python3");
    python.arg(workspace.root.join("tests/clients/python/run.py")).arg("--self");
    python.arg("--valet").arg(&built.valet);
    python.arg("--emulator").arg(&built.emulator);
    python.arg("--artifacts").arg(&built.native);
    python.arg("--work").arg(workspace.artifacts().join("clients/python"));
    python
}

/// A job of clients that meet the emulator alone. They install what they need below `--work`, once.
fn entra_client(workspace: &Workspace, built: &Built, language: &str, script: &str) -> Command {
    let name = script.split('/').next().unwrap_or(script);
    let mut command = Command::new(language);
    command.arg(workspace.root.join("tests/clients").join(script));
    command.arg("--emulator").arg(&built.emulator);
    command.arg("--work").arg(workspace.artifacts().join("clients").join(name));
    command
}

/// Runs a job; false if it says that this machine does not allow it.
fn run_if_allowed(mut command: Command) -> Result<bool> {
    let status = command.status().with_context(|| format!("starting {}", shown(&command)))?;
    match status.code() {
        Some(0) => Ok(true),
        Some(NOT_RUN) => Ok(false),
        _ => bail!("{} ended with {status}", shown(&command)),
    }
}
