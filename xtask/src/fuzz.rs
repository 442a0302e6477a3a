//! `cargo xtask fuzz`: the targets of `tests/fuzz` under libFuzzer, for a bounded time or number of inputs.
//!
//! Coverage instrumentation is a pass of LLVM that stable Rust can be told to run. Address sanitising is not, and would have little to find: what is
//! fuzzed forbids unsafe code.

use anyhow::{Context as _, Result, ensure};

use crate::workspace::{Workspace, output, run, say};

/// What and how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Inputs for each target, in place of a time
    #[arg(long, conflicts_with = "seconds")]
    runs: Option<u64>,
    /// This target alone
    #[arg(long)]
    target: Option<String>,
    /// Where the dice start; the same seed on the same corpus gives the same run
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// What cargo-fuzz passes to instrument for coverage and comparisons.
const INSTRUMENTATION: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // Inlined across units, counters would be lost.
    "-Ccodegen-units=1",
];

/// Builds the runner and runs every target, or the one asked for. A finding is a file in `target/valet/fuzz/<target>`, and an error.
pub(crate) fn fuzz(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let runner = build(workspace)?;
    let mut list = std::process::Command::new(&runner);
    list.env("VALET_FUZZ_LIST", "1");
    let list = output(list)?;
    let targets: Vec<(&str, &str)> = list.lines().filter_map(|line| line.split_once(' ')).collect();
    let wanted = |name: &str| arguments.target.as_ref().is_none_or(|wanted| wanted == name);
    ensure!(
        targets.iter().any(|(name, _)| wanted(name)),
        "there is no such target; there are these, with their longest inputs:\n{list}"
    );
    for (name, max_len) in targets.into_iter().filter(|(name, _)| wanted(name)) {
        let folder = workspace.artifacts().join("fuzz").join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        say(&format!("\nfuzzing {}", name));
        let mut fuzzer = std::process::Command::new(&runner);
        fuzzer.env("VALET_FUZZ_TARGET", name).env("VALET_FUZZ_SEEDS", &folder).arg(&folder);
        let corpus = workspace.root.join("tests/fuzz/corpus").join(name);
        if corpus.is_dir() {
            fuzzer.arg(corpus);
        }
        fuzzer.arg(format!("-artifact_prefix={}/finding-", folder.display()));
        fuzzer.arg(format!("-max_len={max_len}")).arg(format!("-seed={}", arguments.seed));
        // A unit that takes this many seconds, or megabytes, is a finding too.
        fuzzer.args(["-timeout=5", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"]);
        match arguments.runs {
            Some(runs) => fuzzer.arg(format!("-runs={runs}")),
            None => fuzzer.arg(format!("-max_total_time={}", arguments.seconds)),
        };
        run(fuzzer).with_context(|| format!("`{}` has a finding, or was stopped", name))?;
    }
    Ok(())
}

/// Builds the runner; gives its path. The instrumentation is for a named target, so that build scripts go without it.
fn build(workspace: &Workspace) -> Result<std::path::PathBuf> {
    let mut rustc = std::process::Command::new("rustc");
    rustc.args(["--print", "host-tuple"]).current_dir(&workspace.root);
    let host = output(rustc)?.trim().to_owned();
    let folder = workspace.target.join("valet-fuzz");
    let manifest = workspace.root.join("tests/fuzz/runner/Cargo.toml");
    let mut cargo = workspace.cargo(["build", "--release", "--target", &host]);
    cargo.arg("--manifest-path").arg(manifest).env("CARGO_TARGET_DIR", &folder);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}"));
    run(cargo)?;
    Ok(folder.join(host).join("release/valet-fuzz-runner"))
}
