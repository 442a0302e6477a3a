//! placeholder
use crate::workspace::Workspace;
use anyhow::Result;
#[derive(clap::Args)]
pub(crate) struct Arguments {}
pub(crate) fn run(_: &Workspace, _: &Arguments) -> Result<()> {
    Ok(())
}
