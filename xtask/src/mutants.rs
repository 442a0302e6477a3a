//! `cargo xtask mutants`: are the rules held by tests? Each mutant of `core/token` changes one thing, and some test has to notice.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, run, say};

/// What to mutate.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files whose path ends like this, for example `verify.rs`; all of the crate without it
    #[arg(long)]
    file: Option<String>,
    /// How many at the same time
    #[arg(long, default_value_t = 1)]
    jobs: u16,
}

/// The release that `.cargo/mutants.toml` was written for.
const VERSION: &str = "27.1.0";

/// Installs cargo-mutants below the target folder, once, and runs it. Its report is in `target/valet/mutants`.
pub(crate) fn mutants(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let folder = workspace.artifacts().join("mutants");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let tools = workspace.target.join("valet-tools");
    let program = tools.join("bin/cargo-mutants");
    if !program.exists() {
        say(&format!("installing cargo-mutants {VERSION} into {}", tools.display()));
        let mut install = workspace.cargo(["install", "cargo-mutants", "--locked", "--version", VERSION]);
        install.arg("--root").arg(&tools);
        run(install)?;
    }
    let mut command = Command::new(program);
    // A target folder of its own: cargo takes the mutated copy's crates for those of the workspace, so in a shared one a mutant would stay behind
    // and pass for the real thing.
    command.env("CARGO_TARGET_DIR", workspace.target.join("valet-mutants"));
    command.current_dir(&workspace.root).args(["mutants", "--package", "valet-core-token", "--no-shuffle"]);
    // A busy machine takes longer now and then, and that is no mutant that runs for ever.
    command.args(["--minimum-test-timeout", "120"]);
    command.arg("--jobs").arg(arguments.jobs.to_string()).arg("--output").arg(&folder);
    if let Some(file) = &arguments.file {
        command.arg("--file").arg(format!("**/{file}"));
    }
    run(command)
}
