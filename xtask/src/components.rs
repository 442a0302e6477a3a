//! From Rust to components: build for `wasm32-unknown-unknown`, wrap, and refuse what must not ship.
//!
//! That target has no WASI at all, so what a component imports is what its world says and nothing that a standard library brings along.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use crate::workspace::{Workspace, output, run, say};

/// The target of the components.
const TARGET: &str = "wasm32-unknown-unknown";

/// Every component that ships. Its package is `valet-` and the name.
pub(crate) const COMPONENTS: [&str; 13] = [
    "authenticator",
    "custodian-client",
    "custodian-front",
    "downstream",
    "entra-tokens",
    "gateway",
    "graph-tools",
    "oauth-server",
    "signature",
    "signing-keys",
    "token-validator",
    "wasi-capabilities",
    "wasi-front",
];

/// The tool pack of the conformance suite, which takes the place of `graph-tools` in tests and does not ship. Its package is named like theirs.
pub(crate) const FIXTURES: &str = "conformance-pack";

/// Builds all components; gives their bytes by name.
pub(crate) fn build(workspace: &Workspace) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    add_target(workspace)?;
    say("building the components");
    let mut cargo = workspace.cargo(["build", "--target", TARGET, "--profile", "component"]);
    let names = || COMPONENTS.into_iter().chain([FIXTURES]);
    for name in names() {
        cargo.args(["--package", &format!("valet-{name}")]);
    }
    run(cargo)?;

    let folder = workspace.artifacts().join("components");
    std::fs::create_dir_all(&folder)?;
    let modules = workspace.target.join(TARGET).join("component");
    let mut built = BTreeMap::new();
    for name in names() {
        let module = modules.join(format!("valet_{}.wasm", name.replace('-', "_")));
        let module = std::fs::read(&module).with_context(|| format!("reading {}", module.display()))?;
        let component = wrap(&module).with_context(|| format!("component {name}"))?;
        std::fs::write(folder.join(format!("{name}.wasm")), &component)?;
        built.insert(name, component);
    }
    Ok(built)
}

/// Installs the compilation targets where they are missing.
pub(crate) fn add_target(workspace: &Workspace) -> Result<()> {
    let mut list = Command::new("rustup");
    list.args(["target", "list", "--installed"]).current_dir(&workspace.root);
    let installed = output(list).context("asking rustup for the installed targets")?;
    for target in [TARGET, "wasm32-wasip2"] {
        if !installed.lines().any(|line| line == target) {
            say(&format!("installing the target {target}"));
            let mut add = Command::new("rustup");
            add.args(["target", "add", target]).current_dir(&workspace.root);
            run(add)?;
        }
    }
    Ok(())
}

/// A core module as a component.
fn wrap(module: &[u8]) -> Result<Vec<u8>> {
    let component = wit_component::ComponentEncoder::default().validate(true).module(module)?.encode()?;
    // rustc 1.95 miscompiles wide arithmetic (docs/decisions/0001), so a component that contains it is refused.
    Validator::new_with_features(WasmFeatures::all().difference(WasmFeatures::WIDE_ARITHMETIC))
        .validate_all(&component)
        .context("the component has instructions that must not ship")?;
    Ok(component)
}

/// The names that a component imports, sorted.
pub(crate) fn imports(component: &[u8]) -> Result<Vec<String>> {
    names(component, |payload, names| {
        if let Payload::ComponentImportSection(section) = payload {
            for import in section {
                names.push(import?.name.name.to_owned());
            }
        }
        Ok(())
    })
}

/// The names that a component exports, sorted.
pub(crate) fn exports(component: &[u8]) -> Result<Vec<String>> {
    names(component, |payload, names| {
        if let Payload::ComponentExportSection(section) = payload {
            for export in section {
                names.push(export?.name.name.to_owned());
            }
        }
        Ok(())
    })
}

/// What `collect` finds in the component itself, not in the components and modules inside it.
fn names(
    component: &[u8],
    collect: impl Fn(Payload<'_>, &mut Vec<String>) -> Result<()>,
) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            payload if depth == 0 => collect(payload, &mut names)?,
            _ => {}
        }
    }
    names.sort();
    Ok(names)
}
