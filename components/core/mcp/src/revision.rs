//! The protocol revisions that we speak, and what differs between their eras. It does not decide which one a
//! message uses (`reader`).

/// A revision of the specification that this server implements.
///
/// *Modern* revisions carry version and capabilities in each request; *legacy* ones open with `initialize` (MCP
/// `basic/versioning`). We serve the legacy ones without sessions, which each of them allows. One deviation: a
/// 2025-03-26 server has to take JSON-RPC batches, and we take none, as no other revision has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revision {
    /// 2026-07-28: stateless, the only modern one.
    V2026_07_28,
    /// 2025-11-25, the newest legacy one.
    V2025_11_25,
    /// 2025-06-18.
    V2025_06_18,
    /// 2025-03-26, also assumed for a legacy request without a version header.
    V2025_03_26,
}

impl Revision {
    /// All of them, newest first: the order of `supportedVersions`.
    pub const ALL: [Self; 4] = [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26];

    /// What `initialize` answers to a client that asks for something else.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// The revision of that name; `None` for one that we do not implement. Dates are compared as a list, never by
    /// order: a version between two of ours is not ours.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == name)
    }

    /// The name on the wire, for example `2026-07-28`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2026_07_28 => "2026-07-28",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_03_26 => "2025-03-26",
        }
    }

    /// Whether requests describe themselves, so that nothing depends on a handshake.
    #[must_use]
    pub const fn is_modern(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }
}

/// The JSON array of [`Revision::ALL`], as `supportedVersions` and as `data.supported`.
pub(crate) const SUPPORTED: &str = r#"["2026-07-28","2025-11-25","2025-06-18","2025-03-26"]"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_list_is_all_revisions_newest_first() {
        let names = Revision::ALL.map(Revision::as_str);
        assert_eq!(serde_json::from_str::<Vec<String>>(SUPPORTED).unwrap(), names);
        let mut sorted = names;
        sorted.sort_unstable_by(|left, right| right.cmp(left));
        assert_eq!(names, sorted);
    }

    #[test]
    fn only_exact_names_are_known() {
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
        for name in ["", "2024-11-05", "2025-08-01", "2026-07-28 ", "v2026-07-28", "2099-01-01", "latest"] {
            assert_eq!(Revision::parse(name), None, "{name}");
        }
    }
}
