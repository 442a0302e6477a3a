//! What the writer is asked to do, and what came of it.

use crate::clock::Moment;
use crate::range::Range;

pub(super) enum Change {
    Set { range: Range, name: String, value: Vec<u8>, ends: Moment },
    Take { range: Range, name: String },
    Swap { range: Range, name: String, expected: Option<Vec<u8>>, value: Vec<u8>, ends: Moment },
}

impl Change {
    /// Whether it needs room for a value.
    pub(super) fn grows(&self) -> bool {
        !matches!(self, Self::Take { .. })
    }
}

pub(super) enum Outcome {
    /// The value was set or swapped.
    Done,
    /// The value that was there and is no more, if one was.
    Taken(Option<Vec<u8>>),
    /// The value to be swapped was another.
    Unequal,
}
