//! From a question to the passages that answer it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use gaby_model::{ChunkId, Clock, SystemClock};
use gaby_store::documents::{Chunk, Document};

use crate::embed::Embedder;
use crate::error::KnowledgeError;
use crate::fusion::{self, Fused};
use crate::hit::{Explanation, Hit, Neighbours, SearchOptions, Timings};
use crate::index::{self, NO_PLACE, Snapshot};
use crate::knowledge::{Knowledge, blocking, chunk_id};
use crate::ranking::rank;
use crate::terms::Query;
use crate::words::TermScore;

/// A longer query is cut: beyond this it is no question.
const MAX_QUERY_BYTES: usize = 64 * 1024;
/// Vectors closer than this say the same.
const SAME: f32 = 0.985;

struct Found {
    hits: Vec<Fused>,
    terms: Vec<Vec<TermScore>>,
    ranks: Vec<(Option<usize>, Option<usize>)>,
    timings: Timings,
}

impl Knowledge {
    /// The passages that fit a question best.
    ///
    /// # Errors
    /// When the store fails, or the question cannot be embedded.
    pub async fn search(
        &self,
        query: &str,
        options: &SearchOptions,
    ) -> Result<Vec<Hit>, KnowledgeError> {
        Ok(self.search_timed(query, options).await?.0)
    }

    /// As [`Knowledge::search`], and how the time divides.
    ///
    /// # Errors
    /// When the store fails, or the question cannot be embedded.
    pub async fn search_timed(
        &self,
        query: &str,
        options: &SearchOptions,
    ) -> Result<(Vec<Hit>, Timings), KnowledgeError> {
        let begun = Instant::now();
        let query = query[..query.floor_char_boundary(MAX_QUERY_BYTES)].to_owned();
        if query.trim().is_empty() || options.top == 0 {
            return Ok((Vec::new(), Timings::default()));
        }
        // What is at hand is searched while the store says whether it is the newest.
        let mut snapshot = self.current();
        let mut found = loop {
            let embedder = self.serving_embedder(&snapshot);
            let (held, query, options) = (Arc::clone(&snapshot), query.clone(), *options);
            let (found, newest) = tokio::join!(
                blocking(move || find(&held, embedder.as_deref(), &query, &options)),
                index::stored_generation(&self.inner.workspace),
            );
            if newest? == snapshot.generation {
                break found?;
            }
            snapshot = self.fresh().await?;
        };
        let (hits, load) = {
            let clock = Instant::now();
            let hits = self.load(&snapshot, &mut found, options).await?;
            (hits, millis(clock))
        };
        found.timings.load = load;
        found.timings.total = millis(begun);
        Ok((hits, found.timings))
    }

    /// Opens the passages that were found; one that is gone meanwhile is left out.
    async fn load(
        &self,
        snapshot: &Snapshot,
        found: &mut Found,
        options: &SearchOptions,
    ) -> Result<Vec<Hit>, KnowledgeError> {
        let documents = self.inner.workspace.documents();
        let id = |fused: &Fused| snapshot.words.rows()[fused.row].and_then(|row| chunk_id(row.key));
        let ids: Vec<Option<ChunkId>> = found.hits.iter().map(id).collect();
        let wanted: Vec<ChunkId> = ids.iter().flatten().cloned().collect();
        let mut passages: HashMap<ChunkId, (Chunk, Document)> = documents
            .passages(&wanted)
            .await?
            .into_iter()
            .map(|passage| (passage.0.id.clone(), passage))
            .collect();
        let mut hits = Vec::with_capacity(found.hits.len());
        for (index, fused) in found.hits.iter().enumerate() {
            let passage = ids[index].as_ref().and_then(|id| passages.remove(id));
            let Some((chunk, document)) = passage else {
                continue;
            };
            let neighbours = match options.neighbours {
                true => Some(self.neighbours(&chunk).await?),
                false => None,
            };
            let updated_at = document.updated_at.or(document.modified);
            let explain = options.explain.then(|| {
                let (bm25_rank, vector_rank) = found.ranks[index];
                Explanation {
                    terms: std::mem::take(&mut found.terms[index]),
                    bm25: fused.bm25,
                    similarity: fused.similarity,
                    bm25_rank,
                    vector_rank,
                    recency: updated_at.map(|at| {
                        (SystemClock.now().millis_since(at) as f64 / 86_400_000.0).max(0.0)
                    }),
                }
            });
            hits.push(Hit {
                rank: hits.len() + 1,
                score: fused.score,
                chunk: chunk.id,
                document: document.id,
                path: document.path,
                title: document.title,
                heading: chunk.heading,
                start: chunk.start,
                end: chunk.end,
                text: chunk.text,
                updated_at,
                explain,
                neighbours,
            });
        }
        Ok(hits)
    }

    async fn neighbours(&self, chunk: &Chunk) -> Result<Neighbours, KnowledgeError> {
        let documents = self.inner.workspace.documents();
        let all = documents.chunks(&chunk.document).await?;
        let text_of = |ordinal: Option<u32>| {
            let ordinal = ordinal?;
            let found = all.iter().find(|chunk| chunk.ordinal == ordinal);
            found.map(|chunk| chunk.text.clone())
        };
        Ok(Neighbours {
            before: text_of(chunk.ordinal.checked_sub(1)),
            after: text_of(chunk.ordinal.checked_add(1)),
        })
    }

    /// The embedder that made the vectors that serve; none when it is not at hand.
    fn serving_embedder(&self, snapshot: &Snapshot) -> Option<Arc<dyn Embedder>> {
        let serving = snapshot.manifest.vectors.as_ref()?;
        if snapshot.vectors.is_empty() {
            return None;
        }
        std::iter::once(&self.inner.embedder)
            .chain(&self.inner.others)
            .find(|embedder| embedder.id() == serving.embedder)
            .cloned()
    }
}

fn find(
    snapshot: &Snapshot,
    embedder: Option<&dyn Embedder>,
    query: &str,
    options: &SearchOptions,
) -> Result<Found, KnowledgeError> {
    let mut timings = Timings::default();
    let room = if options.fold_duplicates {
        options.top * 3 + 20
    } else {
        options.top
    };
    let embed = || match embedder?.embed(&[query]) {
        Ok(vectors) => vectors.into_iter().next(),
        Err(error) => {
            tracing::warn!(%error, "the question is searched by its words only");
            None
        }
    };
    let terms = Query::of(query);
    let ranking = rank(snapshot, &terms, embed, room, &mut timings)?;
    let clock = Instant::now();
    let mut hits = ranking.best;
    hits.retain(|hit| snapshot.words.rows()[hit.row].is_some());
    if options.fold_duplicates {
        hits = without_duplicates(snapshot, hits, options.top);
    }
    hits.truncate(options.top);
    timings.fusion += millis(clock);

    let rows: Vec<usize> = hits.iter().map(|hit| hit.row).collect();
    let (terms, ranks) = if options.explain {
        let by_words = fusion::ranks(&ranking.bm25, &rows);
        let by_meaning = match similarities(snapshot, ranking.vector.as_deref()) {
            Some(similarity) => fusion::ranks(&similarity, &rows),
            None => vec![None; rows.len()],
        };
        let ranks = hits
            .iter()
            .zip(by_words.into_iter().zip(by_meaning))
            .map(|(hit, (words, meaning))| (words.filter(|_| hit.bm25 > 0.0), meaning))
            .collect();
        (snapshot.words.explain(&terms, &rows)?, ranks)
    } else {
        (vec![Vec::new(); rows.len()], vec![(None, None); rows.len()])
    };
    Ok(Found {
        hits,
        terms,
        ranks,
        timings,
    })
}

/// The similarity of every row, `NaN` for one without a vector.
fn similarities(snapshot: &Snapshot, vector: Option<&[f32]>) -> Option<Vec<f32>> {
    let probe = snapshot.vectors.probe(vector?)?;
    let by_place = snapshot.vectors.scan(&probe);
    let of_row = |place: &u32| match *place {
        NO_PLACE => f32::NAN,
        place => by_place[place as usize],
    };
    Some(snapshot.places.iter().map(of_row).collect())
}

/// Keeps the first of passages that say the same: equal in words, or all but equal in meaning.
fn without_duplicates(snapshot: &Snapshot, hits: Vec<Fused>, most: usize) -> Vec<Fused> {
    let rows = snapshot.words.rows();
    let mut kept: Vec<Fused> = Vec::with_capacity(most);
    for hit in hits {
        if kept.len() == most {
            break;
        }
        let same = |other: &Fused| {
            let key = |row: usize| rows[row].map(|row| row.vector);
            let (a, b) = (snapshot.places[hit.row], snapshot.places[other.row]);
            key(hit.row) == key(other.row)
                || (a != NO_PLACE
                    && b != NO_PLACE
                    && snapshot.vectors.between(a as usize, b as usize) >= SAME)
        };
        if !kept.iter().any(same) {
            kept.push(hit);
        }
    }
    kept
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
