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

/// Fuses the scores of all rows, best first, ties by row. Rows that neither words nor meaning
/// speak for are left out.
///
/// `similarity` is none where there are no vectors at all, and `NaN` for a row without one.
#[must_use]
pub fn fuse(bm25: &[f32], similarity: Option<&[f32]>, most: usize) -> Vec<Fused> {
    let top = bm25.iter().copied().fold(0.0_f32, f32::max);
    let (least, greatest) = similarity
        .unwrap_or(&[])
        .iter()
        .filter(|s| !s.is_nan())
        .fold((f32::MAX, f32::MIN), |(a, b), s| (a.min(*s), b.max(*s)));
    let span = greatest - least;
    let mut fused: Vec<Fused> = bm25
        .iter()
        .enumerate()
        .filter_map(|(row, &bm25)| {
            let words = if top > 0.0 { bm25 / top } else { 0.0 };
            let cosine = similarity
                .and_then(|all| all.get(row).copied())
                .filter(|s| !s.is_nan());
            let score = match cosine {
                Some(_) if span <= f32::EPSILON => words,
                // Without any known word the meaning alone decides.
                Some(cosine) if top <= 0.0 => (cosine - least) / span,
                Some(cosine) => WORDS_SHARE * words + (1.0 - WORDS_SHARE) * (cosine - least) / span,
                // Not embedded yet: its words stand for both.
                None => words,
            };
            (score > 0.0).then_some(Fused {
                row,
                score,
                bm25,
                similarity: cosine,
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

    #[test]
    fn a_hit_of_both_lists_is_before_a_hit_of_one() {
        let rows: Vec<usize> = fuse(&[2.0, 4.0, 0.0], Some(&[0.9, 0.1, 0.8]), 10)
            .iter()
            .map(|f| f.row)
            .collect();
        assert_eq!(rows, [0, 1, 2]);
    }

    #[test]
    fn words_alone_rank_until_vectors_are_there() {
        let found = fuse(&[0.0, 1.0, 2.0], None, 10);
        assert_eq!(found.iter().map(|f| f.row).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(found[0].score, 1.0);
        let partly = fuse(&[0.0, 1.0, 2.0], Some(&[0.5, f32::NAN, 0.1]), 10);
        assert_eq!(partly.iter().map(|f| f.row).collect::<Vec<_>>(), [2, 1, 0]);
    }

    #[test]
    fn meaning_alone_ranks_when_no_word_is_known() {
        let found = fuse(&[0.0, 0.0, 0.0], Some(&[0.1, 0.7, 0.4]), 1);
        assert_eq!((found.len(), found[0].row, found[0].score), (1, 1, 1.0));
        assert!(fuse(&[], Some(&[]), 5).is_empty());
        assert!(fuse(&[1.0], None, 0).is_empty());
    }

    #[test]
    fn ranks_are_counted_from_one_with_ties_by_row() {
        assert_eq!(
            ranks(&[1.0, 3.0, 3.0, f32::NAN], &[0, 2, 3]),
            [Some(3), Some(2), None]
        );
    }
}
