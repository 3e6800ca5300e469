//! BM25 over fields, and what each term of the query gave.

use std::collections::BTreeMap;

use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, Searcher, TERMINATED, Term};

use super::{Fields, Row, WordIndex};
use crate::error::KnowledgeError;

/// How words are weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// How soon repetition of a term in a chunk stops to count.
    pub k1: f32,
    /// How much a long chunk is held against it.
    pub b: f32,
    /// What a word in the title counts for one in the body.
    pub title: f32,
    /// What a word in a heading counts for one in the body.
    pub heading: f32,
}

/// The weights in use; measured in `docs/decisions/search-fusion.md`.
pub const WEIGHTS: Weights = Weights {
    k1: 1.2,
    b: 0.5,
    title: 2.0,
    heading: 1.5,
};

/// What one term of the query gave to one chunk.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct TermScore {
    /// The term, as it is counted.
    pub term: String,
    /// Its part of the chunk's BM25.
    pub bm25: f32,
}

/// Lengths of rows over all fields.
#[derive(Debug, Default)]
pub(super) struct Norms {
    lengths: Vec<f32>,
    average: f32,
}

impl Norms {
    pub(super) fn read(
        searcher: &Searcher,
        fields: &Fields,
        rows: &[Option<Row>],
    ) -> Result<Self, KnowledgeError> {
        let mut lengths = vec![0.0_f32; rows.len()];
        let mut base = 0;
        for segment in searcher.segment_readers() {
            for field in [fields.title, fields.heading, fields.body] {
                let norms = segment.get_fieldnorms_reader(field)?;
                for row in 0..segment.max_doc() {
                    lengths[base + row as usize] += norms.fieldnorm(row) as f32;
                }
            }
            base += segment.max_doc() as usize;
        }
        let (mut sum, mut count) = (0.0_f64, 0usize);
        for (row, length) in rows.iter().zip(&lengths) {
            if row.is_some() {
                sum += f64::from(*length);
                count += 1;
            }
        }
        let average = (sum / count.max(1) as f64).max(1.0) as f32;
        Ok(Self { lengths, average })
    }

    fn of(&self, row: usize, b: f32) -> f32 {
        1.0 - b + b * self.lengths[row] / self.average
    }
}

impl WordIndex {
    /// BM25 of every row for a bag of terms; 0 where no term occurs.
    ///
    /// # Errors
    /// When postings cannot be read.
    pub fn score(
        &self,
        terms: &BTreeMap<String, f32>,
        weights: &Weights,
    ) -> Result<Vec<f32>, KnowledgeError> {
        let mut scores = vec![0.0_f32; self.rows.len()];
        let mut counts = vec![0.0_f32; self.rows.len()];
        let mut touched = Vec::new();
        for (term, times) in terms {
            self.count(term, weights, &mut counts, &mut touched)?;
            let idf = self.idf(touched.len());
            for row in touched.drain(..) {
                let count = std::mem::take(&mut counts[row as usize]);
                scores[row as usize] += times * idf * saturate(count, weights.k1);
            }
        }
        Ok(scores)
    }

    /// What each term gave to some rows: the parts add up to what [`WordIndex::score`] gives.
    ///
    /// # Errors
    /// When postings cannot be read.
    pub fn explain(
        &self,
        terms: &BTreeMap<String, f32>,
        weights: &Weights,
        wanted: &[usize],
    ) -> Result<Vec<Vec<TermScore>>, KnowledgeError> {
        let mut parts = vec![Vec::new(); wanted.len()];
        let mut counts = vec![0.0_f32; self.rows.len()];
        let mut touched = Vec::new();
        for (term, times) in terms {
            self.count(term, weights, &mut counts, &mut touched)?;
            let idf = self.idf(touched.len());
            for (part, row) in parts.iter_mut().zip(wanted) {
                if counts[*row] > 0.0 {
                    part.push(TermScore {
                        term: term.clone(),
                        bm25: times * idf * saturate(counts[*row], weights.k1),
                    });
                }
            }
            for row in touched.drain(..) {
                counts[row as usize] = 0.0;
            }
        }
        for part in &mut parts {
            part.sort_by(|a, b| b.bm25.total_cmp(&a.bm25).then_with(|| a.term.cmp(&b.term)));
        }
        Ok(parts)
    }

    /// Adds up a term's weighted counts per row over all fields, over length.
    fn count(
        &self,
        term: &str,
        weights: &Weights,
        counts: &mut [f32],
        touched: &mut Vec<u32>,
    ) -> Result<(), KnowledgeError> {
        let fields: [(Field, f32); 3] = [
            (self.fields.body, 1.0),
            (self.fields.title, weights.title),
            (self.fields.heading, weights.heading),
        ];
        let mut base = 0u32;
        for segment in self.searcher.segment_readers() {
            for (field, weight) in fields {
                let inverted = segment.inverted_index(field)?;
                let term = Term::from_field_text(field, term);
                let Some(mut postings) = inverted
                    .read_postings(&term, IndexRecordOption::WithFreqs)
                    .map_err(|error| KnowledgeError::Index(error.to_string()))?
                else {
                    continue;
                };
                let mut document = postings.doc();
                while document != TERMINATED {
                    let row = base + document;
                    if self.rows[row as usize].is_some() {
                        let count = &mut counts[row as usize];
                        if *count == 0.0 {
                            touched.push(row);
                        }
                        *count += weight * postings.term_freq() as f32
                            / self.norms.of(row as usize, weights.b);
                    }
                    document = postings.advance();
                }
            }
            base += segment.max_doc();
        }
        Ok(())
    }

    fn idf(&self, found_in: usize) -> f32 {
        let (all, with) = (self.alive as f32, found_in as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }
}

fn saturate(count: f32, k1: f32) -> f32 {
    count * (k1 + 1.0) / (count + k1)
}
