//! What a test does that cannot run on this machine, for want of a program, a right or data. `host/store`, `host/sign-in`, `tests/minting` and the cores `rs256` and
//! `schema` have this file, too.

use std::ffi::OsStr;
use std::io::Write as _;

/// Says that something was not run, and why. Where the environment has `CI`, as that of every service has that runs such a list, everything is there that it takes, so
/// that is a failure: nobody reads what passes there.
///
/// # Panics
/// Where `CI` is set and not empty.
pub(crate) fn not_run(why: &str) {
    assert!(!is_set(std::env::var_os("CI").as_deref()), "NOT RUN, where CI has everything run: {why}");
    // Past the harness, which keeps back what a test prints that passes.
    let _ = writeln!(std::io::stderr(), "NOT RUN: {why}");
}

fn is_set(ci: Option<&OsStr>) -> bool {
    ci.is_some_and(|value| !value.is_empty())
}
