//! placeholder
use anyhow::Result;
use crate::workspace::Workspace;
pub(crate) fn run(_: &Workspace) -> Result<()> { Ok(()) }
