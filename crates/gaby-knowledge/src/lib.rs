//! What Gaby knows: documents read, cut, indexed, searched and explained.
//!
//! The way of a document: [`source`] finds it, [`read`] turns it into text, [`chunk`] cuts it into
//! passages, [`words`] counts their words at once, [`embed`] and [`vectors`] follow behind, and
//! [`fusion`] brings both together. [`Knowledge`] does this for a workspace, sealed in its store;
//! [`eval`] does it in memory for a test collection, by the same code.

pub mod chunk;
pub mod embed;
mod embedding;
mod error;
pub mod eval;
pub mod fusion;
mod hit;
mod index;
mod ingest;
mod knowledge;
pub mod progress;
mod ranking;
pub mod read;
mod search;
mod skip;
pub mod source;
pub mod terms;
pub mod vectors;
pub mod words;

pub use embed::Embedder;
pub use error::KnowledgeError;
pub use hit::{Explanation, Hit, Neighbours, SearchOptions, Timings};
pub use ingest::{IngestReport, IngestRequest};
pub use knowledge::{DocumentText, DocumentView, Knowledge, PassageView, SourceView, Stats};
pub use progress::{Phase, Progress, Silent};
pub use skip::{MAX_FILE_BYTES, SkipReason, Skipped};
pub use words::TermScore;
