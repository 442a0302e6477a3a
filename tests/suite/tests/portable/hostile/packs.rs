//! The check that `cargo xtask compose` makes of every tool pack, asked by its own command.

use std::path::Path;

use super::guests::{cargo, guest, snooper, target};
use crate::bench::Scratch;

/// What the check says of the component at `path`.
fn check_pack(path: &Path) -> Result<(), String> {
    let output = cargo(&["run", "--quiet", "--package", "xtask", "--", "check-pack", path.to_str().unwrap()]);
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(said) }
}

/// What the check says of a guest.
fn check_guest(file: &str, world: &str) -> Result<(), String> {
    let folder = Scratch::new();
    check_pack(&folder.write("pack.wasm", guest(file, world)))
}

#[track_caller]
fn refused(checked: Result<(), String>, names: &[&str]) {
    let said = checked.expect_err("such a pack is refused");
    for name in names {
        assert!(said.contains(name), "{name} in: {said}");
    }
}

#[test]
fn a_pack_that_can_read_the_environment_or_files_is_refused() {
    refused(
        check_pack(&snooper()),
        &["may not import", "wasi:cli/environment@0.2", "wasi:filesystem/preopens@0.2"],
    );
}

#[test]
fn a_pack_that_wants_tokens_is_refused() {
    refused(check_guest("thief.wat", "thief"), &["may not import valet:identity/assertion@0.1.0;"]);
}

#[test]
fn a_pack_that_provides_more_than_tools_is_refused() {
    refused(
        check_guest("usurper.wat", "impostor"),
        &[
            "exports valet:identity/principal@0.1.0, valet:mcp/interaction@0.1.0, valet:mcp/prompts@0.1.0, valet:mcp/resources@0.1.0, valet:mcp/tools@0.1.0",
        ],
    );
    // It needs a type of ours for that, so its imports give it away first.
    refused(check_guest("usurper.wat", "usurper"), &["may not import valet:identity/refusals@0.1.0;"]);
}

#[test]
fn good_packs_pass() {
    assert_eq!(check_pack(&target().join("valet/components/graph-tools.wasm")), Ok(()));
    // What it does shows when it runs.
    assert_eq!(check_guest("misbehaving.wat", "misbehaving"), Ok(()));
}
