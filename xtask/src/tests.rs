//! `cargo xtask test`: everything that can be tested on one machine, in one command.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::artifacts::{self, Built};
use crate::machine;
use crate::windows;
use crate::workspace::{Workspace, output, run, say, shown};

/// What a job ends with that this machine does not allow (the convention of automake and meson).
const NOT_RUN: i32 = 77;

/// Builds, then runs the Rust tests and the real clients.
pub(crate) fn run_all(workspace: &Workspace) -> Result<()> {
    vendored_wit(workspace)?;
    machine::prepare()?;
    let built = artifacts::build(workspace, false)?;
    say("\nrunning the Rust tests");
    let schema_suite = json_schema_suite(workspace)?;
    run(rust_tests(workspace, &built, &schema_suite))?;
    say("\nchecking the parts for Windows");
    let windows = windows::check(workspace)?;
    say("\nholding our verdicts on tokens against PyJWT's and jose's");
    token_oracles(workspace)?;
    say("\nrunning the conformance suite of MCP");
    run(conformance(workspace, &built))?;
    say("\nrunning the official Python client of MCP, and fastmcp");
    run(mcp_job(workspace, &built, "clients/python"))?;
    say("\nrunning MCP clients for JavaScript");
    let javascript = run_if_allowed(mcp_job(workspace, &built, "clients/node"))?;
    say("\nrunning clients and a browser against sign-in sessions");
    let sessions = run_if_allowed(mcp_job(workspace, &built, "clients/session"))?;
    say("\nrunning clients, a browser and a keychain with the local server");
    let local = run_if_allowed(mcp_job(workspace, &built, "clients/local"))?;
    say("\nrunning validators of MCP servers and of their authorization");
    run(mcp_job(workspace, &built, "validators"))?;
    say("\nrunning Microsoft's Python clients against the emulator");
    run(entra_client(workspace, &built, "python3", "entra-python/run.py"))?;
    say("\nrunning Microsoft's Node clients and a certified relying party against the emulator");
    run(entra_client(workspace, &built, "node", "entra-node/run.mjs"))?;
    say("\nrunning Microsoft's clients under Microsoft's own host names, without a way out");
    let closed_network =
        run_if_allowed(entra_client(workspace, &built, "python3", "entra-real-names/run.py"))?;
    let jobs = [
        (windows, "the check of the parts for Windows"),
        (javascript, "the MCP clients for JavaScript"),
        (sessions, "clients and a browser against sign-in sessions"),
        (local, "clients, a browser and a keychain with the local server"),
        (closed_network, "the job with Microsoft's own host names"),
    ];
    let not_run: Vec<&str> = jobs.into_iter().filter(|(ran, _)| !ran).map(|(_, job)| job).collect();
    for job in &not_run {
        say(&format!("\nNOT RUN: {job}; it says why above. Everything else passed."));
    }
    judge(&not_run, std::env::var_os("CI").is_some_and(|value| !value.is_empty()))
}

/// Jobs that did not run are no failure on a person's machine. Where `ci` says that everything has to run they are.
fn judge(not_run: &[&str], ci: bool) -> Result<()> {
    if ci && !not_run.is_empty() {
        bail!("CI is set, and these did not run: {}", not_run.join(", "));
    }
    Ok(())
}

/// `wit/deps` is what the script vendors.
fn vendored_wit(workspace: &Workspace) -> Result<()> {
    let mut script = Command::new("bash");
    script.arg(workspace.root.join("wit/vendor.sh")).arg("--check");
    run(script)
}

/// Where the official tests of JSON Schema are; fetched once, they are not ours to commit.
fn json_schema_suite(workspace: &Workspace) -> Result<String> {
    let mut fetch = Command::new("python3");
    fetch.arg(workspace.root.join("components/core/schema/tests/fetch_suite.py"));
    fetch.arg(workspace.artifacts().join("json-schema"));
    Ok(output(fetch).context("fetching the official tests of JSON Schema")?.trim().to_owned())
}

fn rust_tests(workspace: &Workspace, built: &Built, schema_suite: &str) -> Command {
    let mut cargo = workspace.cargo(["test", "--workspace"]);
    cargo.env("VALET_BIN", &built.valet).env("VALET_ARTIFACTS", &built.native);
    cargo.env("VALET_JSON_SCHEMA_SUITE", schema_suite);
    cargo
}

/// Makes a corpus of tokens, and lets other verifiers judge it. They are installed below `--work`, once.
fn token_oracles(workspace: &Workspace) -> Result<()> {
    run(workspace.cargo(["build", "--quiet", "--package", "valet-oracles"]))?;
    let mut python = Command::new("python3");
    python.arg(workspace.root.join("tests/oracles/run.py"));
    python.arg("--make").arg(workspace.target.join("debug/valet-oracles"));
    python.arg("--work").arg(workspace.artifacts().join("oracles"));
    run(python)
}

/// A job that meets the server and the emulator. It starts them on free ports, and installs what it needs below `--work`, once.
fn mcp_job(workspace: &Workspace, built: &Built, name: &str) -> Command {
    let mut python = Command::new("python3");
    python.arg(workspace.root.join("tests").join(name).join("run.py"));
    python.arg("--valet").arg(&built.valet);
    python.arg("--emulator").arg(&built.emulator);
    python.arg("--artifacts").arg(&built.native);
    python.arg("--work").arg(workspace.artifacts().join(name));
    python
}

/// The suite installs itself below `--work`, once.
fn conformance(workspace: &Workspace, built: &Built) -> Command {
    let mut node = Command::new("node");
    node.arg(workspace.root.join("tests/conformance/run.mjs"));
    node.arg("--valet").arg(&built.valet);
    node.arg("--emulator").arg(&built.emulator);
    node.arg("--artifacts").arg(&built.native);
    node.arg("--fixtures").arg(built.conformance());
    node.arg("--work").arg(workspace.artifacts().join("clients/conformance"));
    node
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

#[cfg(test)]
mod ends {
    use super::*;

    #[test]
    fn a_job_that_did_not_run_fails_under_ci_alone() {
        let ending = |code: i32| {
            let mut job = Command::new("sh");
            job.args(["-c", &format!("exit {code}")]);
            run_if_allowed(job)
        };
        assert!(ending(0).is_ok_and(|ran| ran) && ending(NOT_RUN).is_ok_and(|ran| !ran));
        assert!(ending(1).is_err());
        let error = judge(&["one", "another"], true).map_err(|error| error.to_string());
        assert_eq!(error, Err("CI is set, and these did not run: one, another".to_owned()));
        assert!(judge(&["one"], false).is_ok() && judge(&[], true).is_ok());
    }
}
