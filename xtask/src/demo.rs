//! placeholder
use anyhow::Result;
use crate::workspace::Workspace;
pub(crate) fn run(_: &Workspace, _: bool) -> Result<()> { Ok(()) }
