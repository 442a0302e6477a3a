//! Artifacts on disk: composed components as `.wasm`, or compiled ahead of time as `.cwasm`.

use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

/// Why an artifact could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The file cannot be read.
    #[error("the artifact {} cannot be read: {error}; `cargo xtask build` makes it, and `artifacts` names the folder", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not a component, or was compiled by another version of Valet.
    #[error("the artifact {} cannot be loaded: {error:#}; `cargo xtask build` makes it anew", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What wasmtime says.
        error: wasmtime::Error,
    },
}

/// Loads the artifact `name` from `folder`: native code (`name.cwasm`) if it is there, else the component (`name.wasm`), which is compiled
/// now and takes a second or two.
///
/// Native code is as trusted as this program itself; keep it where only the operator can write.
///
/// # Errors
/// See [`ArtifactError`].
pub fn load(engine: &Engine, folder: &Path, name: &str) -> Result<Component, ArtifactError> {
    let native = folder.join(name).with_extension("cwasm");
    let unusable = |path: &Path| {
        let path = path.to_owned();
        |error| ArtifactError::Unusable { path, error }
    };
    if native.is_file() {
        return deserialize(engine, &native).map_err(unusable(&native));
    }
    let component = folder.join(name).with_extension("wasm");
    if let Err(error) = std::fs::metadata(&component) {
        return Err(ArtifactError::Unreadable { path: component, error });
    }
    tracing::info!(artifact = %component.display(), "compiling; `valet compile` does this ahead of time");
    Component::from_file(engine, &component).map_err(unusable(&component))
}

#[expect(unsafe_code, reason = "the one place where native code is loaded; see the documentation of `load`")]
fn deserialize(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was made by `compile` below and lies where only the operator can write. wasmtime refuses files of other
    // versions and settings by itself.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Compiles the component at `from` ahead of time into `to`.
///
/// # Errors
/// See [`ArtifactError`].
pub fn compile(from: &Path, to: &Path) -> Result<(), ArtifactError> {
    let unreadable = |path: &Path, error| ArtifactError::Unreadable { path: path.to_owned(), error };
    let unusable = |error| ArtifactError::Unusable { path: from.to_owned(), error };
    let bytes = std::fs::read(from).map_err(|error| unreadable(from, error))?;
    let native =
        crate::engine::compiler().and_then(|engine| engine.precompile_component(&bytes)).map_err(unusable)?;
    // A reader sees the old file or the new one, never half of it.
    let partial = to.with_extension("partial");
    std::fs::write(&partial, native)
        .and_then(|()| std::fs::rename(&partial, to))
        .map_err(|error| unreadable(to, error))
}
