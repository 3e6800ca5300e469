//! BM25, and what each part of the query gave.

use std::collections::HashMap;

use tantivy::Term;
use tantivy::schema::IndexRecordOption;

use super::{Row, WordIndex};
use crate::error::KnowledgeError;
use crate::terms::{Part, Query, TIMES};

// Measured in `docs/decisions/search-fusion.md`.

/// How soon repetition of a term in a chunk stops to count.
const K1: f32 = 1.2;
/// How much a long chunk is held against it.
const B: f32 = 0.5;
/// What two words that stand together as in the query count for, beside what each does alone.
const PAIR: f32 = 0.25;

/// What one term of the query, or two that stand together, gave to one chunk.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct TermScore {
    /// The term, or two with a blank between, as they are counted.
    pub term: String,
    /// Their part of the chunk's BM25.
    pub bm25: f32,
}

/// What a term counts for in each row, by the row's length; nothing in one that was removed.
#[derive(Debug, Default)]
pub(super) struct Norms(Vec<f32>);

impl Norms {
    pub(super) fn of(lengths: &[f32], rows: &[Option<Row>]) -> Self {
        let (mut sum, mut count) = (0.0_f64, 0_usize);
        for (row, length) in rows.iter().zip(lengths) {
            if row.is_some() {
                sum += f64::from(*length);
                count += 1;
            }
        }
        let average = (sum / count.max(1) as f64).max(1.0) as f32;
        // A word of the body counts once.
        let once = 1.0 / TIMES[2] as f32;
        let norm = |(row, length): (&Option<Row>, &f32)| match row {
            Some(_) => once / (1.0 - B + B * length / average),
            None => 0.0,
        };
        Self(rows.iter().zip(lengths).map(norm).collect())
    }
}

impl WordIndex {
    /// BM25 of every row for a query; 0 where none of it occurs.
    ///
    /// # Errors
    /// When postings cannot be read.
    pub fn score(&self, query: &Query) -> Result<Vec<f32>, KnowledgeError> {
        let mut scores = vec![0.0_f32; self.rows.len()];
        self.each_part(query, |_, worth, counts| {
            for (row, count) in counts {
                scores[*row as usize] += worth * saturate(*count);
            }
        })?;
        Ok(scores)
    }

    /// What each part of the query gave to some rows, adding up to what [`WordIndex::score`] gives.
    ///
    /// # Errors
    /// When postings cannot be read.
    pub fn explain(
        &self,
        query: &Query,
        wanted: &[usize],
    ) -> Result<Vec<Vec<TermScore>>, KnowledgeError> {
        let mut parts = vec![Vec::new(); wanted.len()];
        let places: HashMap<usize, usize> = wanted.iter().copied().zip(0..).collect();
        self.each_part(query, |part, worth, counts| {
            for (row, count) in counts {
                if let Some(place) = places.get(&(*row as usize)) {
                    parts[*place].push(TermScore {
                        term: part.to_string(),
                        bm25: worth * saturate(*count),
                    });
                }
            }
        })?;
        for part in &mut parts {
            part.sort_by(|a, b| b.bm25.total_cmp(&a.bm25).then_with(|| a.term.cmp(&b.term)));
        }
        Ok(parts)
    }

    /// Calls `give` with each part of a query, what it is worth, and its weighted count, over length,
    /// in each row that has it.
    fn each_part(
        &self,
        query: &Query,
        mut give: impl FnMut(&Part, f32, &[(u32, f32)]),
    ) -> Result<(), KnowledgeError> {
        let mut counts = Vec::new();
        for (part, times) in query.parts() {
            counts.clear();
            self.count(part, &mut counts)?;
            let share = match part {
                Part::Word(_) => 1.0,
                Part::Pair(..) => PAIR,
            };
            give(part, share * times * self.idf(counts.len()), &counts);
        }
        Ok(())
    }

    fn count(&self, part: &Part, counts: &mut Vec<(u32, f32)>) -> Result<(), KnowledgeError> {
        let failed = |error: std::io::Error| KnowledgeError::Index(error.to_string());
        let term = Term::from_field_text(self.fields.terms, &part.to_string());
        let mut base = 0_u32;
        for segment in self.searcher.segment_readers() {
            let norms = &self.norms.0[base as usize..][..segment.max_doc() as usize];
            let found = segment
                .inverted_index(self.fields.terms)?
                .read_block_postings(&term, IndexRecordOption::WithFreqs)
                .map_err(failed)?;
            if let Some(mut block) = found {
                while block.block_len() > 0 {
                    let of_row = block
                        .docs()
                        .iter()
                        .zip(block.freqs())
                        .map(|(row, times)| (base + row, *times as f32 * norms[*row as usize]));
                    counts.extend(of_row);
                    block.advance();
                }
            }
            base += segment.max_doc();
        }
        if self.alive < self.rows.len() {
            counts.retain(|(_, count)| *count > 0.0);
        }
        Ok(())
    }

    fn idf(&self, found_in: usize) -> f32 {
        let (all, with) = (self.alive as f32, found_in as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }
}

fn saturate(count: f32) -> f32 {
    count * (K1 + 1.0) / (count + K1)
}
