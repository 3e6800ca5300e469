//! What can go wrong, in words for the person who must act.

/// Why a request to the knowledge base failed.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] gaby_store::StoreError),
    /// Text could not be turned into vectors.
    #[error(transparent)]
    Embed(#[from] crate::embed::EmbedError),
    /// The word index failed.
    #[error("the word index failed: {0}")]
    Index(String),
    /// What was to be ingested is not there.
    #[error("{path}: {problem}")]
    Location {
        /// As it was given.
        path: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A repository could not be fetched or read.
    #[error("repository {url}: {problem}")]
    Repository {
        /// Its address, without a password.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no such document or source.
    #[error("there is no {what} `{id}` in this workspace")]
    NotFound {
        /// `document`, `source`.
        what: &'static str,
        /// As it was given.
        id: String,
    },
    /// A file of an evaluation is not as it should be.
    #[error("{file}{}: {problem}", line.map(|l| format!(":{l}")).unwrap_or_default())]
    Evaluation {
        /// The file.
        file: String,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A worker thread ended early.
    #[error("the work was interrupted: {0}")]
    Interrupted(String),
}

impl From<tantivy::TantivyError> for KnowledgeError {
    fn from(error: tantivy::TantivyError) -> Self {
        Self::Index(error.to_string())
    }
}
