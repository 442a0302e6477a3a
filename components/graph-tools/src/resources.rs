//! The resources, one file each.

pub(crate) mod profile;
