//! Which members or items of one value some keyword has evaluated: what `unevaluatedProperties` and `unevaluatedItems`
//! ask for.

/// Marks by index: of the items of an array, or of the members of an object in the order of their names.
pub(super) struct Seen(Vec<bool>);

impl Seen {
    pub(super) fn nothing(size: usize) -> Self {
        Self(vec![false; size])
    }

    pub(super) fn size(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, index: usize) {
        if let Some(mark) = self.0.get_mut(index) {
            *mark = true;
        }
    }

    /// All before `end`.
    pub(super) fn add_until(&mut self, end: usize) {
        self.0.iter_mut().take(end).for_each(|mark| *mark = true);
    }

    pub(super) fn add_all(&mut self) {
        self.0.fill(true);
    }

    /// All that another one has.
    pub(super) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mark, other)| *mark |= *other);
    }

    /// Indices of what is not marked.
    pub(super) fn rest(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter(|(_, mark)| !**mark).map(|(index, _)| index)
    }
}
