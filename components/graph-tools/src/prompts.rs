//! The prompts, one file each.

pub(crate) mod introduce_me;
