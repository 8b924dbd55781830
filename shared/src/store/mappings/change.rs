//! A change of one mapping: what it asks of what stands, and what becomes of it.

/// What a mapping that is sent may replace. It holds in the very write that stores it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expected {
    /// Whatever stands, or nothing.
    #[default]
    Anything,
    /// Nothing: it is the first.
    Nothing,
    /// This version. Versions are never given twice, not after a removal either.
    Version(u32),
}

/// What became of a mapping that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored<T> {
    /// There was none.
    Created(T),
    /// It replaced another.
    Changed(T),
    /// It was here already, as it is.
    Unchanged(T),
    /// What stands is not what was [`Expected`]: nothing was changed.
    NotAsExpected,
    /// Others changed it at the same time, more than once.
    Contended,
    /// An import of the connection's mappings is under way: nothing was changed.
    ImportUnderWay,
}

/// What became of a mapping that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Gone,
    /// There is none.
    NotThere,
    /// Others changed it at the same time, more than once.
    Contended,
    /// An import of the connection's mappings is under way: nothing was changed.
    ImportUnderWay,
}

impl Expected {
    /// Whether `stands`, a version, may be replaced.
    pub(super) fn allows(self, stands: Option<u32>) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => stands.is_none(),
            Self::Version(version) => stands == Some(version),
        }
    }
}
