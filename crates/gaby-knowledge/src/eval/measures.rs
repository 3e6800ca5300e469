//! nDCG@10, recall@10 and MRR@10, as `trec_eval` and BEIR count them.

use serde::Serialize;

use super::{Judgements, Ranked};

const DEPTH: usize = 10;

/// Means over the judged queries that have something relevant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Measures {
    /// How well the first ten are ordered, with graded relevance.
    #[serde(rename = "ndcg@10")]
    pub ndcg_at_10: f64,
    /// How much of what is relevant is among the first ten.
    #[serde(rename = "recall@10")]
    pub recall_at_10: f64,
    /// One over the rank of the first relevant one.
    #[serde(rename = "mrr@10")]
    pub mrr_at_10: f64,
    /// Queries that counted.
    pub judged_queries: usize,
}

/// Scores rankings against judgements. A judged query without a ranking counts as found nothing.
#[must_use]
pub fn measure(judgements: &Judgements, rankings: &[(String, Vec<Ranked>)]) -> Measures {
    let by_query: std::collections::HashMap<&str, &Vec<Ranked>> = rankings
        .iter()
        .map(|(id, ranked)| (id.as_str(), ranked))
        .collect();
    let (mut ndcg, mut recall, mut mrr, mut judged) = (0.0, 0.0, 0.0, 0usize);
    for (query, relevant) in judgements {
        let mut ideal: Vec<f64> = relevant
            .values()
            .filter(|g| **g > 0)
            .map(|g| *g as f64)
            .collect();
        if ideal.is_empty() {
            continue;
        }
        judged += 1;
        ideal.sort_by(|a, b| b.total_cmp(a));
        let gains: Vec<f64> = by_query
            .get(query.as_str())
            .map(|ranked| {
                ranked
                    .iter()
                    .take(DEPTH)
                    .map(|(id, _)| relevant.get(id).map_or(0.0, |g| (*g).max(0) as f64))
                    .collect()
            })
            .unwrap_or_default();
        ndcg += discounted(&gains) / discounted(&ideal[..ideal.len().min(DEPTH)]);
        recall += gains.iter().filter(|g| **g > 0.0).count() as f64 / ideal.len() as f64;
        mrr += gains
            .iter()
            .position(|g| *g > 0.0)
            .map_or(0.0, |at| 1.0 / (at + 1) as f64);
    }
    let mean = |sum: f64| sum / judged.max(1) as f64;
    Measures {
        ndcg_at_10: mean(ndcg),
        recall_at_10: mean(recall),
        mrr_at_10: mean(mrr),
        judged_queries: judged,
    }
}

fn discounted(gains: &[f64]) -> f64 {
    gains
        .iter()
        .enumerate()
        .map(|(i, g)| g / (i as f64 + 2.0).log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measures_are_those_of_trec_eval() {
        let judged: Judgements = [
            (
                "q1".to_owned(),
                [("a", 2), ("b", 1), ("c", 0)]
                    .map(|(d, g)| (d.to_owned(), g))
                    .into(),
            ),
            ("q2".to_owned(), [("x".to_owned(), 1)].into()),
            ("q3".to_owned(), [("x".to_owned(), 0)].into()),
        ]
        .into();
        let ranked = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), 1.0)).collect();
        let found = measure(
            &judged,
            &[
                ("q1".into(), ranked(&["c", "b", "a"])),
                ("q2".into(), ranked(&[])),
            ],
        );
        let expected = (1.0 / 3f64.log2() + 2.0 / 2.0) / (2.0 + 1.0 / 3f64.log2());
        assert!((found.ndcg_at_10 - expected / 2.0).abs() < 1e-12);
        assert_eq!(found.recall_at_10, 0.5);
        assert_eq!(found.mrr_at_10, 0.25);
        assert_eq!(found.judged_queries, 2);
    }
}
