//! What is kept apart.

/// A part of the store that never mixes with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Range {
    /// Verified key documents of authorities.
    Keys,
    /// Sealed token records.
    Tokens,
    /// Sealed sign-in sessions.
    Sessions,
    /// What our authorization server gave out: codes, families of refresh tokens, consents, registered clients.
    Grants,
    /// What the portable layouts keep through `wasi:keyvalue`.
    Portable,
    /// The host's own, which no component gets to read: the key that signs tokens.
    Own,
}

impl Range {
    pub(crate) const COUNT: usize = 6;

    /// Its number in files. Files outlive versions: a number is never given to another range.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Keys => 0,
            Self::Tokens => 1,
            Self::Sessions => 2,
            Self::Grants => 3,
            Self::Portable => 4,
            Self::Own => 5,
        }
    }

    /// Its name in Redis, for which the same holds.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Tokens => "tokens",
            Self::Sessions => "sessions",
            Self::Grants => "grants",
            Self::Portable => "portable",
            Self::Own => "own",
        }
    }
}
