//! Attention over the tokens of one text, in plain `f32`, a few queries at a time.

use super::arithmetic::{exp, multiply_add, sum};
use super::isa::Isa;

/// Queries that are worked on together.
const QUERIES: usize = 6;
/// Numbers that are worked on together.
const LANES: usize = 16;

/// One head's keys and values, and the scores of a few queries.
pub(super) struct Attention {
    head: usize,
    /// A row per number of the head, a column per token, padded to full lanes.
    keys: Vec<f32>,
    /// A row per token.
    values: Vec<f32>,
    /// The queries that are worked on: a row per number of the head.
    queries: Vec<[f32; QUERIES]>,
    /// A row per query.
    scores: Vec<f32>,
}

impl Attention {
    /// Buffers for heads of that size and texts of up to that many tokens.
    pub(super) fn new(head: usize, tokens: usize) -> Self {
        let padded = tokens.next_multiple_of(LANES);
        Self {
            head,
            keys: vec![0.0; head * padded],
            values: vec![0.0; tokens * head],
            queries: vec![[0.0; QUERIES]; head],
            scores: vec![0.0; QUERIES * padded],
        }
    }
}

/// What some tokens of a text find in all of it: `projected` has queries (already scaled), keys and
/// values of each token of the text beside each other, each `width` wide; `found` gets a row of
/// `width` for each of the tokens from `from` on that it has room for.
#[inline(always)]
pub(super) fn attend<I: Isa>(
    buffers: &mut Attention,
    projected: &[f32],
    from: usize,
    found: &mut [f32],
    width: usize,
) {
    let head = buffers.head;
    let count = projected.len() / (3 * width);
    let asked = found.len() / width;
    let padded = count.next_multiple_of(LANES);
    let keys = &mut buffers.keys[..head * padded];
    let values = &mut buffers.values[..count * head];
    let queries = buffers.queries.as_mut_slice();
    let scores = &mut buffers.scores[..QUERIES * padded];
    for column in (0..width).step_by(head) {
        for (token, row) in projected.chunks_exact(3 * width).enumerate() {
            for (d, key) in row[width + column..][..head].iter().enumerate() {
                keys[d * padded + token] = *key;
            }
            values[token * head..][..head].copy_from_slice(&row[2 * width + column..][..head]);
        }
        for first in (0..asked).step_by(QUERIES) {
            for r in 0..QUERIES {
                // Past the last token the last one is worked on again, and not written.
                let token = from + (first + r).min(asked - 1);
                let row = &projected[token * 3 * width + column..][..head];
                for (query, value) in queries.iter_mut().zip(row) {
                    query[r] = *value;
                }
            }
            score::<I>(queries, keys, scores, padded);
            let mut weights = [0.0; QUERIES];
            for (weight, row) in weights.iter_mut().zip(scores.chunks_exact_mut(padded)) {
                *weight = 1.0 / soften::<I>(&mut row[..count]);
            }
            for lane in (0..head).step_by(LANES) {
                let mixed = mix::<I>(scores, padded, &values[lane..], head, count);
                for (r, mixed) in mixed.iter().enumerate().take(asked - first) {
                    let out = &mut found[(first + r) * width + column + lane..][..LANES];
                    for (out, value) in out.iter_mut().zip(mixed) {
                        *out = value * weights[r];
                    }
                }
            }
        }
    }
}

/// Scores of the queries against all keys.
#[inline(always)]
fn score<I: Isa>(queries: &[[f32; QUERIES]], keys: &[f32], scores: &mut [f32], padded: usize) {
    for at in (0..padded).step_by(LANES) {
        let mut sums = [[0.0_f32; LANES]; QUERIES];
        for (query, row) in queries.iter().zip(keys.chunks_exact(padded)) {
            let Some(key) = row[at..].first_chunk::<LANES>() else {
                return;
            };
            for r in 0..QUERIES {
                for lane in 0..LANES {
                    sums[r][lane] = multiply_add::<I>(query[r], key[lane], sums[r][lane]);
                }
            }
        }
        for (row, sums) in scores.chunks_exact_mut(padded).zip(&sums) {
            row[at..][..LANES].copy_from_slice(sums);
        }
    }
}

/// Turns scores into the numerators of softmax; gives their sum.
#[inline(always)]
fn soften<I: Isa>(scores: &mut [f32]) -> f32 {
    let (_, most) = super::arithmetic::range(scores);
    for score in scores.iter_mut() {
        *score = exp::<I>(*score - most);
    }
    sum(scores)
}

/// The values of `LANES` columns, added up with each query's weights.
#[inline(always)]
fn mix<I: Isa>(
    scores: &[f32],
    padded: usize,
    values: &[f32],
    head: usize,
    count: usize,
) -> [[f32; LANES]; QUERIES] {
    let mut sums = [[0.0_f32; LANES]; QUERIES];
    let mut rows = [&scores[..0]; QUERIES];
    for (row, scores) in rows.iter_mut().zip(scores.chunks_exact(padded)) {
        *row = &scores[..count];
    }
    for token in 0..count {
        let Some(value) = values[token * head..].first_chunk::<LANES>() else {
            return sums;
        };
        for r in 0..QUERIES {
            let weight = rows[r][token];
            for lane in 0..LANES {
                sums[r][lane] = multiply_add::<I>(weight, value[lane], sums[r][lane]);
            }
        }
    }
    sums
}
