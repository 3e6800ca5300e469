//! BM25 over fields, and what each term of the query gave.

use std::cmp::Ordering;
use std::collections::HashMap;

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, Searcher, TERMINATED, Term};

use super::{Fields, Row, WordIndex};
use crate::error::KnowledgeError;
use crate::terms::{Part, Query};

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
    /// What two words that stand together as in the query count for, beside what each does alone.
    pub pair: f32,
}

/// The weights in use; measured in `docs/decisions/search-fusion.md`.
pub const WEIGHTS: Weights = Weights {
    k1: 1.2,
    b: 0.5,
    title: 2.0,
    heading: 1.5,
    pair: 0.25,
};

/// What one term of the query, or two that stand together, gave to one chunk.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct TermScore {
    /// The term, or two with a blank between, as they are counted.
    pub term: String,
    /// Their part of the chunk's BM25.
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
    /// BM25 of every row for a query; 0 where none of it occurs.
    ///
    /// # Errors
    /// When postings cannot be read.
    pub fn score(&self, query: &Query, weights: &Weights) -> Result<Vec<f32>, KnowledgeError> {
        let mut scores = vec![0.0_f32; self.rows.len()];
        self.each_part(query, weights, |_, row, bm25| scores[row] += bm25)?;
        Ok(scores)
    }

    /// What each part of the query gave to some rows, adding up to what [`WordIndex::score`] gives.
    ///
    /// # Errors
    /// When postings cannot be read.
    pub fn explain(
        &self,
        query: &Query,
        weights: &Weights,
        wanted: &[usize],
    ) -> Result<Vec<Vec<TermScore>>, KnowledgeError> {
        let mut parts = vec![Vec::new(); wanted.len()];
        let places: HashMap<usize, usize> = wanted.iter().copied().zip(0..).collect();
        self.each_part(query, weights, |part, row, bm25| {
            if let Some(place) = places.get(&row) {
                let term = part.to_string();
                parts[*place].push(TermScore { term, bm25 });
            }
        })?;
        for part in &mut parts {
            part.sort_by(|a, b| b.bm25.total_cmp(&a.bm25).then_with(|| a.term.cmp(&b.term)));
        }
        Ok(parts)
    }

    /// Calls `give` with what each part of a query is worth to each row that has it.
    fn each_part(
        &self,
        query: &Query,
        weights: &Weights,
        mut give: impl FnMut(&Part, usize, f32),
    ) -> Result<(), KnowledgeError> {
        let mut counts = Counts {
            by_row: vec![0.0; self.rows.len()],
            touched: Vec::new(),
        };
        for (part, times) in query.parts() {
            self.count(part, weights, &mut counts)?;
            let share = match part {
                Part::Word(_) => 1.0,
                Part::Pair(..) => weights.pair,
            };
            let worth = share * times * self.idf(counts.touched.len());
            for row in counts.touched.drain(..) {
                let count = std::mem::take(&mut counts.by_row[row as usize]);
                give(part, row as usize, worth * saturate(count, weights.k1));
            }
        }
        Ok(())
    }

    /// Adds up a part's weighted counts per row over all fields, over length.
    fn count(
        &self,
        part: &Part,
        weights: &Weights,
        counts: &mut Counts,
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
                let mut add = |document: u32, times: u32| {
                    let row = base + document;
                    if self.rows[row as usize].is_some() {
                        let norm = self.norms.of(row as usize, weights.b);
                        counts.add(row, weight * times as f32 / norm);
                    }
                };
                match part {
                    Part::Word(word) => each_posting(&inverted, field, word, &mut add)?,
                    Part::Pair(a, b) => each_pair(&inverted, field, a, b, &mut add)?,
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

/// Weighted counts of one part of a query.
struct Counts {
    by_row: Vec<f32>,
    touched: Vec<u32>,
}

impl Counts {
    fn add(&mut self, row: u32, count: f32) {
        let sum = &mut self.by_row[row as usize];
        if *sum == 0.0 {
            self.touched.push(row);
        }
        *sum += count;
    }
}

fn postings(
    inverted: &InvertedIndexReader,
    field: Field,
    word: &str,
    option: IndexRecordOption,
) -> Result<Option<SegmentPostings>, KnowledgeError> {
    inverted
        .read_postings(&Term::from_field_text(field, word), option)
        .map_err(|error| KnowledgeError::Index(error.to_string()))
}

/// Each document of a segment with a word, and how often it has it.
fn each_posting(
    inverted: &InvertedIndexReader,
    field: Field,
    word: &str,
    found: &mut impl FnMut(u32, u32),
) -> Result<(), KnowledgeError> {
    let option = IndexRecordOption::WithFreqs;
    let Some(mut postings) = postings(inverted, field, word, option)? else {
        return Ok(());
    };
    while postings.doc() != TERMINATED {
        found(postings.doc(), postings.term_freq());
        postings.advance();
    }
    Ok(())
}

/// Each document of a segment in which `second` follows `first`, and how often.
fn each_pair(
    inverted: &InvertedIndexReader,
    field: Field,
    first: &str,
    second: &str,
    found: &mut impl FnMut(u32, u32),
) -> Result<(), KnowledgeError> {
    let option = IndexRecordOption::WithFreqsAndPositions;
    let (Some(mut a), Some(mut b)) = (
        postings(inverted, field, first, option)?,
        postings(inverted, field, second, option)?,
    ) else {
        return Ok(());
    };
    let (mut places, mut after) = (Vec::new(), Vec::new());
    while a.doc() != TERMINATED && b.doc() != TERMINATED {
        match a.doc().cmp(&b.doc()) {
            Ordering::Less => {
                a.seek(b.doc());
            }
            Ordering::Greater => {
                b.seek(a.doc());
            }
            Ordering::Equal => {
                a.positions(&mut places);
                b.positions(&mut after);
                let times = places
                    .iter()
                    .filter(|place| after.binary_search(&(*place + 1)).is_ok())
                    .count();
                if times > 0 {
                    found(a.doc(), times as u32);
                }
                a.advance();
            }
        }
    }
    Ok(())
}

fn saturate(count: f32, k1: f32) -> f32 {
    count * (k1 + 1.0) / (count + k1)
}
