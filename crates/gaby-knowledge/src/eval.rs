//! How good is the search? Runs a test collection through the search and scores the ranking.
//!
//! Collections are JSON lines as BEIR has them; rankings are written as TREC runs; the measures
//! are those of `trec_eval` with linear gains. All in memory: no workspace is touched.

mod files;
mod measures;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;
use serde::Serialize;

pub use files::{Entry, Judgements, read_entries, read_judgements, write_run};
pub use measures::{Measures, measure};

use crate::chunk::{passages, words_of};
use crate::embed::Embedder;
use crate::error::KnowledgeError;
use crate::hit::Timings;
use crate::index::{Manifest, Snapshot};
use crate::progress::{Phase, Progress};
use crate::ranking::rank;
use crate::read::markdown;
use crate::terms::Query;
use crate::vectors::VectorSet;
use crate::words::{IndexedChunk, WordIndex};

/// How many documents of a query the run lists.
const RUN_DEPTH: usize = 100;
const EMBED_BATCH: usize = 128;

/// What to evaluate.
#[derive(Debug, Clone)]
pub struct EvalRequest {
    /// Documents: JSON lines with `_id` or `id`, `title`, `text`.
    pub corpus: PathBuf,
    /// Queries: JSON lines with `_id` or `id`, `text`.
    pub queries: PathBuf,
    /// Judgements: `query document relevance`, separated by tabs or blanks, or the four columns
    /// of TREC.
    pub qrels: Option<PathBuf>,
    /// Where the ranking is written.
    pub run: PathBuf,
}

/// What came out.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EvalReport {
    /// Documents searched.
    pub documents: usize,
    /// Chunks they were cut into.
    pub chunks: usize,
    /// Queries answered.
    pub queries: usize,
    /// The measures, when there were judgements.
    #[serde(flatten)]
    pub measures: Option<Measures>,
    /// Wall time.
    pub seconds: f64,
}

/// One document with its score, as a run lists it.
pub type Ranked = (String, f32);

/// Evaluates the search on a test collection.
///
/// # Errors
/// When a file cannot be read or is not as it should be, with its name and line.
pub fn run(
    request: &EvalRequest,
    embedder: Option<Arc<dyn Embedder>>,
    progress: &dyn Progress,
) -> Result<EvalReport, KnowledgeError> {
    let begun = Instant::now();
    let corpus = read_entries(&request.corpus)?;
    let queries = read_entries(&request.queries)?;
    let judgements = request.qrels.as_deref().map(read_judgements).transpose()?;
    check_distinct(&request.corpus, &corpus)?;
    check_distinct(&request.queries, &queries)?;
    let collection = Collection::build(&corpus, embedder, progress)?;
    let texts: Vec<String> = queries.iter().map(Entry::whole).collect();
    let rankings = collection.search(&texts, progress)?;
    let rankings: Vec<(String, Vec<Ranked>)> = queries
        .iter()
        .zip(rankings)
        .map(|(query, ranked)| (query.id.clone(), ranked))
        .collect();
    write_run(&request.run, &rankings)?;
    Ok(EvalReport {
        documents: corpus.len(),
        chunks: collection.index.words.len(),
        queries: queries.len(),
        measures: judgements.map(|judged| measure(&judged, &rankings)),
        seconds: begun.elapsed().as_secs_f64(),
    })
}

fn check_distinct(file: &Path, entries: &[Entry]) -> Result<(), KnowledgeError> {
    let mut seen = HashMap::new();
    for entry in entries {
        if let Some(first) = seen.insert(&entry.id, entry.line) {
            return Err(KnowledgeError::Evaluation {
                file: file.display().to_string(),
                line: Some(entry.line),
                problem: format!("the id `{}` is already that of line {first}", entry.id),
            });
        }
    }
    Ok(())
}

/// A test collection, indexed.
struct Collection {
    ids: Vec<String>,
    index: Snapshot,
    embedder: Option<Arc<dyn Embedder>>,
}

impl Collection {
    fn build(
        corpus: &[Entry],
        embedder: Option<Arc<dyn Embedder>>,
        progress: &dyn Progress,
    ) -> Result<Self, KnowledgeError> {
        let chunks: Vec<IndexedChunk> = corpus
            .par_iter()
            .enumerate()
            .flat_map_iter(|(document, entry)| chunks_of(document as u64, entry))
            .collect();
        let words = WordIndex::empty()?.edit(&[], &chunks)?;
        let vectors = match &embedder {
            None => VectorSet::new(0),
            Some(embedder) => {
                let mut set = VectorSet::new(embedder.dimensions());
                let mut texts: Vec<(u128, String)> = chunks
                    .iter()
                    .map(|chunk| {
                        (
                            chunk.vector,
                            embedded_text(&chunk.title, &chunk.heading, &chunk.body),
                        )
                    })
                    .collect();
                texts.sort_by_key(|(_, text)| text.len());
                for (done, batch) in texts.chunks(EMBED_BATCH).enumerate() {
                    let slices: Vec<&str> = batch.iter().map(|(_, text)| text.as_str()).collect();
                    for ((key, _), vector) in batch.iter().zip(embedder.embed(&slices)?) {
                        set.push(*key, &vector);
                    }
                    progress.report(Phase::Embedding, (done + 1) * EMBED_BATCH, texts.len());
                }
                set
            }
        };
        Ok(Self {
            ids: corpus.iter().map(|entry| entry.id.clone()).collect(),
            index: Snapshot::new(0, Manifest::default(), Arc::new(words), Arc::new(vectors)),
            embedder,
        })
    }

    fn search(
        &self,
        queries: &[String],
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<Ranked>>, KnowledgeError> {
        let mut embedded = Vec::with_capacity(queries.len());
        if let Some(embedder) = &self.embedder {
            for (done, batch) in queries.chunks(EMBED_BATCH).enumerate() {
                let slices: Vec<&str> = batch.iter().map(String::as_str).collect();
                embedded.extend(embedder.embed(&slices)?);
                progress.report(Phase::Embedding, (done + 1) * EMBED_BATCH, queries.len());
            }
        }
        queries
            .par_iter()
            .enumerate()
            .map(|(index, query)| self.rank(query, embedded.get(index).map(Vec::as_slice)))
            .collect()
    }

    fn rank(&self, query: &str, vector: Option<&[f32]>) -> Result<Vec<Ranked>, KnowledgeError> {
        let embed = || vector.map(<[f32]>::to_vec);
        let (terms, mut timings) = (Query::of(query), Timings::default());
        let ranking = rank(&self.index, &terms, embed, RUN_DEPTH * 8, &mut timings)?;
        let mut best: HashMap<u64, (f32, u64)> = HashMap::new();
        for hit in ranking.best {
            if let Some(Some(row)) = self.index.words.rows().get(hit.row) {
                best.entry(row.document)
                    .and_modify(|(score, _)| *score = score.max(hit.score))
                    .or_insert((hit.score, row.document));
            }
        }
        let mut ranked: Vec<(f32, u64)> = best.into_values().collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked.truncate(RUN_DEPTH);
        Ok(ranked
            .into_iter()
            .map(|(score, document)| (self.ids[document as usize].clone(), score))
            .collect())
    }
}

fn chunks_of(document: u64, entry: &Entry) -> Vec<IndexedChunk> {
    let reading = markdown::read("", entry.text.clone());
    let mut found = passages(&reading);
    if found.is_empty() {
        found.push(crate::chunk::Passage {
            start: 0,
            end: 0,
            heading: String::new(),
        });
    }
    found
        .into_iter()
        .enumerate()
        .map(|(index, passage)| IndexedChunk {
            key: (u128::from(document) << 32) | index as u128,
            document,
            vector: (u128::from(document) << 32) | index as u128,
            title: entry.title.clone(),
            heading: passage.heading,
            body: words_of(reading.syntax, &reading.text[passage.start..passage.end]),
        })
        .collect()
}

/// What a chunk's vector is made from: its title and headings say what its words are about.
#[must_use]
pub fn embedded_text(title: &str, heading: &str, body: &str) -> String {
    let mut text = String::with_capacity(title.len() + heading.len() + body.len() + 2);
    for part in [title, heading_below(title, heading), body] {
        if !part.is_empty() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(part);
        }
    }
    text
}

/// A heading path without a first heading that only repeats the title.
#[must_use]
pub fn heading_below<'a>(title: &str, heading: &'a str) -> &'a str {
    match heading.strip_prefix(title) {
        Some("") => "",
        Some(rest) => rest
            .strip_prefix(crate::chunk::HEADING_SEPARATOR)
            .unwrap_or(heading),
        None => heading,
    }
}
