//! What the `valet` command does for a person at a terminal, beside serving.

pub mod accounts;
pub mod install;
pub mod sessions;
