//! How far long work has come, for whoever watches.

/// What the work is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Fetching a remote repository.
    Fetching,
    /// Looking for files.
    Listing,
    /// Reading files and cutting them into chunks.
    Reading,
    /// Writing them to the store and to the index.
    Indexing,
    /// Making vectors.
    Embedding,
}

impl Phase {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetching => "fetching",
            Self::Listing => "listing",
            Self::Reading => "reading",
            Self::Indexing => "indexing",
            Self::Embedding => "embedding",
        }
    }
}

/// Told how far the work has come. Called often, so it should be quick.
pub trait Progress: Send + Sync {
    /// `done` of `total` (0: not yet known) in this phase.
    fn report(&self, phase: Phase, done: usize, total: usize);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: Phase, _: usize, _: usize) {}
}
