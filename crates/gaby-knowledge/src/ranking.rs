//! Which rows fit a question best, by words and by meaning together.
//!
//! Every row is scored by words. Of few rows each is compared by meaning too; of very many those that
//! are near by either are, and the others could not be among the best: a row far behind in both
//! halves is behind in their sum.

use std::time::Instant;

use crate::error::KnowledgeError;
use crate::fusion::{Candidate, Fused, fuse};
use crate::hit::Timings;
use crate::index::{NO_PLACE, Snapshot};
use crate::terms::Query;
use crate::vectors::Nearest;

/// Rows that are looked at by both halves, at least, whichever half they are near by.
const CANDIDATES: usize = 500;
/// And for each that is asked for.
const CANDIDATES_EACH: usize = 4;
/// Steps that scores are sorted into to find the best.
const STEPS: usize = 1024;

/// The best rows, and what they were ranked by.
#[derive(Debug)]
pub(crate) struct Ranking {
    /// Best first.
    pub(crate) best: Vec<Fused>,
    /// BM25 of every row.
    pub(crate) bm25: Vec<f32>,
    /// The question's vector, if it has one.
    pub(crate) vector: Option<Vec<f32>>,
}

/// Ranks the rows of an index. `embed` makes the question's vector meanwhile, if there is one.
pub(crate) fn rank(
    snapshot: &Snapshot,
    query: &Query,
    embed: impl FnOnce() -> Option<Vec<f32>> + Send,
    most: usize,
    timings: &mut Timings,
) -> Result<Ranking, KnowledgeError> {
    let candidates = CANDIDATES.max(most * CANDIDATES_EACH);
    let words = || {
        let bm25 = snapshot.words.score(query)?;
        let named = best(&bm25, candidates);
        Ok::<_, KnowledgeError>((bm25, named))
    };
    let ((vector, embed_query), (words, by_words)) = rayon::join(|| timed(embed), || timed(words));
    let (bm25, named) = words?;
    (timings.embed_query, timings.bm25) = (embed_query, by_words);

    let (near, by_meaning) = timed(|| {
        let probe = snapshot.vectors.probe(vector.as_deref()?)?;
        let nearest = snapshot.vectors.nearest(&probe, candidates);
        Some((probe, nearest))
    });
    timings.vectors = by_meaning;

    let (best, fusion) = timed(|| {
        let mut taken = vec![false; bm25.len()];
        let mut all = Vec::new();
        let similarity = |row: usize| match (&near, snapshot.places[row]) {
            (None, _) | (_, NO_PLACE) => None,
            (Some((probe, _)), place) => Some(snapshot.vectors.similarity(probe, place as usize)),
        };
        let mut least = None;
        if let Some((_, Nearest { rows, least: found })) = &near {
            least = Some(*found);
            for (place, similarity) in rows {
                for row in snapshot.rows_at(*place) {
                    let row = *row as usize;
                    taken[row] = true;
                    all.push(Candidate {
                        row,
                        bm25: bm25[row],
                        similarity: Some(*similarity),
                    });
                }
            }
        }
        for row in named {
            if !taken[row] {
                all.push(Candidate {
                    row,
                    bm25: bm25[row],
                    similarity: similarity(row),
                });
            }
        }
        fuse(&all, least, most)
    });
    timings.fusion = fusion;
    Ok(Ranking { best, bm25, vector })
}

/// At least the `most` rows with the highest scores, of those that have any; those as good as the last
/// of them too.
fn best(scores: &[f32], most: usize) -> Vec<usize> {
    let highest = scores.iter().copied().fold(0.0_f32, f32::max);
    if highest <= 0.0 {
        return Vec::new();
    }
    let step = |score: f32| (score / highest * (STEPS - 1) as f32) as usize;
    let mut rows_at = [0_usize; STEPS];
    for score in scores {
        rows_at[step(*score).min(STEPS - 1)] += 1;
    }
    let mut lowest = STEPS - 1;
    let mut rows = rows_at[lowest];
    while rows < most && lowest > 0 {
        lowest -= 1;
        rows += rows_at[lowest];
    }
    (0..scores.len())
        .filter(|row| scores[*row] > 0.0 && step(scores[*row]) >= lowest)
        .collect()
}

/// What work gives, and how many milliseconds it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let clock = Instant::now();
    let result = work();
    (result, clock.elapsed().as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_are_those_that_sorting_puts_first(
            scores in prop::collection::vec(prop_oneof![Just(0.0_f32), 0.0_f32..30.0], 0..300),
            most in 1_usize..40,
        ) {
            let found = best(&scores, most);
            let mut sorted: Vec<usize> = (0..scores.len()).filter(|row| scores[*row] > 0.0).collect();
            sorted.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            for row in sorted.iter().take(most) {
                prop_assert!(found.contains(row), "{row} is missing");
            }
            prop_assert!(found.iter().all(|row| scores[*row] > 0.0));
        }
    }
}
