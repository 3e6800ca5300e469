//! From a question to the passages that answer it.

use std::sync::Arc;
use std::time::Instant;

use gaby_model::{Clock, SystemClock};

use crate::embed::Embedder;
use crate::error::KnowledgeError;
use crate::fusion::{self, Fused, fuse};
use crate::hit::{Explanation, Hit, Neighbours, SearchOptions, Timings};
use crate::index::{NO_PLACE, Snapshot};
use crate::knowledge::{Knowledge, blocking, chunk_id};
use crate::terms::Query;
use crate::words::{TermScore, WEIGHTS};

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
        let snapshot = self.fresh().await?;
        let query = query[..query.floor_char_boundary(MAX_QUERY_BYTES)].to_owned();
        if query.trim().is_empty() || snapshot.words.is_empty() || options.top == 0 {
            return Ok((Vec::new(), Timings::default()));
        }
        let embedder = self.serving_embedder(&snapshot);
        let (options, held) = (*options, Arc::clone(&snapshot));
        let mut found =
            blocking(move || find(&held, embedder.as_deref(), &query, &options)).await?;
        let loading = Instant::now();
        let mut hits = Vec::with_capacity(found.hits.len());
        for (index, fused) in found.hits.iter().enumerate() {
            let Some(mut hit) = self.load_hit(&snapshot, fused, &options).await? else {
                continue;
            };
            hit.rank = hits.len() + 1;
            if options.explain {
                let (bm25_rank, vector_rank) = found.ranks[index];
                hit.explain = Some(Explanation {
                    terms: std::mem::take(&mut found.terms[index]),
                    bm25: fused.bm25,
                    similarity: fused.similarity,
                    bm25_rank,
                    vector_rank,
                    recency: hit.updated_at.map(|at| {
                        (SystemClock.now().millis_since(at) as f64 / 86_400_000.0).max(0.0)
                    }),
                });
            }
            hits.push(hit);
        }
        let timings = &mut found.timings;
        timings.load = millis(loading);
        timings.total = millis(begun);
        Ok((hits, found.timings))
    }

    async fn load_hit(
        &self,
        snapshot: &Snapshot,
        fused: &Fused,
        options: &SearchOptions,
    ) -> Result<Option<Hit>, KnowledgeError> {
        let documents = self.inner.workspace.documents();
        let Some(id) = snapshot.words.rows()[fused.row].and_then(|row| chunk_id(row.key)) else {
            return Ok(None);
        };
        let Some(chunk) = documents.chunks_by_id(&[id]).await?.pop() else {
            return Ok(None);
        };
        let document = match documents.about(&chunk.document).await {
            Ok(document) => document,
            Err(gaby_store::StoreError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let neighbours = if options.neighbours {
            let all = documents.chunks(&chunk.document).await?;
            let text_of = |ordinal: Option<u32>| {
                let ordinal = ordinal?;
                all.iter()
                    .find(|c| c.ordinal == ordinal)
                    .map(|c| c.text.clone())
            };
            Some(Neighbours {
                before: text_of(chunk.ordinal.checked_sub(1)),
                after: text_of(chunk.ordinal.checked_add(1)),
            })
        } else {
            None
        };
        Ok(Some(Hit {
            rank: 0,
            score: fused.score,
            chunk: chunk.id,
            document: document.id,
            path: document.path,
            title: document.title,
            heading: chunk.heading,
            start: chunk.start,
            end: chunk.end,
            text: chunk.text,
            updated_at: document.updated_at.or(document.modified),
            explain: None,
            neighbours,
        }))
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
    let clock = Instant::now();
    let vector = match embedder {
        Some(embedder) => match embedder.embed(&[query]) {
            Ok(vectors) => vectors.into_iter().next(),
            Err(error) => {
                tracing::warn!(%error, "the question is searched by its words only");
                None
            }
        },
        None => None,
    };
    timings.embed_query = millis(clock);

    let clock = Instant::now();
    let terms = Query::of(query);
    let bm25 = snapshot.words.score(&terms, &WEIGHTS)?;
    timings.bm25 = millis(clock);

    let clock = Instant::now();
    let similarity = vector.map(|vector| {
        let by_place = snapshot.vectors.scan(&vector);
        snapshot
            .places
            .iter()
            .map(|place| match *place {
                NO_PLACE => f32::NAN,
                place => by_place[place as usize],
            })
            .collect::<Vec<f32>>()
    });
    timings.vectors = millis(clock);

    let clock = Instant::now();
    let room = if options.fold_duplicates {
        options.top * 3 + 20
    } else {
        options.top
    };
    let mut hits = fuse(&bm25, similarity.as_deref(), room);
    hits.retain(|hit| snapshot.words.rows()[hit.row].is_some());
    if options.fold_duplicates {
        hits = without_duplicates(snapshot, hits);
    }
    hits.truncate(options.top);
    timings.fusion = millis(clock);

    let rows: Vec<usize> = hits.iter().map(|hit| hit.row).collect();
    let (terms, ranks) = if options.explain {
        let by_words = fusion::ranks(&bm25, &rows);
        let by_meaning = match &similarity {
            Some(similarity) => fusion::ranks(similarity, &rows),
            None => vec![None; rows.len()],
        };
        let ranks = hits
            .iter()
            .zip(by_words.into_iter().zip(by_meaning))
            .map(|(hit, (words, meaning))| (words.filter(|_| hit.bm25 > 0.0), meaning))
            .collect();
        (snapshot.words.explain(&terms, &WEIGHTS, &rows)?, ranks)
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

/// Keeps the first of passages that say the same: equal in words, or all but equal in meaning.
fn without_duplicates(snapshot: &Snapshot, hits: Vec<Fused>) -> Vec<Fused> {
    let rows = snapshot.words.rows();
    let mut kept: Vec<Fused> = Vec::with_capacity(hits.len());
    for hit in hits {
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
