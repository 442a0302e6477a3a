//! File descriptors: how many there are decides how many connections there can be.

use crate::limits;

/// Raises this process's limit of open files as far as the system allows and connections need, as servers do. For commands: it is a setting of the whole
/// process.
pub fn raise_descriptor_limit() {
    let wanted = limits::CONNECTIONS + limits::RESERVED_DESCRIPTORS + 1024;
    if let Err(error) = rlimit::increase_nofile_limit(wanted as u64) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// How many connections can be open, with `concurrent_requests` that each may have one to Entra or Graph.
pub(super) fn connections(concurrent_requests: u32) -> usize {
    #[cfg(unix)]
    let descriptors = rlimit::Resource::NOFILE.get_soft().ok();
    #[cfg(not(unix))]
    let descriptors = None::<u64>;
    let most = fitting(descriptors, concurrent_requests);
    if most < limits::CONNECTIONS {
        let wanted = limits::CONNECTIONS;
        tracing::warn!(
            connections = most,
            wanted,
            "the limit of open files (ulimit -n) allows fewer connections"
        );
    }
    most
}

/// At least one, so that a process with next to no descriptors serves as long as it can.
fn fitting(descriptors: Option<u64>, concurrent_requests: u32) -> usize {
    let descriptors = descriptors.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let reserved = limits::RESERVED_DESCRIPTORS + concurrent_requests as usize;
    descriptors.saturating_sub(reserved).clamp(1, limits::CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_rest() {
        assert_eq!(fitting(None, 256), limits::CONNECTIONS);
        assert_eq!(fitting(Some(1 << 20), 256), limits::CONNECTIONS);
        assert_eq!(fitting(Some(1024), 256), 512);
        assert_eq!(fitting(Some(100), 256), 1);
    }
}
