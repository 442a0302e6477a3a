//! The layouts: components composed by the `.wac` files in `components/layouts`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use indexmap::IndexMap;
use wac_graph::EncodeOptions;
use wac_graph::types::BorrowedPackageKey;
use wac_parser::Document;

use crate::components::{self, imports};
use crate::packs;
use crate::snapshot;
use crate::workspace::{Workspace, say};

/// Every layout, by the path of its `.wac` file below `components/layouts` and of its artifact below `target/valet`.
pub(crate) const LAYOUTS: [&str; 8] = [
    "native/identity",
    "native/request",
    "native/custodian",
    "native/authorization",
    "native/local-custodian",
    "single",
    "split/server",
    "split/custodian",
];

/// The layouts that Spin's manifests name.
const PORTABLE: [&str; 3] = ["single", "split/server", "split/custodian"];

/// Where those manifests expect them. The target folder can lie anywhere, and a manifest cannot ask cargo where.
const SPIN_ARTIFACTS: &str = "deploy/spin/artifacts";

/// The native layout once more, for the conformance suite: there its fixtures are in the place of the tools.
const CONFORMANCE: [(&str, &str); 3] = [
    ("native/identity", "conformance/identity"),
    ("native/request", "conformance/request"),
    ("native/custodian", "conformance/custodian"),
];

/// Builds the components and composes every layout; gives the folder that they are in.
///
/// Fails if a component or a layout imports what its snapshot does not list.
pub(crate) fn compose(workspace: &Workspace) -> Result<PathBuf> {
    let mut built = components::build(workspace)?;
    say("composing the layouts");
    let mut listing = String::from(
        "# What each component and each layout imports: the whole of what it can reach. `BLESS=1 cargo xtask compose` renews this file.\n",
    );
    for name in packs::PACKS {
        packs::check(&built[name]).with_context(|| format!("tool pack {name}"))?;
    }
    for (name, component) in &built {
        list(&mut listing, &format!("component {name}"), component)?;
    }
    let mut layouts = Vec::new();
    for layout in LAYOUTS {
        let composed = compose_one(workspace, layout, &built).with_context(|| format!("layout {layout}"))?;
        list(&mut listing, &format!("layout {layout}"), &composed)?;
        layouts.push((layout, composed));
    }
    built.insert("graph-tools", built[components::FIXTURES].clone());
    for (source, layout) in CONFORMANCE {
        let composed = compose_one(workspace, source, &built).with_context(|| format!("layout {layout}"))?;
        list(&mut listing, &format!("layout {layout}"), &composed)?;
        layouts.push((layout, composed));
    }
    // Before anything is written: what reaches further than it may is never put where it could be run.
    snapshot::check(&workspace.root.join("tests/snapshots/imports.txt"), &listing)?;

    let folder = workspace.artifacts();
    for (layout, composed) in layouts {
        let path = folder.join(layout);
        // Native code of an older build would be preferred to this.
        let _ = std::fs::remove_file(path.with_extension("cwasm"));
        write(&path.with_extension("wasm"), &composed)?;
        if PORTABLE.contains(&layout) {
            let name = Path::new(layout).file_name().expect("a layout has a name");
            write(&workspace.root.join(SPIN_ARTIFACTS).join(name).with_extension("wasm"), &composed)?;
        }
    }
    Ok(folder)
}

fn write(path: &Path, component: &[u8]) -> Result<()> {
    std::fs::create_dir_all(path.parent().expect("an artifact lies in a folder"))?;
    std::fs::write(path, component).with_context(|| format!("writing {}", path.display()))
}

fn list(listing: &mut String, title: &str, component: &[u8]) -> Result<()> {
    writeln!(listing, "\n{title}")?;
    for import in imports(component)? {
        writeln!(listing, "    {import}")?;
    }
    Ok(())
}

fn compose_one(workspace: &Workspace, layout: &str, built: &BTreeMap<&str, Vec<u8>>) -> Result<Vec<u8>> {
    let path = workspace.root.join("components/layouts").join(layout).with_extension("wac");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let document = Document::parse(&text).map_err(|error| readable(error, &text))?;
    let names: Vec<(String, &Vec<u8>)> =
        built.iter().map(|(name, bytes)| (format!("valet:{name}"), bytes)).collect();
    let packages: IndexMap<_, _> = names
        .iter()
        .map(|(name, bytes)| (BorrowedPackageKey::from_name_and_version(name, None), (*bytes).clone()))
        .collect();
    let resolution = document.resolve(packages).map_err(|error| readable(error, &text))?;
    resolution.encode(EncodeOptions::default()).map_err(|error| readable(error, &text))
}

/// wac's errors point into the source; this shows where.
fn readable(error: impl Into<miette::Report>, source: &str) -> anyhow::Error {
    let report = error.into();
    let causes: Vec<String> = report.chain().map(ToString::to_string).collect();
    let place = report.labels().and_then(|mut labels| labels.next());
    let line = place.map_or(String::new(), |label| {
        let line = source[..label.offset().min(source.len())].lines().count();
        format!(" at line {line}")
    });
    anyhow!("{}{line}", causes.join(": "))
}
