//! One ranking from two: BM25 over its maximum, and the cosine from its least to its most.
//!
//! Pure functions over plain numbers. A convex combination keeps how much better a hit is, which
//! rank fusion throws away; on reference collections it is the better of the two.

/// What BM25 counts for in the sum; the rest is the cosine's.
pub const WORDS_SHARE: f32 = 0.6;

/// Both halves of a row's score, and their sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused {
    /// The row.
    pub row: usize,
    /// The sum, 0 to 1.
    pub score: f32,
    /// BM25 as it was.
    pub bm25: f32,
    /// The cosine; none while the row has no vector.
    pub similarity: Option<f32>,
}

/// A row that may be among the best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The row.
    pub row: usize,
    /// BM25; 0 where no word occurs.
    pub bm25: f32,
    /// The cosine; none while the row has no vector.
    pub similarity: Option<f32>,
}

/// Fuses both scores of each row, best first, ties by row. Rows that neither words nor meaning speak
/// for are left out. `least` is the least cosine of all rows, those that are no candidates too.
#[must_use]
pub fn fuse(candidates: &[Candidate], least: Option<f32>, most: usize) -> Vec<Fused> {
    let top = candidates.iter().fold(0.0_f32, |top, c| top.max(c.bm25));
    let (least, greatest) = candidates
        .iter()
        .filter_map(|candidate| candidate.similarity)
        .fold((least.unwrap_or(f32::MAX), f32::MIN), |(a, b), s| {
            (a.min(s), b.max(s))
        });
    let span = greatest - least;
    let mut fused: Vec<Fused> = candidates
        .iter()
        .filter_map(|candidate| {
            let bm25 = candidate.bm25;
            let words = if top > 0.0 { bm25 / top } else { 0.0 };
            let score = match candidate.similarity {
                Some(_) if span <= f32::EPSILON => words,
                // Without any known word the meaning alone decides.
                Some(cosine) if top <= 0.0 => (cosine - least) / span,
                Some(cosine) => WORDS_SHARE * words + (1.0 - WORDS_SHARE) * (cosine - least) / span,
                // Not embedded yet: its words stand for both.
                None => words,
            };
            (score > 0.0).then_some(Fused {
                row: candidate.row,
                score,
                bm25,
                similarity: candidate.similarity,
            })
        })
        .collect();
    let order = |a: &Fused, b: &Fused| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row));
    if fused.len() > most {
        if most == 0 {
            return Vec::new();
        }
        fused.select_nth_unstable_by(most - 1, order);
        fused.truncate(most);
    }
    fused.sort_by(order);
    fused
}

/// The rank, from 1, of each wanted row among all rows by a score; none where it has no score.
#[must_use]
pub fn ranks(scores: &[f32], wanted: &[usize]) -> Vec<Option<usize>> {
    wanted
        .iter()
        .map(|&row| {
            let score = scores.get(row).copied().filter(|s| !s.is_nan())?;
            let better = scores
                .iter()
                .enumerate()
                .filter(|(other, s)| **s > score || (**s == score && *other < row))
                .count();
            Some(better + 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fused(bm25: &[f32], similarity: Option<&[f32]>, most: usize) -> Vec<Fused> {
        let of_row = |(row, bm25): (usize, &f32)| Candidate {
            row,
            bm25: *bm25,
            similarity: similarity.map(|all| all[row]).filter(|s| !s.is_nan()),
        };
        let all: Vec<Candidate> = bm25.iter().enumerate().map(of_row).collect();
        fuse(&all, None, most)
    }

    fn rows(fused: &[Fused]) -> Vec<usize> {
        fused.iter().map(|f| f.row).collect()
    }

    #[test]
    fn a_hit_of_both_lists_is_before_a_hit_of_one() {
        let found = fused(&[2.0, 4.0, 0.0], Some(&[0.9, 0.1, 0.8]), 10);
        assert_eq!(rows(&found), [0, 1, 2]);
    }

    #[test]
    fn words_alone_rank_until_vectors_are_there() {
        let found = fused(&[0.0, 1.0, 2.0], None, 10);
        assert_eq!((rows(&found), found[0].score), (vec![2, 1], 1.0));
        let partly = fused(&[0.0, 1.0, 2.0], Some(&[0.5, f32::NAN, 0.1]), 10);
        assert_eq!(rows(&partly), [2, 1, 0]);
    }

    #[test]
    fn meaning_alone_ranks_when_no_word_is_known() {
        let found = fused(&[0.0, 0.0, 0.0], Some(&[0.1, 0.7, 0.4]), 1);
        assert_eq!((found.len(), found[0].row, found[0].score), (1, 1, 1.0));
        assert!(fused(&[], Some(&[]), 5).is_empty());
        assert!(fused(&[1.0], None, 0).is_empty());
    }

    #[test]
    fn a_row_that_is_no_candidate_says_how_near_is_near() {
        let candidates = [0.5, 0.75].map(|similarity| Candidate {
            row: 0,
            bm25: 0.0,
            similarity: Some(similarity),
        });
        let scores: Vec<f32> = fuse(&candidates, Some(0.25), 10)
            .iter()
            .map(|f| f.score)
            .collect();
        assert_eq!(scores, [1.0, 0.5]);
    }

    #[test]
    fn ranks_are_counted_from_one_with_ties_by_row() {
        assert_eq!(
            ranks(&[1.0, 3.0, 3.0, f32::NAN], &[0, 2, 3]),
            [Some(3), Some(2), None]
        );
    }
}
