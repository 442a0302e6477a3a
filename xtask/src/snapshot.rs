//! Checked-in text that a change has to be seen in. `BLESS=1` writes it anew.

use std::path::Path;

use anyhow::{Result, bail};
use similar::TextDiff;

/// Compares `actual` with the file at `path`.
pub(crate) fn check(path: &Path, actual: &str) -> Result<()> {
    if std::env::var_os("BLESS").is_some() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, actual)?;
        return Ok(());
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return Ok(());
    }
    let diff = TextDiff::from_lines(expected.as_str(), actual);
    bail!(
        "{} differs; if that is meant, run the same command with BLESS=1 and review the change:\n{}",
        path.display(),
        diff.unified_diff().context_radius(2).header("checked in", "now")
    );
}
