//! What a search gives, and why.

use gaby_model::{ChunkId, DocumentId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::words::TermScore;

/// How to search.
#[derive(Debug, Clone, Copy)]
pub struct SearchOptions {
    /// How many hits at most.
    pub top: usize,
    /// Whether each hit says why it is there.
    pub explain: bool,
    /// Whether each hit brings the passages before and after it.
    pub neighbours: bool,
    /// Whether passages that say the same as a better hit are left out.
    pub fold_duplicates: bool,
}

impl Default for SearchOptions {
    fn default() -> Self {
        Self {
            top: 10,
            explain: false,
            neighbours: false,
            fold_duplicates: true,
        }
    }
}

/// A passage that was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Hit {
    /// Its place, from 1.
    pub rank: usize,
    /// Both halves together, 0 to 1.
    pub score: f32,
    /// The passage.
    pub chunk: ChunkId,
    /// Its document.
    pub document: DocumentId,
    /// The document's path or address.
    pub path: String,
    /// The document's title.
    pub title: String,
    /// Headings down to it, joined by ` › `.
    pub heading: String,
    /// Byte offset of its first character in the document's text.
    pub start: usize,
    /// Byte offset after its last character.
    pub end: usize,
    /// Its text.
    pub text: String,
    /// When the document was last changed, as far as is known.
    pub updated_at: Option<Timestamp>,
    /// Why it is here, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<Explanation>,
    /// What stands around it, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<Neighbours>,
}

/// Why a passage was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Explanation {
    /// What each term of the query gave; they add up to `bm25`.
    pub terms: Vec<TermScore>,
    /// Its score by words.
    pub bm25: f32,
    /// Its closeness in meaning, -1 to 1; none while it has no vector.
    pub similarity: Option<f32>,
    /// Its rank by words alone, from 1; none when no word occurs.
    pub bm25_rank: Option<usize>,
    /// Its rank by meaning alone, from 1; none while it has no vector.
    pub vector_rank: Option<usize>,
    /// Days since the document was last changed; shown, not scored.
    pub recency: Option<f64>,
}

/// The passages around a hit in its document.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Neighbours {
    /// The one before.
    pub before: Option<String>,
    /// The one after.
    pub after: Option<String>,
}

/// How the time of a search divides, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct Timings {
    /// Making the query's vector.
    pub embed_query: f64,
    /// Counting words.
    pub bm25: f64,
    /// Comparing vectors.
    pub vectors: f64,
    /// Bringing both together.
    pub fusion: f64,
    /// Opening the passages that were found.
    pub load: f64,
    /// All of it.
    pub total: f64,
}
