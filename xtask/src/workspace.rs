//! Where things are, and how other programs are run.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The workspace that this program is run in.
pub(crate) struct Workspace {
    /// Its root folder.
    pub(crate) root: PathBuf,
    /// cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        // `cargo run` says where; the folder that this was built in may be another checkout's with the same target folder.
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(Path::new(&here).join("Cargo.toml"))
            .no_deps()
            .exec()
            .context("asking cargo where the workspace is")?;
        Ok(Self { root: metadata.workspace_root.into(), target: metadata.target_directory.into() })
    }

    /// Where components and layouts are put.
    pub(crate) fn artifacts(&self) -> PathBuf {
        self.target.join("valet")
    }

    /// A cargo command in the workspace.
    pub(crate) fn cargo<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.root);
        // Set by the `cargo run` that runs us; packages of the inner build must not see them.
        without(command, &["CARGO_PKG_", "CARGO_MANIFEST_"])
    }
}

/// A command for a program whose settings we write: variables of this shell that `valet` would take for keys of its configuration do not reach it.
pub(crate) fn without_settings(command: Command) -> Command {
    without(command, &["VALET_"])
}

/// The command without the variables of this process whose names begin so.
fn without(mut command: Command, prefixes: &[&str]) -> Command {
    let names = std::env::vars_os().map(|(name, _)| name);
    let begins = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    for name in names.filter(|name| name.to_str().is_some_and(begins)) {
        command.env_remove(name);
    }
    command
}

/// Runs `command`, its output on the terminal.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {}", shown(&command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(&command));
    }
    Ok(())
}

/// Runs `command` and gives its standard output.
pub(crate) fn output(mut command: Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {}", shown(&command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            shown(&command),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as a person would read it.
pub(crate) fn shown(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Says what is being done, on standard output: these tasks talk to people.
pub(crate) fn say(text: &str) {
    // A closed standard output is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}
