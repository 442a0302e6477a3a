//! The project's tasks: `cargo xtask <task>`.

mod artifacts;
mod bench;
mod components;
mod demo;
mod fuzz;
mod layouts;
mod machine;
mod mutants;
mod packs;
mod snapshot;
mod tests;
mod windows;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Build, compose, demonstrate, test and measure Valet.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything: components, layouts, the host and the emulator.
    Build {
        /// Build host and emulator for speed. Components always are.
        #[arg(long)]
        release: bool,
    },
    /// Build the components and compose the layouts, nothing native. This is what `spin build` calls.
    Compose,
    /// Check that a component is a tool pack that may be composed in.
    CheckPack {
        /// The component, a `.wasm` file.
        component: std::path::PathBuf,
    },
    /// Start the emulator and the server, sign a demo user in, call the tool, and keep serving.
    Demo {
        /// End after the call; non-zero if anything was wrong.
        #[arg(long)]
        once: bool,
    },
    /// Run every test.
    Test,
    /// Give mutated inputs to the parsers for a bounded time. Needs a C++ compiler.
    Fuzz(fuzz::Arguments),
    /// Change the token rules in small ways, and see whether some test notices each.
    Mutants(mutants::Arguments),
    /// Measure, beside a native server that does the same work.
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            workspace::say(&format!("\ncargo xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::find()?;
    match task {
        Task::Build { release } => artifacts::build(&workspace, release).map(drop),
        Task::Compose => layouts::compose(&workspace).map(drop),
        Task::CheckPack { component } => packs::check_file(&component),
        Task::Demo { once } => demo::run(&workspace, once),
        Task::Test => tests::run_all(&workspace),
        Task::Fuzz(arguments) => fuzz::fuzz(&workspace, &arguments),
        Task::Mutants(arguments) => mutants::mutants(&workspace, &arguments),
        Task::Bench(arguments) => bench::run(&workspace, &arguments),
    }
}
