//! What the agent reaches out to: the tools of the connectors, and the knowledge base.
//!
//! Two small traits, so that the loop can be tested against a vendor that counts what reaches it.
//! A tool can only be called with the gate's [`Key`].

use async_trait::async_trait;
use gaby_gate::Key;
use gaby_model::{ChunkId, DocumentId, ToolDefinition, ToolResult};

/// The connected tools.
#[async_trait]
pub trait Toolbox: Send + Sync {
    /// Every tool that may be thought of now: pinned, not suspended, with the operator's own
    /// settings applied.
    async fn catalog(&self) -> Vec<ToolDefinition>;

    /// Makes the call that the gate let through.
    ///
    /// # Errors
    /// When it could not be made, or nobody knows what became of it.
    async fn call(&self, key: Key) -> Result<ToolResult, CallFailure>;
}

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// It never reached the other system.
    #[error("{0}")]
    NotMade(String),
    /// It may have reached the other system: a time-out, a lost connection.
    #[error("{0}")]
    Unclear(String),
}

/// The knowledge base.
#[async_trait]
pub trait Library: Send + Sync {
    /// The best passages for a query, best first.
    ///
    /// # Errors
    /// When it cannot be searched.
    async fn search(&self, query: &str, top: usize) -> Result<Vec<Passage>, SearchFailure>;
}

/// Why a search gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SearchFailure(pub String);

/// A passage that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Fused score, 0 to 1.
    pub score: f64,
    /// Score by words.
    pub bm25: f64,
    /// Cosine with the query; none while vectors are missing.
    pub similarity: Option<f64>,
    /// Its place by words, from 1.
    pub bm25_rank: Option<usize>,
    /// Its place by similarity, from 1.
    pub vector_rank: Option<usize>,
    /// The chunk.
    pub chunk: ChunkId,
    /// The document.
    pub document: DocumentId,
    /// The document's path or address.
    pub path: String,
    /// The document's title.
    pub title: String,
    /// Headings down to the passage.
    pub heading: String,
    /// Byte offset of the passage in the document.
    pub start: usize,
    /// Byte offset after it.
    pub end: usize,
    /// The passage.
    pub text: String,
}
