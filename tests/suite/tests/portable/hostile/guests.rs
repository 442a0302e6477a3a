//! The guests as components, and compositions with one of them in the place of a tool pack.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use indexmap::IndexMap;
use wac_graph::EncodeOptions;
use wac_graph::types::BorrowedPackageKey;
use wac_parser::Document;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::manifest::root;

/// cargo's target folder, where `cargo xtask compose` puts components and layouts.
pub(super) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the folder lies in the target folder")
}

/// The module `file` of `tests/hostile` as the component that `world` of `worlds.wit` describes.
pub(super) fn guest(file: &str, world: &str) -> Vec<u8> {
    let folder = root().join("tests/hostile");
    let mut module = wat::parse_file(folder.join(file)).unwrap();
    let mut resolve = Resolve::default();
    for package in [
        "deps/io",
        "deps/clocks",
        "deps/random",
        "crypto",
        "capability",
        "identity",
        "oauth",
        "downstream",
        "mcp",
    ] {
        resolve.push_dir(root().join("wit").join(package)).unwrap();
    }
    let package = resolve.push_file(folder.join("worlds.wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// The Rust guest, built the way that a pack should not be.
pub(super) fn snooper() -> PathBuf {
    let target = "wasm32-wasip2";
    let built = cargo(&["build", "--package", "valet-hostile-snooper", "--target", target]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    self::target().join(target).join("debug/valet_hostile_snooper.wasm")
}

/// Runs cargo in the workspace.
pub(super) fn cargo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root()).env("CARGO_TARGET_DIR", target());
    // Set for this test by the cargo that runs it; another package must not see them.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command.output().unwrap()
}

/// The layout composed with `pack` in the place of `graph-tools`, without the checks of `cargo xtask compose`.
pub(super) fn compose(layout: &str, pack: &[u8]) -> Result<Vec<u8>, String> {
    let path = root().join("components/layouts").join(layout).with_extension("wac");
    let text = std::fs::read_to_string(path).unwrap();
    let components: Vec<(String, Vec<u8>)> = std::fs::read_dir(target().join("valet/components"))
        .expect("`cargo xtask compose` makes the folder")
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let bytes = if name == "graph-tools" { pack.to_owned() } else { std::fs::read(&path).unwrap() };
            (format!("valet:{name}"), bytes)
        })
        .collect();
    let packages: IndexMap<_, _> = components
        .iter()
        .map(|(name, bytes)| (BorrowedPackageKey::from_name_and_version(name, None), bytes.clone()))
        .collect();
    let document = Document::parse(&text).map_err(|error| error.to_string())?;
    let resolution = document.resolve(packages).map_err(|error| error.to_string())?;
    resolution.encode(EncodeOptions::default()).map_err(|error| error.to_string())
}
