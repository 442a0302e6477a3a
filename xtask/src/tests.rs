//! `cargo xtask test`: everything that can be tested on one machine, in one command.

use std::process::Command;

use anyhow::Result;

use crate::artifacts::{self, Built};
use crate::workspace::{Workspace, run, say};

/// Builds, then runs the Rust tests and the real clients.
pub(crate) fn run_all(workspace: &Workspace) -> Result<()> {
    vendored_wit(workspace)?;
    let built = artifacts::build(workspace, false)?;
    say("\nrunning the Rust tests");
    run(rust_tests(workspace, &built))?;
    say("\nrunning the official Python client of MCP");
    run(python_client(workspace, &built))
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

fn python_client(workspace: &Workspace, built: &Built) -> Command {
    let mut python = Command::new("python3");
    python.arg(workspace.root.join("tests/clients/python/run.py")).arg("--self");
    python
        .arg("--valet")
        .arg(&built.valet)
        .arg("--emulator")
        .arg(&built.emulator)
        .arg("--artifacts")
        .arg(&built.native);
    python.arg("--work").arg(workspace.artifacts().join("clients/python"));
    python
}
