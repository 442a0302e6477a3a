//! The parts for Windows are compiled for it, on whatever machine this is, and held to the same lints. Nothing of it is run.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::workspace::{Workspace, run, say};

/// Windows, by a linker and a C compiler that Linux has.
const TARGET: &str = "x86_64-pc-windows-gnu";

/// Debian's C compiler for it, which the cryptographic library of the host is built with.
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Checks the host for Windows; false where this machine has not got what that takes, which is said.
pub(crate) fn check(workspace: &Workspace) -> Result<bool> {
    if !runs(Command::new(COMPILER).arg("--version")) {
        say(&format!("{COMPILER} is not here (Debian's gcc-mingw-w64-x86-64)"));
        return Ok(false);
    }
    // Does nothing where it is installed. Where there is no rustup, the toolchain may have it all the same.
    let added = runs(Command::new("rustup").args(["target", "add", TARGET]).current_dir(&workspace.root));
    if !added && !has_target(workspace) {
        say(&format!(
            "the toolchain has no standard library for {TARGET}, and `rustup target add` did not bring it"
        ));
        return Ok(false);
    }
    let mut clippy = workspace.cargo(["clippy", "--quiet", "--target", TARGET]);
    clippy.args(["--package", "valet-sign-in", "--package", "valet-store", "--package", "valet-mcp"]);
    clippy.args(["--", "--deny", "warnings"]);
    run(clippy)?;
    Ok(true)
}

fn has_target(workspace: &Workspace) -> bool {
    let library = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(&workspace.root)
        .output();
    library.is_ok_and(|found| std::path::Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir())
}

fn runs(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
